// Syscall latency and errors of targets: exact counts, and nothing where nobody asks.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/kernel_side.h"

namespace nz::live {
namespace {

constexpr uint32_t kSlot = 1;
constexpr const char* kLatency = "nearzero_syscall_duration_seconds";

std::string targets(const std::string& comm, bool syscalls) {
  return "targets: [{name: t, match: {comm: " + comm +
         "}, syscalls: " + (syscalls ? "true" : "false") + "}]\n";
}

// The links that a process holds; enter and exit are two of them.
int links_of(pid_t pid) {
  int n = 0;
  std::error_code gone;
  for (const auto& fd :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
    n += std::filesystem::read_symlink(fd.path(), gone) == "anon_inode:bpf_link" ? 1 : 0;
  }
  return n;
}

struct Case {
  const char* mode;
  const char* syscall;
  int threads;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.mode << c.threads; }

class Syscalls : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { agent = std::make_unique<Agent>(targets("nz-syscalls", true)); }
  static void TearDownTestSuite() { agent.reset(); }
  static std::unique_ptr<Agent> agent;
};
std::unique_ptr<Agent> Syscalls::agent;

TEST_P(Syscalls, EveryCallAndEveryErrorIsCounted) {
  const Case& c = GetParam();
  Workload workload("nz-syscalls",
                    {"--mode", c.mode, "--count", "25000", "--threads", std::to_string(c.threads)});
  ASSERT_TRUE(agent->has_member(workload.pid()));
  agent->settle();
  const auto before = agent->fetch();
  workload.go();
  ASSERT_EQ(workload.wait(), 0);
  agent->settle();
  const auto data = agent->fetch().since(before);
  const auto truth = workload.json();
  EXPECT_EQ(histogram_of(data, kLatency, {{"target", "t"}, {"syscall", c.syscall}}).count(),
            truth["calls"]);
  const double failed = value_of(data, "nearzero_syscall_errors_total",
                                 {{"target", "t"}, {"syscall", c.syscall}, {"errno", "ENOENT"}});
  EXPECT_EQ(failed, std::string(c.mode) == "open-enoent" ? truth["errors"].get<double>() : 0);
  EXPECT_EQ(
      value_of(data, "nearzero_syscall_errors_total", {{"target", "t"}, {"syscall", c.syscall}}),
      failed)
      << "no error but the one that was made";
}

INSTANTIATE_TEST_SUITE_P(Modes, Syscalls,
                         testing::Values(Case{"getppid", "getppid", 1},
                                         Case{"getppid", "getppid", 4}, Case{"read", "read", 1},
                                         Case{"read", "read", 4}, Case{"open-enoent", "openat", 1},
                                         Case{"open-enoent", "openat", 4}),
                         [](const auto& info) {
                           std::string name = info.param.mode + std::to_string(info.param.threads);
                           std::erase(name, '-');
                           return name;
                         });

TEST_F(Syscalls, OthersAreTaxedAndCountedButNotRecorded) {
  const auto before = agent->fetch();
  const pid_t other = fork();
  if (other == 0) {
    for (int i = 0; i < 20'000; i++) syscall(SYS_getsid, 0);
    _exit(0);
  }
  waitpid(other, nullptr, 0);
  agent->settle();
  const auto data = agent->fetch().since(before);
  EXPECT_GE(value_of(data, "nearzero_syscalls_untargeted_total", {}), 20'000);
  EXPECT_EQ(histogram_of(data, kLatency, {{"syscall", "getsid"}}).count(), 0U);
}

TEST(SyscallsReload, HooksStandOnlyWhileATargetAsks) {
  Agent agent(targets("nz-syscalls", false));
  const pid_t pid = agent.program().pid();
  const int others = links_of(pid);  // of the scheduler and of what follows processes
  EXPECT_GE(others, 4);
  const auto reload = [&](bool syscalls) {
    std::ifstream file(agent.config_file());
    std::string text;
    std::string line;
    while (std::getline(file, line)) {
      if (!line.starts_with("targets:")) text += line + "\n";
    }
    std::ofstream(agent.config_file()) << text << targets("nz-syscalls", syscalls);
    agent.program().signal(SIGHUP);
  };
  reload(true);
  EXPECT_TRUE(eventually([&] { return links_of(pid) == others + 2; }, 10));
  Workload first("nz-syscalls", {"--count", "1000"});
  ASSERT_TRUE(agent.has_member(first.pid()));
  first.go();
  ASSERT_EQ(first.wait(), 0);
  agent.settle();
  const auto counted = histogram_of(agent.fetch(), kLatency, {{"syscall", "getppid"}}).count();
  EXPECT_EQ(counted, 1000U);

  reload(false);
  EXPECT_TRUE(eventually([&] { return links_of(pid) == others; }, 10)) << "gone with the wish";
  agent.settle();
  const double untargeted = value_of(agent.fetch(), "nearzero_syscalls_untargeted_total", {});
  Workload second("nz-syscalls", {"--count", "1000"});
  ASSERT_TRUE(agent.has_member(second.pid()));
  second.go();
  ASSERT_EQ(second.wait(), 0);
  agent.settle();
  EXPECT_EQ(histogram_of(agent.fetch(), kLatency, {{"syscall", "getppid"}}).count(), counted);
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_syscalls_untargeted_total", {}), untargeted)
      << "nobody pays";
}

TEST(SyscallsLatency, ABlockingReadTakesAsLongAsTheProgramsClockSays) {
  Agent agent(targets("nz-offcpu", true));
  Workload workload("nz-offcpu", {"--mode", "pipe", "--count", "60", "--ms", "5"});
  ASSERT_TRUE(agent.has_member(workload.pid()));
  agent.settle();
  const auto before = agent.fetch();  // the loader reads libraries
  workload.go();
  ASSERT_EQ(workload.wait(), 0);
  agent.settle();
  const auto truth = workload.json();
  const auto read =
      histogram_of(agent.fetch().since(before), kLatency, {{"target", "t"}, {"syscall", "read"}});
  EXPECT_EQ(read.count(), 60U);
  const double mean = truth["ns_per_op"].get<double>() / 1e9;
  std::cout << "mean " << read.mean_seconds() * 1e6 << " us, own clock " << mean * 1e6 << " us\n";
  EXPECT_NEAR(read.mean_seconds(), mean, mean * 0.05 + 2e-6);
  EXPECT_GE(read.quantile(0.5), truth["min_ns"].get<double>() / 1e9 * 0.95 - 2e-6);
  EXPECT_LE(read.quantile(1), truth["max_ns"].get<double>() / 1e9 * 1.05 + 2e-6);
}

// A child that does what it is told, one byte at a time, so that every system call of it is known.
class Child {
 public:
  explicit Child(void (*work)()) {
    if (pipe(to_.data()) != 0 || pipe(from_.data()) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ != 0) return;
    char byte = 0;
    while (syscall(SYS_read, to_[0], &byte, 1) == 1 && byte == 'g') {
      work();
      syscall(SYS_write, from_[1], &byte, 1);
    }
    _exit(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    for (const int fd : {to_[0], to_[1], from_[0], from_[1]}) close(fd);
  }
  void run() const {
    usleep(50'000);  // it is back in its read
    char byte = 'g';
    ASSERT_EQ(write(to_[1], &byte, 1), 1);
    ASSERT_EQ(read(from_[0], &byte, 1), 1);
    usleep(50'000);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::array<int, 2> to_{}, from_{};
  pid_t pid_ = -1;
};

uint64_t recorded_calls(const KernelSide& kernel) {
  uint64_t n = 0;
  const auto& layout = kernel.object->layout();
  for (uint32_t i = 0; i < layout.max_syscalls; i++)
    n += kernel.drain->count(layout.syscall_base() + i);
  return n;
}

// Each return that is probed comes in by a system call of the kernel's own making.
TEST(SyscallsReturnProbes, AreNoSyscallsOfTheTarget) {
  Workload workload("nz-functions", {"--call", "nz_entry_push", "--count", "10000"});
  Agent agent(
      "targets:\n  - name: t\n    match: {pid: " + std::to_string(workload.pid()) +
      "}\n    syscalls: true\n    stages: [{name: f, function: nz_entry_push, nothrow: true}]\n");
  ASSERT_TRUE(agent.has_member(workload.pid()));
  workload.go();
  ASSERT_EQ(workload.wait(), 0);
  agent.settle();
  const auto data = agent.fetch();
  EXPECT_EQ(value_of(data, "nearzero_order_stage_completed_total", {{"target", "t"}}), 10000);
  EXPECT_EQ(histogram_of(data, kLatency, {{"target", "t"}, {"syscall", "uretprobe"}}).count(), 0U);
  EXPECT_GT(histogram_of(data, kLatency, {{"target", "t"}}).count(), 0U) << "its own are there";
  EXPECT_LT(value_of(data, "nearzero_drops_total", {{"cause", "exit_without_enter"}}), 10);
  EXPECT_EQ(agent.stop(), 0);
}

TEST(SyscallsExact, MoreSyscallsThanSeriesAreOneOtherAndCounted) {
  auto options = KernelSide::options();
  options.layout.max_syscalls = 4;
  KernelSide kernel(options);
  const Child child([] {
    for (int i = 0; i < 1000; i++) {
      for (const long nr : {SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid,
                            SYS_getegid, SYS_getpgrp}) {
        syscall(nr);
      }
    }
  });
  usleep(50'000);
  kernel.object->control().wants_syscalls[kSlot] = 1;
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(child.pid()), kSlot).has_value());
  kernel.attach({"nz_sched_switch", "nz_sys_exit", "nz_sys_enter"});
  child.run();
  // Generated while attached: the end of the read in which it stood (no beginning: dropped), 7 x
  // 1,000 calls and a write; the read that it stands in now has not ended.
  EXPECT_EQ(kernel.dropped(NZ_DROP_SYSCALL_NO_ENTER), 1U);
  EXPECT_EQ(recorded_calls(kernel), 7001U);
  const auto base = kernel.object->layout().syscall_base();
  EXPECT_EQ(
      kernel.drain->count(base + 1) + kernel.drain->count(base + 2) + kernel.drain->count(base + 3),
      3000U);
  EXPECT_EQ(kernel.drain->count(base), 4001U) << "other";
  EXPECT_EQ(kernel.dropped(NZ_DROP_SYSCALL_OTHER), 4001U);
}

TEST(SyscallsExact, ChildrenReturnFromAForkTheyNeverEntered) {
  constexpr int kForks = 300;
  KernelSide kernel;
  const Child child([] {
    for (int i = 0; i < kForks; i++) {
      const auto pid = static_cast<pid_t>(syscall(SYS_fork));
      if (pid == 0) syscall(SYS_exit_group, 0);
      syscall(SYS_wait4, pid, nullptr, 0, nullptr);
    }
  });
  usleep(50'000);
  kernel.object->control().wants_syscalls[kSlot] = 1;
  kernel.object->control().follow_forks[kSlot] = 1;
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(child.pid()), kSlot).has_value());
  kernel.attach(
      {"nz_fork", "nz_exec", "nz_exit", "nz_sched_switch", "nz_sys_exit", "nz_sys_enter"});
  child.run();
  EXPECT_EQ(kernel.dropped(NZ_DROP_SYSCALL_NO_ENTER), 1U + kForks);
  EXPECT_EQ(recorded_calls(kernel), 2U * kForks + 1) << "fork, wait4, and the write at the end";
}

TEST(SyscallsExact, AStartFromAnEarlierAttachIsVoid) {
  KernelSide kernel;
  const Child child([] { syscall(SYS_getpid); });
  usleep(50'000);
  kernel.object->control().wants_syscalls[kSlot] = 1;
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(child.pid()), kSlot).has_value());
  kernel.attach({"nz_sched_switch", "nz_sys_exit", "nz_sys_enter"});
  child.run();  // it stands in a read whose start was seen
  EXPECT_EQ(recorded_calls(kernel), 2U);
  kernel.detach();
  child.run();  // that read ends unseen, and another begins
  kernel.object->control().syscalls_since = monotonic_ns();  // as the probe does at each attach
  kernel.attach({"nz_sched_switch", "nz_sys_exit", "nz_sys_enter"});
  child.run();
  EXPECT_EQ(kernel.dropped(NZ_DROP_SYSCALL_NO_ENTER), 2U);
  EXPECT_EQ(recorded_calls(kernel), 4U) << "the read that began while detached has no duration";
  const auto longest = kernel.drain->histogram(kernel.object->layout().syscall_base() + 1);
  ASSERT_NE(longest, nullptr);
  EXPECT_LT(longest->sum_ns, 50'000'000U);
}

TEST(SyscallsExact, ATargetThatStopsAskingLeavesNoStartBehind) {
  KernelSide kernel;
  const Child child([] { syscall(SYS_getpid); });
  usleep(50'000);
  kernel.object->control().wants_syscalls[kSlot] = 1;
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(child.pid()), kSlot).has_value());
  kernel.attach({"nz_sched_switch", "nz_sys_exit", "nz_sys_enter"});
  child.run();
  kernel.object->control().wants_syscalls[kSlot] = 0;
  const uint64_t untargeted = kernel.drain->counters().syscalls_other;
  child.run();
  EXPECT_GE(kernel.drain->counters().syscalls_other, untargeted + 3)
      << "taxed: getpid, write, read";
  kernel.object->control().wants_syscalls[kSlot] = 1;
  child.run();
  EXPECT_EQ(kernel.dropped(NZ_DROP_SYSCALL_NO_ENTER), 2U);
  EXPECT_EQ(recorded_calls(kernel), 4U);
}

}  // namespace
}  // namespace nz::live
