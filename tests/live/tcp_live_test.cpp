// TCP by target: connects, failures and retransmits exactly, round trips against what the sockets
// say themselves.
#include <gtest/gtest.h>

#include <csignal>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

// What each of the following begins with: it goes on once the test knows that it is observed.
constexpr const char* kTalkerStart = R"(
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
def wait_for_agent():
    print("ready", file=sys.stderr, flush=True)
    signal.sigwait({signal.SIGUSR2})
)";

// Serves itself on loopback: so many connections of so many questions and answers, then so many
// connects to a port where nobody listens. Prints what it saw.
constexpr const char* kTalks = R"(
import json, socket, struct, threading
connections, rounds, refused = map(int, sys.argv[1:4])
wait_for_agent()
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
def serve():
    for _ in range(connections):
        c, _ = listener.accept()
        while c.recv(1): c.sendall(b"a")
        c.close()
thread = threading.Thread(target=serve)
thread.start()
round_trips = []
for _ in range(connections):
    c = socket.create_connection(listener.getsockname())
    for _ in range(rounds):
        c.sendall(b"q")
        c.recv(1)
        # tcpi_rtt, in microseconds (include/uapi/linux/tcp.h)
        round_trips.append(struct.unpack_from("I", c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 68)[0])
    c.close()
thread.join()
unused = socket.socket()
unused.bind(("127.0.0.1", 0))
for _ in range(refused):
    s = socket.socket()
    try: s.connect(unused.getsockname())
    except ConnectionRefusedError: pass
    s.close()
print(json.dumps({"rtt_us": sorted(round_trips)[len(round_trips) // 2]}))
)";

// In a network namespace of its own, where every 12th packet to the server is lost: sends 8 MB in
// pieces over several connections, and prints the namespace's RetransSegs.
constexpr const char* kLoses = R"(
import json, socket, subprocess, threading
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
wait_for_agent()
listener = socket.create_server(("127.0.0.1", 7001), backlog=64)
subprocess.run(["nft", "-f", "-"], check=True, text=True, input="""
table inet lossy { chain in { type filter hook input priority 0;
  tcp dport 7001 numgen inc mod 12 == 0 drop
  tcp sport 7001 tcp flags & syn == syn numgen inc mod 3 == 0 drop
}
}
""")
def retransmits():
    lines = [l.split() for l in open("/proc/self/net/snmp") if l.startswith("Tcp:")]
    return int(dict(zip(*lines))["RetransSegs"])
def serve():
    for _ in range(6):
        c, _ = listener.accept()
        while c.recv(65536): c.sendall(b"a")
        c.close()
thread = threading.Thread(target=serve)
thread.start()
for _ in range(6):
    c = socket.create_connection(("127.0.0.1", 7001))
    for _ in range(20):
        c.sendall(b"x" * 70000)
    c.shutdown(socket.SHUT_WR)
    while c.recv(65536): pass
    c.close()
thread.join()
print(json.dumps({"retransmits": retransmits()}))
)";

// Writes to a connection that was there before, whose other end acknowledges and never reads.
constexpr const char* kWrites = R"(
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
other_end = socket.create_connection(listener.getsockname())
c, _ = listener.accept()
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
wait_for_agent()
for _ in range(300):
    c.sendall(b"x")
    time.sleep(0.001)
time.sleep(0.1)
print("{}")
)";

// To itself: datagrams, each looked at before it is read, a poll in vain after each, its packet
// once more from the queue of errors, with the time of sending, and a socket pair, which is no
// network.
constexpr const char* kDatagrams = R"(
import socket
wait_for_agent()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
s.setsockopt(socket.SOL_SOCKET, 37, 2 | 16)  # SO_TIMESTAMPING: software's, when it is sent
a, b = socket.socketpair()
came_back = 0
for _ in range(50):
    s.sendto(b"x" * 300, s.getsockname())
    s.recv(1000, socket.MSG_PEEK)
    s.recv(200)
    try: s.recv(1000, socket.MSG_DONTWAIT)
    except BlockingIOError: pass
    came_back += len(s.recvmsg(1000, 1000, 0x2000)[0])  # MSG_ERRQUEUE
    a.sendall(b"y" * 1000)
    b.recv(1000)
print('{"came_back": %d}' % came_back)
)";

// Polls a connection that says nothing, on as many CPUs as there are, then asks it.
constexpr const char* kPolls = R"(
import os, socket, time
listener = socket.create_server(("127.0.0.1", 0))
other_end = socket.create_connection(listener.getsockname())
c, _ = listener.accept()
c.setblocking(False)
wait_for_agent()
until = time.monotonic() + 3
children = []
while len(children) < os.cpu_count() - 1 and 0 not in children: children.append(os.fork())
while time.monotonic() < until:
    for _ in range(1000):
        try: c.recv(1)
        except BlockingIOError: pass
if 0 in children: os._exit(0)
for child in children: os.waitpid(child, 0)
c.setblocking(True)
for _ in range(500):
    other_end.sendall(b"q")
    c.recv(1)
    c.sendall(b"a")
    other_end.recv(1)
print("{}")
)";

std::vector<std::string> python_talker(const std::string& script,
                                       std::initializer_list<std::string> arguments = {}) {
  std::vector<std::string> command = {"/usr/bin/python3", "-c", kTalkerStart + script};
  command.insert(command.end(), arguments);
  return command;
}

constexpr const char* kTarget = "host: true\ntargets:\n  - name: talker\n    match: {pid: ";

class Tcp : public testing::Test {
 protected:
  void run(std::vector<std::string> command, bool as_target = true) {
    Program talker(std::move(command));
    ASSERT_TRUE(talker.wait_for_text("ready", 20)) << talker.err();
    agent_ = std::make_unique<Agent>(as_target ? kTarget + std::to_string(talker.pid()) + "}\n"
                                               : "host: true\n");
    if (as_target) ASSERT_TRUE(agent_->has_member(talker.pid()));
    talker.signal(SIGUSR2);
    ASSERT_EQ(talker.wait(120), 0) << talker.err();
    saw_ = talker.json();
    agent_->settle();
    data_ = agent_->fetch();
  }
  [[nodiscard]] analysis::Histogram values(const char* family, const char* target) const {
    return histogram_of(data_, family, {{"target", target}});
  }
  [[nodiscard]] double value(const char* family, const char* target) const {
    return value_of(data_, family, {{"target", target}});
  }
  [[nodiscard]] double bytes(const char* protocol, const char* direction) const {
    return value_of(data_, "nearzero_socket_bytes_total",
                    {{"target", "talker"}, {"protocol", protocol}, {"direction", direction}});
  }

  std::unique_ptr<Agent> agent_;
  nlohmann::json saw_;
  cli::LiveData data_;
};

TEST_F(Tcp, ConnectsAndFailuresAreCountedExactly) {
  run(python_talker(kTalks, {"120", "20", "30"}));
  const auto connects = values("nearzero_tcp_connect_duration_seconds", "talker");
  EXPECT_EQ(connects.count(), 120U);
  EXPECT_LT(connects.quantile(0.5), 0.005) << "seconds, on loopback";
  EXPECT_EQ(value("nearzero_tcp_connect_failures_total", "talker"), 30);
  EXPECT_GE(values("nearzero_tcp_connect_duration_seconds", "host").count(), 120U);
  EXPECT_GE(value("nearzero_tcp_connect_failures_total", "host"), 30);
  EXPECT_EQ(value("nearzero_tcp_sockets_untracked_total", "host"), 0);
  // It is both ends: a byte asks and a byte answers.
  EXPECT_EQ(bytes("tcp", "in"), 2 * 120 * 20);
  EXPECT_EQ(bytes("tcp", "out"), 2 * 120 * 20);
  EXPECT_EQ(bytes("udp", "in") + bytes("udp", "out"), 0);
}

TEST_F(Tcp, DatagramsAreCountedAsTheyAreRead) {
  run(python_talker(kDatagrams));
  EXPECT_EQ(bytes("udp", "out"), 50 * 300);
  EXPECT_EQ(bytes("udp", "in"), 50 * 200) << "the rest of a datagram is lost to the reader";
  EXPECT_EQ(bytes("tcp", "in") + bytes("tcp", "out"), 0);
  EXPECT_GT(saw_["came_back"].get<double>(), 50 * 300) << "what was sent, with its headers";
}

// Each poll in vain would pay for bytes that hardly ever come.
TEST_F(Tcp, BytesAreLeftOutWhereSocketsArePolledAndTheRestGoesOn) {
  run(python_talker(kPolls));
  EXPECT_EQ(value_of(data_, "nearzero_probe_attached", {{"probe", "tcp:bytes"}}), 0);
  EXPECT_EQ(value_of(data_, "nearzero_probe_attached", {{"probe", "tcp"}}), 1);
  EXPECT_EQ(bytes("tcp", "in"), 0);
  EXPECT_EQ(bytes("tcp", "out"), 1000);
  EXPECT_GE(values("nearzero_tcp_round_trip_seconds", "talker").count(), 990U);
  // Nothing has tripped, so `on` alone would be "already on".
  ASSERT_NE(agent_->control("status").find("`nearzero off` and then `on`"), std::string::npos);
  (void)agent_->control("off");
  (void)agent_->control("on");
  EXPECT_EQ(agent_->control("status").find("tcp:bytes"), std::string::npos);
}

TEST_F(Tcp, EachSegmentThatComesInHasARoundTrip) {
  run(python_talker(kTalks, {"50", "40", "0"}));
  const auto trips = values("nearzero_tcp_round_trip_seconds", "talker");
  // 50 * 40 answers at the client and as many questions at the server, whose first of each
  // connection comes before it has ever read; and the ends of connections.
  EXPECT_GE(trips.count(), 50U * 40 + 50 * 39);
  EXPECT_LE(trips.count(), 2 * (50U * 40 + 50 * 40));
  const double seen = saw_["rtt_us"].get<double>() * 1e-6;
  EXPECT_GT(trips.quantile(0.5), seen / 4);
  EXPECT_LT(trips.quantile(0.5), seen * 4);
}

// A publisher: nothing but its writes tells whose the connection is.
TEST_F(Tcp, AConnectionThatIsOnlyWrittenToIsItsWriters) {
  run(python_talker(kWrites));
  // An acknowledgement for each write or two (delayed ones wait 40 ms for 16 more of these).
  EXPECT_GE(values("nearzero_tcp_round_trip_seconds", "talker").count(), 10U);
}

TEST_F(Tcp, WhatNoTargetOwnsIsTheHosts) {
  run(python_talker(kTalks, {"20", "10", "0"}), false);
  EXPECT_GE(values("nearzero_tcp_connect_duration_seconds", "host").count(), 20U);
  EXPECT_GE(values("nearzero_tcp_round_trip_seconds", "host").count(), 400U);
  EXPECT_EQ(values("nearzero_tcp_round_trip_seconds", "talker").count(), 0U);
}

TEST_F(Tcp, RetransmitsAreThoseThatTheKernelCounts) {
  auto alone = python_talker(kLoses);
  alone.insert(alone.begin(), {"/usr/bin/unshare", "--net"});
  run(std::move(alone));
  const double counted = saw_["retransmits"].get<double>();
  EXPECT_GT(counted, 20);
  EXPECT_EQ(value("nearzero_tcp_retransmits_total", "talker"), counted);
  EXPECT_GE(value("nearzero_tcp_retransmits_total", "host"), counted);
  EXPECT_EQ(values("nearzero_tcp_connect_duration_seconds", "talker").count(), 6U);
}

}  // namespace
}  // namespace nz::live
