// Stalls for memory by target and why, against perf's count of the same tracepoints and against
// /proc/vmstat.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

/// A control group with a limit on memory, version 1 or 2.
class LimitedGroup {
 public:
  explicit LimitedGroup(uint64_t bytes) {
    const bool v1 = std::filesystem::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    if (!v1) std::ofstream("/sys/fs/cgroup/cgroup.subtree_control") << "+memory";
    folder_ = std::string(v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup") + "/nearzero-test-" +
              std::to_string(getpid());
    std::filesystem::create_directory(folder_);
    std::ofstream limit(folder_ + (v1 ? "/memory.limit_in_bytes" : "/memory.max"));
    limit << bytes << std::flush;
    EXPECT_TRUE(limit.good()) << folder_;
  }
  LimitedGroup(const LimitedGroup&) = delete;
  LimitedGroup& operator=(const LimitedGroup&) = delete;
  ~LimitedGroup() { std::filesystem::remove(folder_); }

  [[nodiscard]] std::string processes() const { return folder_ + "/cgroup.procs"; }

 private:
  std::string folder_;
};

// Sum of the counters of /proc/vmstat whose names begin so.
uint64_t vmstat(const std::string& name) {
  std::ifstream file("/proc/vmstat");
  std::string key;
  uint64_t value = 0;
  uint64_t sum = 0;
  while (file >> key >> value) sum += key.starts_with(name) ? value : 0;
  return sum;
}

// After the signal: enters the group, then reads a file of 192 MB (`read`), or takes 128 MB of
// memory
// (`take`); or has the kernel compact all memory (`compact`).
constexpr const char* kWants = R"(
import os, signal, sys
what, group, path = sys.argv[1:4]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
print("ready", file=sys.stderr, flush=True)
signal.sigwait({signal.SIGUSR2})
if group: open(group, "w").write(str(os.getpid()))
if what == "read":
    fd = os.open(path, os.O_RDONLY)
    while os.read(fd, 1 << 20): pass
elif what == "take":
    kept = bytearray(128 << 20)
    for i in range(0, len(kept), 4096): kept[i] = 1
else:
    open("/proc/sys/vm/compact_memory", "w").write("1")
)";

class Reclaim : public testing::Test {
 protected:
  // Runs the program as a target; its exit code. `event` is counted by perf meanwhile.
  int run(const char* what, const std::string& group, const std::string& file, const char* event) {
    Program wants({"/usr/bin/python3", "-c", kWants, what, group, file});
    EXPECT_TRUE(wants.wait_for_text("ready", 20)) << wants.err();
    agent_ = std::make_unique<Agent>("host: true\ntargets:\n  - name: hungry\n    match: {pid: " +
                                     std::to_string(wants.pid()) + "}\n");
    EXPECT_TRUE(agent_->has_member(wants.pid()));
    stalls_before_ = vmstat("allocstall");
    kills_before_ = vmstat("oom_kill");
    Program perf(
        {"/usr/bin/perf", "stat", "-x", ",", "-e", event, "-p", std::to_string(wants.pid())});
    sleep_seconds(1);
    EXPECT_TRUE(perf.running()) << perf.err();
    wants.signal(SIGUSR2);
    const int code = wants.wait(120);
    EXPECT_EQ(perf.wait(10), 0) << perf.err();  // ends with its process
    std::istringstream(perf.err()) >> truth_;
    agent_->settle();
    data_ = agent_->fetch();
    stalls_ = vmstat("allocstall") - stalls_before_;
    kills_ = vmstat("oom_kill") - kills_before_;
    return code;
  }
  [[nodiscard]] analysis::Histogram stalls(const char* target, const char* kind) const {
    return histogram_of(data_, "nearzero_reclaim_stall_seconds",
                        {{"target", target}, {"kind", kind}});
  }
  [[nodiscard]] double value(const char* family, const char* target) const {
    return value_of(data_, family, {{"target", target}});
  }

  std::unique_ptr<Agent> agent_;
  cli::LiveData data_;
  uint64_t truth_ = 0;  // of perf
  uint64_t stalls_before_ = 0, stalls_ = 0, kills_before_ = 0, kills_ = 0;
};

TEST_F(Reclaim, AtTheLimitOfItsGroupATargetIsStalled) {
  const LimitedGroup group(48 << 20);
  const std::string file = temporary_file("large", "");
  std::filesystem::resize_file(file, 192 << 20);
  EXPECT_EQ(run("read", group.processes(), file, "vmscan:mm_vmscan_memcg_reclaim_begin"), 0);
  const auto stalled = stalls("hungry", "cgroup");
  EXPECT_GT(truth_, 20U);
  EXPECT_EQ(stalled.count(), truth_);
  EXPECT_GT(stalled.sum_ns, 0U);
  EXPECT_EQ(stalls("host", "host").count(), stalls_)
      << "the host has memory, and /proc/vmstat agrees";
  EXPECT_EQ(value("nearzero_oom_kills_total", "hungry"), 0);
  EXPECT_EQ(value_of(data_, "nearzero_reclaim_incomplete_total", {}), 0);
}

TEST_F(Reclaim, WhomTheKernelKillsIsCountedForItsTarget) {
  const LimitedGroup group(32 << 20);
  EXPECT_EQ(run("take", group.processes(), "", "vmscan:mm_vmscan_memcg_reclaim_begin"),
            128 + SIGKILL);
  EXPECT_EQ(kills_, 1U);
  EXPECT_EQ(value("nearzero_oom_kills_total", "hungry"), 1);
  EXPECT_EQ(value("nearzero_oom_kills_total", "host"), 1);
}

TEST_F(Reclaim, CompactionThatAThreadDoesItselfIsAStall) {
  EXPECT_EQ(run("compact", "", "", "compaction:mm_compaction_begin"), 0);
  EXPECT_GT(truth_, 0U) << "once for each zone";
  EXPECT_EQ(stalls("hungry", "compaction").count(), truth_);
}

}  // namespace
}  // namespace nz::live
