// The real agent's figures of resources beside what the kernel tells this test itself: a target's
// CPU time beside its own rusage, a quota beside cpu.stat, the host beside /proc.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

namespace fs = std::filesystem;

double cpu_seconds(int who) {
  rusage u{};
  getrusage(who, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// A process that burns CPU on command, itself or in a child that ends, and answers with its own
// account: rusage of itself and of the children that it has waited for.
class Burner {
 public:
  Burner() {
    EXPECT_EQ(pipe(orders_.data()), 0);
    EXPECT_EQ(pipe(answers_.data()), 0);
    pid_ = fork();
    if (pid_ == 0) serve();
  }
  Burner(const Burner&) = delete;
  Burner& operator=(const Burner&) = delete;
  ~Burner() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    for (const int fd : {orders_[0], orders_[1], answers_[0], answers_[1]}) close(fd);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Returns its whole CPU time after it. Kinds: 's' itself, 'c' a child, '?' neither.
  double burn(char kind) {
    EXPECT_EQ(write(orders_[1], &kind, 1), 1);
    double answer = 0;
    EXPECT_EQ(read(answers_[0], &answer, sizeof(answer)), static_cast<ssize_t>(sizeof(answer)));
    return answer;
  }

 private:
  static void spin(double seconds) {
    const double begin = cpu_seconds(RUSAGE_SELF);
    while (cpu_seconds(RUSAGE_SELF) - begin < seconds) {
    }
  }
  [[noreturn]] void serve() {
    char kind = 0;
    while (read(orders_[0], &kind, 1) == 1) {
      if (kind == 's') spin(1.2);
      if (kind == 'c') {
        const pid_t child = fork();
        if (child == 0) {
          spin(0.8);
          _exit(0);
        }
        waitpid(child, nullptr, 0);
      }
      const double all = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
      if (write(answers_[1], &all, sizeof(all)) != sizeof(all)) break;
    }
    _exit(0);
  }
  pid_t pid_ = -1;
  std::array<int, 2> orders_{}, answers_{};
};

// Waits until a collection that began after now is in fetch().
cli::LiveData fresh(const Agent& agent) {
  sleep_seconds(2.2);
  agent.settle();
  return agent.fetch();
}

double target_cpu(const cli::LiveData& data, const std::string& target) {
  return value_of(data, "nearzero_target_cpu_seconds_total", {{"target", target}});
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

double number_behind(const std::string& text, const std::string& key) {
  const size_t at = text.find(key);
  EXPECT_NE(at, std::string::npos) << key;
  return at == std::string::npos ? -1 : std::stod(text.substr(at + key.size()));
}

TEST(Resources, AHogsCpuTimeIsItsOwnRusage) {
  Burner hog;
  Agent agent("targets:\n" + target_yaml("hog", hog.pid(), {}));
  ASSERT_TRUE(agent.has_member(hog.pid()));
  const double rusage_before = hog.burn('?');
  const double before = target_cpu(fresh(agent), "hog");
  const double rusage_after = hog.burn('s');
  const double after = target_cpu(fresh(agent), "hog");
  const double burnt = rusage_after - rusage_before;
  EXPECT_GE(burnt, 1.2);
  EXPECT_NEAR(after - before, burnt, 0.05 * burnt);
  std::printf("itself: %.3f s by rusage, %.3f s by nearzero\n", burnt, after - before);

  // A child that ends: nothing is lost, nothing counts twice, nothing goes back.
  const double rusage_child = hog.burn('c');
  const double with_child = target_cpu(fresh(agent), "hog");
  const double by_child = rusage_child - rusage_after;
  EXPECT_GE(by_child, 0.8);
  EXPECT_NEAR(with_child - after, by_child, 0.05 * by_child);
  std::printf("a child: %.3f s by rusage, %.3f s by nearzero\n", by_child, with_child - after);
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_resource_errors_total", {}), 0);
}

// A cgroup with a CPU controller, of version 1 where that has it, else 2; it is removed at the end,
// with whoever is in it moved out first.
class Group {
 public:
  Group() {
    for (const char* root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
      if (fs::exists(fs::path(root) / "cpu.cfs_quota_us")) root_ = root;
    }
    if (root_.empty()) {
      const fs::path unified = "/sys/fs/cgroup";
      std::istringstream controllers(text_of(unified / "cgroup.controllers"));
      bool cpu = false;
      for (std::string name; controllers >> name;) cpu = cpu || name == "cpu";
      if (!cpu) return;
      std::ofstream(unified / "cgroup.subtree_control") << "+cpu";
      root_ = unified;
      v2_ = true;
    }
    folder_ = root_ / ("nearzero-test-" + std::to_string(getpid()));
    fs::create_directory(folder_);
  }
  ~Group() {
    if (root_.empty()) return;
    std::istringstream pids(text_of(folder_ / "cgroup.procs"));
    for (pid_t pid = 0; pids >> pid;) std::ofstream(root_ / "cgroup.procs") << pid;
    std::error_code ignored;
    fs::remove(folder_, ignored);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  [[nodiscard]] bool possible() const { return !root_.empty(); }
  [[nodiscard]] const fs::path& folder() const { return folder_; }
  void write(const char* name, const std::string& value) const {
    std::ofstream(folder_ / name) << value;
  }
  /// 25 ms of CPU time in each 50 ms.
  void limit_to_half() const {
    if (v2_) return write("cpu.max", "25000 50000");
    write("cpu.cfs_period_us", "50000");
    write("cpu.cfs_quota_us", "25000");
  }
  /// By the kernel's account.
  [[nodiscard]] double throttled_seconds(const std::string& stat) const {
    return v2_ ? number_behind(stat, "throttled_usec ") / 1e6
               : number_behind(stat, "throttled_time ") / 1e9;
  }

 private:
  bool v2_ = false;
  fs::path root_, folder_;
};

TEST(Resources, AQuotaThrottlesAsCpuStatSays) {
  Burner hog;  // before the group: it must be gone from it at the end
  Group group;
  ASSERT_TRUE(group.possible()) << "no cpu controller of a cgroup is mounted";
  group.limit_to_half();
  group.write("cgroup.procs", std::to_string(hog.pid()));
  Agent agent("targets:\n" + target_yaml("hog", hog.pid(), {}));
  ASSERT_TRUE(agent.has_member(hog.pid()));
  const cli::LiveData before = fresh(agent);
  EXPECT_EQ(value_of(before, "nearzero_target_cpu_quota_cores", {{"target", "hog"}}), 0.5);
  const std::string stat_before = text_of(group.folder() / "cpu.stat");
  hog.burn('s');  // 1.2 s of CPU in 2.4 s or more
  const cli::LiveData after = fresh(agent);
  const std::string stat_after = text_of(group.folder() / "cpu.stat");

  const auto grown = [&](const char* family) {
    return value_of(after, family, {{"target", "hog"}}) -
           value_of(before, family, {{"target", "hog"}});
  };
  const auto by_kernel = [&](const char* key) {
    return number_behind(stat_after, key) - number_behind(stat_before, key);
  };
  const double throttled = grown("nearzero_target_throttled_periods_total");
  EXPECT_GT(throttled, 10);
  EXPECT_EQ(throttled, by_kernel("nr_throttled "));
  EXPECT_EQ(grown("nearzero_target_quota_periods_total"), by_kernel("nr_periods "));
  EXPECT_NEAR(grown("nearzero_target_throttled_seconds_total"),
              group.throttled_seconds(stat_after) - group.throttled_seconds(stat_before), 1e-6);
  std::printf("%.0f periods throttled, %.2f s\n", throttled,
              grown("nearzero_target_throttled_seconds_total"));
  EXPECT_EQ(value_of(after, "nearzero_resource_errors_total", {}), 0);
}

// In a network namespace of its own: connects to a socket that nobody accepts from, prints how
// often its queue overflowed, and stays.
constexpr const char* kOverflows = R"(
import json, signal, socket, subprocess, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
print("ready", file=sys.stderr, flush=True)
signal.sigwait({signal.SIGUSR2})
listener = socket.create_server(("127.0.0.1", 7001), backlog=0)
clients = [socket.socket() for _ in range(12)]
for c in clients:
    c.setblocking(False)
    c.connect_ex(("127.0.0.1", 7001))
time.sleep(0.2)
for s in [*clients, listener]: s.close()  # nobody tries again
lines = [l.split() for l in open("/proc/self/net/netstat") if l.startswith("TcpExt:")]
print(json.dumps({"overflows": int(dict(zip(*lines))["ListenOverflows"])}), flush=True)
print("done", file=sys.stderr, flush=True)
signal.sigwait({signal.SIGUSR2})
)";

TEST(Resources, OverflowsInANetworkNamespaceAreItsTargets) {
  Program container({"/usr/bin/unshare", "--net", "/usr/bin/python3", "-c", kOverflows});
  ASSERT_TRUE(container.wait_for_text("ready", 10)) << container.err();
  Agent agent("targets:\n" + target_yaml("container", container.pid(), {}));
  ASSERT_TRUE(agent.has_member(container.pid()));
  const auto read = [&] {
    return value_of(agent.fetch(), "nearzero_target_network_namespaces",
                    {{"target", "container"}, {"state", "read"}});
  };
  ASSERT_TRUE(eventually([&] { return read() == 1; }, 10));
  container.signal(SIGUSR2);
  ASSERT_TRUE(container.wait_for_text("done", 10)) << container.err();
  const double counted = container.json()["overflows"].get<double>();
  EXPECT_GT(counted, 5);
  const auto overflows = [&] {
    return value_of(agent.fetch(), "nearzero_target_tcp_events_total",
                    {{"target", "container"}, {"event", "listen_overflows"}});
  };
  EXPECT_TRUE(eventually([&] { return overflows() == counted; }, 10))
      << overflows() << " of " << counted;
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_resource_errors_total", {}), 0);
}

TEST(Resources, TheHostsFiguresAreThoseOfProc) {
  Burner target;
  Agent agent("targets:\n" + target_yaml("t", target.pid(), {}));
  ASSERT_TRUE(agent.has_member(target.pid()));
  const auto forks = [] { return number_behind(text_of("/proc/stat"), "\nprocesses "); };
  const auto user0 = [] {
    return number_behind(text_of("/proc/stat"), "\ncpu0 ") /
           static_cast<double>(sysconf(_SC_CLK_TCK));
  };
  const auto faults = [] { return number_behind(text_of("/proc/vmstat"), "\npgfault "); };
  const auto loopback = [] { return number_behind(text_of("/proc/net/dev"), "lo:"); };
  const std::array<double, 4> least = {forks(), user0(), faults(), loopback()};
  const cli::LiveData data = fresh(agent);
  const std::array<double, 4> most = {forks(), user0(), faults(), loopback()};
  const std::array<double, 4> ours = {
      value_of(data, "nearzero_host_forks_total", {}),
      value_of(data, "nearzero_host_cpu_seconds_total", {{"cpu", "0"}, {"mode", "user"}}),
      value_of(data, "nearzero_host_vm_events_total", {{"event", "pgfault"}}),
      value_of(data, "nearzero_network_bytes_total", {{"interface", "lo"}, {"direction", "in"}})};
  for (size_t i = 0; i < ours.size(); i++) {
    EXPECT_GE(ours[i], least[i]) << i;
    EXPECT_LE(ours[i], most[i]) << i;
    EXPECT_GT(ours[i], 0) << i;
  }
  const auto memory = [&](const char* kind) {
    return value_of(data, "nearzero_host_memory_bytes", {{"kind", kind}});
  };
  const std::string meminfo = text_of("/proc/meminfo");
  EXPECT_EQ(memory("total"), number_behind(meminfo, "MemTotal:") * 1024);
  EXPECT_EQ(memory("swap_total"), number_behind(meminfo, "SwapTotal:") * 1024);
  EXPECT_GT(memory("available"), 0);
  EXPECT_EQ(value_of(data, "nearzero_host_cpus", {}), sysconf(_SC_NPROCESSORS_ONLN));
  std::istringstream file_nr(text_of("/proc/sys/fs/file-nr"));
  double used = 0;
  double unused = 0;
  double limit = 0;
  file_nr >> used >> unused >> limit;
  EXPECT_EQ(value_of(data, "nearzero_host_open_files", {{"kind", "limit"}}), limit);
  struct statvfs root {};
  ASSERT_EQ(statvfs("/", &root), 0);
  const double space =
      value_of(data, "nearzero_filesystem_bytes", {{"mount", "/"}, {"kind", "size"}});
  if (space > 0) {  // not in a container, whose root is an overlay
    EXPECT_EQ(space, static_cast<double>(root.f_blocks) * static_cast<double>(root.f_frsize));
  }
  EXPECT_EQ(value_of(data, "nearzero_target_threads", {{"target", "t"}}), 1);
  EXPECT_EQ(value_of(data, "nearzero_target_open_files", {{"target", "t"}, {"kind", "used"}}),
            static_cast<double>(std::distance(
                fs::directory_iterator("/proc/" + std::to_string(target.pid()) + "/fd"),
                fs::directory_iterator())));
  EXPECT_EQ(value_of(data, "nearzero_resource_errors_total", {}), 0);
}

}  // namespace
}  // namespace nz::live
