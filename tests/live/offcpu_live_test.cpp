// Off-CPU time by reason: each mode of nz-offcpu blocks for one known reason and times itself.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

struct Case {
  const char* mode;
  const char* reason;
  int count;
  const char*
      syscall;  // in which every wait happens and nothing else does; nullptr: futex, or a fault
  bool disk;    // lasts what the disk takes
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.mode; }

class OffCpu : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    agent = std::make_unique<Agent>("targets: [{name: t, match: {comm: nz-offcpu}}]\n");
  }
  static void TearDownTestSuite() { agent.reset(); }
  static std::unique_ptr<Agent> agent;
};
std::unique_ptr<Agent> OffCpu::agent;

constexpr const char* kReasons[] = {"lock",  "idle",       "disk", "network",
                                    "sleep", "page_fault", "ipc",  "other"};

TEST_P(OffCpu, TheRightReasonGetsTheTimeAndTheCount) {
  const Case& c = GetParam();
  Workload workload("nz-offcpu",
                    {"--mode", c.mode, "--count", std::to_string(c.count), "--ms", "8"});
  ASSERT_TRUE(agent->has_member(workload.pid()));
  agent->settle();
  const auto before = agent->fetch();
  workload.go();
  ASSERT_EQ(workload.wait(), 0) << workload.err();
  agent->settle();
  const auto data = agent->fetch().since(before);
  const auto truth = workload.json();
  const double blocked = truth["blocked_ns"];
  const uint64_t shortest = truth["min_ns"];
  const auto in_syscall = [&](const char* family, const char* name) {
    return value_of(data, family, {{"target", "t"}, {"syscall", name}});
  };
  // The wait for the signal to begin is idle time of the workload, not of the mode.
  const double before_begin =
      in_syscall("nearzero_blocked_syscall_seconds_total", "rt_sigtimedwait") * 1e9;

  double other_reasons = 0;
  analysis::Histogram right;
  double right_ns = 0;
  for (const char* reason : kReasons) {
    const auto h =
        histogram_of(data, "nearzero_offcpu_seconds", {{"target", "t"}, {"reason", reason}});
    if (h.count() != 0)
      std::cout << reason << " " << h.count() << " x " << static_cast<double>(h.sum_ns) / 1e6
                << " ms; ";
    const bool is = std::strcmp(reason, c.reason) == 0;
    const bool helpers_delay =
        std::strcmp(reason, "sleep") == 0 && !is;  // the other thread sleeps it away
    const double ns =
        static_cast<double>(h.sum_ns) - (std::strcmp(reason, "idle") == 0 ? before_begin : 0);
    if (is) {
      right = h;
      right_ns = ns;
    } else if (!helpers_delay) {
      other_reasons += ns;
    }
  }
  const auto waited = histogram_of(data, "nearzero_runqueue_latency_seconds", {{"target", "t"}});
  std::cout << "before " << before_begin / 1e6 << " ms, run queue "
            << static_cast<double>(waited.sum_ns) / 1e6 << " ms; truth " << c.count << " x, "
            << blocked / 1e6 << " ms\n";

  if (std::strcmp(c.mode, "pagefault") == 0) {
    // Reading may be over before the thread looks: then it never blocks. Laying the file out is
    // disk.
    EXPECT_GE(right.count(), 1U);
    EXPECT_LE(right.count(), static_cast<uint64_t>(c.count) + 5);
    EXPECT_LE(right_ns, blocked);
    return;
  }
  EXPECT_GE(right_ns, 0.9 * (right_ns + other_reasons)) << "the right reason";
  // Blocked ends where the wait for a CPU begins, which the program's clock cannot tell apart.
  EXPECT_GE(right_ns + static_cast<double>(waited.sum_ns), blocked * (c.disk ? 0.5 : 0.98));
  // Where a lock is handed over, the thread that holds it waits for it in its turn, and longer the
  // busier the host: its time is under the same reason, and not in the program's own figure.
  const bool lock = std::strcmp(c.reason, "lock") == 0;
  // Laying the file out is disk, too, as is the program's own text where it is not in the cache.
  EXPECT_LE(right_ns, blocked * (c.disk ? 4 : lock ? 2 : 1.25) + (c.disk ? 10e6 : 2e6));
  if (c.disk) {
    EXPECT_GE(right.count(), static_cast<uint64_t>(c.count) * 9 / 10)
        << "one call may block more than once";
  } else if (c.syscall != nullptr) {
    EXPECT_NEAR(in_syscall("nearzero_blocked_syscalls_total", c.syscall), c.count, 1);
  } else {
    // The program's own semaphores are futexes too, but their waits are short.
    uint64_t whole_waits = 0;
    for (size_t i = analysis::bucket_index(shortest * 3 / 4) + 1; i < NZ_BUCKETS; i++)
      whole_waits += right.buckets[i];
    EXPECT_GE(whole_waits, static_cast<uint64_t>(c.count) - 1);
    EXPECT_LE(right.count(), static_cast<uint64_t>(c.count) * 2 + 4);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, OffCpu,
                         testing::Values(Case{"mutex", "lock", 50, nullptr, false},
                                         Case{"futex", "lock", 50, nullptr, false},
                                         Case{"flock", "lock", 50, "flock", false},
                                         Case{"condvar", "idle", 50, nullptr, false},
                                         Case{"epoll", "idle", 50, "epoll_wait", false},
                                         Case{"poll", "idle", 50, "poll", false},
                                         Case{"nanosleep", "sleep", 50, "clock_nanosleep", false},
                                         Case{"tcp", "network", 50, "read", false},
                                         Case{"unix", "network", 50, "read", false},
                                         Case{"pipe", "ipc", 50, "read", false},
                                         Case{"fdatasync", "disk", 50, "fdatasync", true},
                                         Case{"direct-read", "disk", 100, "pread64", true},
                                         Case{"pagefault", "page_fault", 100, nullptr, true}),
                         [](const auto& info) {
                           std::string name = info.param.mode;
                           std::erase(name, '-');
                           return name;
                         });

TEST_F(OffCpu, BlockedSyscallsAreNamed) {
  Workload workload("nz-offcpu", {"--mode", "tcp", "--count", "40", "--ms", "5"});
  ASSERT_TRUE(agent->has_member(workload.pid()));
  agent->settle();
  const auto before = agent->fetch();
  workload.go();
  ASSERT_EQ(workload.wait(), 0);
  agent->settle();
  const auto data = agent->fetch().since(before);
  EXPECT_NEAR(
      value_of(data, "nearzero_blocked_syscalls_total", {{"target", "t"}, {"syscall", "read"}}), 40,
      1);
  const double blocked = workload.json()["blocked_ns"];
  EXPECT_NEAR(value_of(data, "nearzero_blocked_syscall_seconds_total",
                       {{"target", "t"}, {"syscall", "read"}}),
              blocked / 1e9, blocked / 1e9 * 0.1);
  EXPECT_NEAR(value_of(data, "nearzero_blocked_syscalls_total",
                       {{"target", "t"}, {"syscall", "clock_nanosleep"}}),
              40, 1);
}

}  // namespace
}  // namespace nz::live
