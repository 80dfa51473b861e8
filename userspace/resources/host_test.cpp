// CPU, memory, pressure, network and open files of a host made by hand, whole and broken.
#include <gmock/gmock.h>
#include <unistd.h>

#include "userspace/resources/cpu.h"
#include "userspace/resources/fake_tree.h"
#include "userspace/resources/memory.h"
#include "userspace/resources/network.h"
#include "userspace/resources/open_files.h"
#include "userspace/resources/pressure.h"

namespace nz::resources {
namespace {

using Host = FakeTree;

const std::string kStatRest =
    "intr 5000 1 2 3\nctxt 77\nbtime 1700000000\nprocesses 321\nprocs_running 3\nprocs_blocked 1\n"
    "softirq 550 1 2 3 4 5 6 7 8 9 10\n";

std::string stat_of(const std::string& cpu0) {
  return "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 " + cpu0 + "\ncpu2 10 20 30 40 50 60 70 80 90 100\n" +
         kStatRest;
}

TEST_F(Host, CpuTimesAreSecondsByMode) {
  ASSERT_EQ(sysconf(_SC_CLK_TCK), 100);
  file("proc/stat", stat_of("100 200 300 400 500 600 700 800 900 1000"));
  Cpu cpu(paths);
  collect([&](Context& c) { cpu.collect(c); });
  const char* kSeconds = "nearzero_host_cpu_seconds_total";
  EXPECT_EQ(rows(kSeconds), 16U);
  EXPECT_EQ(value(kSeconds, {{"cpu", "0"}, {"mode", "user"}}), 1.0);
  EXPECT_EQ(value(kSeconds, {{"cpu", "0"}, {"mode", "steal"}}), 8.0);
  EXPECT_EQ(value(kSeconds, {{"cpu", "2"}, {"mode", "iowait"}}), 0.5);
  EXPECT_EQ(value("nearzero_host_cpus"), 2);
  EXPECT_EQ(value("nearzero_host_forks_total"), 321);
  EXPECT_EQ(value("nearzero_host_interrupts_total"), 5000);
  EXPECT_EQ(value("nearzero_host_runnable_threads"), 3);
  EXPECT_EQ(value("nearzero_host_blocked_threads"), 1);
  EXPECT_EQ(value("nearzero_host_softirqs_total", {{"kind", "hi"}}), 1);
  EXPECT_EQ(value("nearzero_host_softirqs_total", {{"kind", "net_rx"}}), 4);
  EXPECT_EQ(value("nearzero_host_softirqs_total", {{"kind", "rcu"}}), 10);
  file("proc/stat", stat_of("100 200 300 390 500 600 700 800"));
  collect([&](Context& c) { cpu.collect(c); });
  EXPECT_EQ(value(kSeconds, {{"cpu", "0"}, {"mode", "idle"}}), 4.0) << "it does not fall";
  EXPECT_EQ(errors.of(Source::cpu), 0U);
}

TEST_F(Host, MoreCpusThanHaveNamesAreSummed) {
  std::string text = "cpu  1 1 1 1 1 1 1 1\n";
  for (int i = 0; i < 300; i++) text += "cpu" + std::to_string(i) + " 100 0 0 0 0 0 0 0 0 0\n";
  file("proc/stat", text + kStatRest);
  Cpu cpu(paths);
  collect([&](Context& c) { cpu.collect(c); });
  EXPECT_EQ(value("nearzero_host_cpus"), 300);
  EXPECT_EQ(rows("nearzero_host_cpu_seconds_total"), (Cpu::kNamed + 1) * 8);
  EXPECT_EQ(value("nearzero_host_cpu_seconds_total", {{"cpu", "other"}, {"mode", "user"}}), 44);
}

TEST_F(Host, BrokenCpuFilesAreCountedAndLeftOut) {
  Cpu cpu(paths);
  const std::string good = stat_of("1 2 3 4 5 6 7 8");
  const std::vector<std::string> broken = {"",
                                           "garbage\n",
                                           good.substr(0, good.size() - 5),
                                           "cpu0 1 2 3\n" + kStatRest,
                                           "cpu0 1 2 3 4 5 6 7 -8\n" + kStatRest,
                                           "cpux 1 2 3 4 5 6 7 8\n" + kStatRest,
                                           "cpu99999999 1 2 3 4 5 6 7 8\n" + kStatRest,
                                           "cpu0 1 2 3 4 5 6 7 8\n",
                                           kStatRest,
                                           std::string(good.size(), '\0')};
  uint64_t counted = 0;
  for (const std::string& text : broken) {
    file("proc/stat", text);
    collect([&](Context& c) { cpu.collect(c); });
    EXPECT_TRUE(out.empty()) << text;
    EXPECT_EQ(errors.of(Source::cpu), ++counted) << text;
  }
  remove("proc/stat");
  Cpu absent(paths);
  collect([&](Context& c) { absent.collect(c); });
  EXPECT_EQ(errors.of(Source::cpu), ++counted) << "this one is always there";
}

const std::string kMeminfo =
    "MemTotal:       1000 kB\nMemFree:         200 kB\nMemAvailable:    300 kB\nBuffers: 7 kB\n"
    "Cached:           40 kB\nSwapCached:       9 kB\nSwapTotal:        50 kB\n"
    "SwapFree:         60 kB\nDirty:             7 kB\nWriteback:         8 kB\n"
    "WritebackTmp:     99 kB\nHugePages_Total:   0\n";

TEST_F(Host, Memory) {
  file("proc/meminfo", kMeminfo);
  file("proc/vmstat",
       "nr_free_pages 1\npgfault 10\npgmajfault 2\npswpin 3\npswpout 4\npgscan_direct 5\n"
       "pgscan_direct_throttle 999\nallocstall_dma 1\nallocstall_normal 20\n"
       "allocstall_movable 300\noom_kill 6\n");
  Memory memory(paths);
  collect([&](Context& c) { memory.collect(c); });
  const auto bytes = [&](const char* kind) {
    return value("nearzero_host_memory_bytes", {{"kind", kind}});
  };
  EXPECT_EQ(rows("nearzero_host_memory_bytes"), 8U);
  EXPECT_EQ(bytes("total"), 1024'000);
  EXPECT_EQ(bytes("cached"), 40 * 1024);
  EXPECT_EQ(bytes("writeback"), 8 * 1024);
  EXPECT_EQ(bytes("swap_free"), 60 * 1024);
  EXPECT_TRUE(memory.has_swap());
  const auto events = [&](const char* event) {
    return value("nearzero_host_vm_events_total", {{"event", event}});
  };
  EXPECT_EQ(events("pgfault"), 10);
  EXPECT_EQ(events("pgscan_direct"), 5);
  EXPECT_EQ(events("allocstall"), 321);
  EXPECT_EQ(events("oom_kill"), 6);
  EXPECT_EQ(errors.of(Source::memory), 0U);
}

TEST_F(Host, HalfOfMemoryIsBetterThanNone) {
  file("proc/meminfo", kMeminfo.substr(0, kMeminfo.size() - 3));
  file("proc/vmstat", "pgfault 10\noom_kill 1\n");
  Memory memory(paths);
  collect([&](Context& c) { memory.collect(c); });
  EXPECT_EQ(rows("nearzero_host_memory_bytes"), 0U);
  EXPECT_EQ(rows("nearzero_host_vm_events_total"), 2U) << "what this kernel counts";
  EXPECT_EQ(errors.of(Source::memory), 1U);
  EXPECT_EQ(parse_meminfo("MemTotal: 18446744073709551615 kB\n"), std::nullopt);
  EXPECT_EQ(parse_vmstat("pgfault ten\n"), std::nullopt);
  EXPECT_EQ(parse_vmstat(""), std::nullopt);
}

TEST_F(Host, Pressure) {
  file("proc/pressure/cpu", "some avg10=1.00 avg60=0.10 avg300=0.01 total=1500000\n");
  file("proc/pressure/memory",
       "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n"
       "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n");
  file("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=\n");
  HostPressure pressure(paths);
  collect([&](Context& c) {
    Rows rows(c, "p", "", kCounter);
    pressure.collect(c, rows);
  });
  const auto seconds = [&](const char* resource, const char* kind) {
    return value("p", {{"scope", "host"}, {"resource", resource}, {"kind", kind}});
  };
  EXPECT_EQ(rows("p"), 3U);
  EXPECT_EQ(seconds("cpu", "some"), 1.5);
  EXPECT_EQ(seconds("memory", "some"), 2.5);
  EXPECT_EQ(seconds("memory", "full"), 0.5);
  EXPECT_EQ(errors.of(Source::pressure), 1U);
  remove("proc/pressure");
  HostPressure absent(paths);
  collect([&](Context& c) {
    Rows rows(c, "p", "", kCounter);
    absent.collect(c, rows);
  });
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(errors.of(Source::pressure), 1U) << "a kernel without it is no failure";
}

TEST_F(Host, OpenFiles) {
  file("proc/sys/fs/file-nr", "721\t21\t9223372036854775807\n");
  OpenFiles files(paths);
  collect([&](Context& c) { files.collect(c); });
  EXPECT_EQ(value("nearzero_host_open_files", {{"kind", "used"}}), 700);
  EXPECT_EQ(value("nearzero_host_open_files", {{"kind", "limit"}}), 9223372036854775807.0);
  for (const char* text : {"", "721\t0\n", "1 2 3\n", "a b c\n", "721\t0\t5"}) {
    file("proc/sys/fs/file-nr", text);
    collect([&](Context& c) { files.collect(c); });
    EXPECT_TRUE(out.empty()) << text;
  }
  EXPECT_EQ(errors.of(Source::open_files), 5U);
}

const std::string kHeadings =
    "Inter-|   Receive |  Transmit\n face |bytes packets |bytes packets\n";
const std::string kSnmp =
    "Ip: Forwarding\nIp: 1\n"
    "Tcp: RtoAlgorithm MaxConn EstabResets OutSegs RetransSegs\nTcp: 1 -1 3 1000 7\n"
    "Udp: InDatagrams RcvbufErrors\nUdp: 50 2\n";

TEST_F(Host, InterfacesAndProtocols) {
  file("proc/self/net/dev", kHeadings +
                                "    lo:  1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n"
                                "eth0:100 200 300 400 9 9 9 9 500 600 700 800 9 9 9 9\n"
                                "broken: 1 2 3\n  no colon here\n");
  file("proc/self/net/snmp", kSnmp);
  file("proc/self/net/netstat",
       "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 0 4 5 6\n");
  Network network(paths);
  collect([&](Context& c) { network.collect(c); });
  const metrics::Labels in{{"interface", "eth0"}, {"direction", "in"}};
  const metrics::Labels to{{"interface", "eth0"}, {"direction", "out"}};
  EXPECT_EQ(value("nearzero_network_bytes_total", in), 100);
  EXPECT_EQ(value("nearzero_network_packets_total", in), 200);
  EXPECT_EQ(value("nearzero_network_errors_total", in), 300);
  EXPECT_EQ(value("nearzero_network_drops_total", in), 400);
  EXPECT_EQ(value("nearzero_network_bytes_total", to), 500);
  EXPECT_EQ(value("nearzero_network_drops_total", to), 800);
  EXPECT_EQ(rows("nearzero_network_bytes_total"), 4U);
  const auto tcp = [&](const char* event) {
    return value("nearzero_tcp_events_total", {{"event", event}});
  };
  EXPECT_EQ(tcp("segments_out"), 1000);
  EXPECT_EQ(tcp("retransmits"), 7);
  EXPECT_EQ(tcp("resets"), 3);
  EXPECT_EQ(tcp("listen_overflows"), 4);
  EXPECT_EQ(tcp("listen_drops"), 5);
  EXPECT_EQ(tcp("timeouts"), 6);
  EXPECT_EQ(value("nearzero_udp_events_total", {{"event", "receive_buffer_full"}}), 2);
  EXPECT_EQ(errors.of(Source::network), 2U) << "two broken rows";
  EXPECT_EQ(network.unnamed(), 0U);
}

TEST_F(Host, HardwareHasNamesBeforeAThousandContainers) {
  std::string text = kHeadings;
  for (int i = 0; i < 1000; i++)
    text += "veth" + std::to_string(i) + ": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
  file("proc/self/net/dev", text + "eth0: 7 7 0 0 0 0 0 0 7 7 0 0 0 0 0 0\n");
  folder("sys/class/net/eth0/device");
  file("proc/self/net/snmp", kSnmp);
  file("proc/self/net/netstat", "");
  Network network(paths);
  collect([&](Context& c) { network.collect(c); });
  EXPECT_EQ(rows("nearzero_network_bytes_total"), (Network::kNamed + 1) * 2);
  EXPECT_EQ(value("nearzero_network_bytes_total", {{"interface", "eth0"}, {"direction", "in"}}), 7);
  EXPECT_EQ(value("nearzero_network_bytes_total", {{"interface", "other"}, {"direction", "in"}}),
            1001 - static_cast<double>(Network::kNamed));
  EXPECT_EQ(network.unnamed(), 1001 - Network::kNamed);
}

TEST_F(Host, LinesOfProtocolsThatDoNotFitAreCounted) {
  uint64_t malformed = 0;
  const std::vector<ProtocolCounter> wanted = {{"Tcp:", "OutSegs", "out"}};
  EXPECT_TRUE(parse_protocols("Tcp: OutSegs\nUdp: 1\n", wanted, malformed).empty());
  EXPECT_EQ(malformed, 1U);
  EXPECT_EQ(parse_protocols("Tcp: OutSegs More\nTcp: 1\n", wanted, malformed).size(), 1U);
  EXPECT_EQ(malformed, 2U);
  EXPECT_TRUE(parse_protocols("Tcp: OutSegs\nTcp: x\n", wanted, malformed).empty());
  EXPECT_EQ(malformed, 3U);
  EXPECT_TRUE(parse_protocols("Tcp: OutSegs\n", wanted, malformed).empty());
  EXPECT_EQ(malformed, 4U);
}

}  // namespace
}  // namespace nz::resources
