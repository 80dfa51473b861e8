// `nearzero trace` beside libbpf-tools and perf in one run of a workload that begins after both
// have attached and ends before either detaches: counts are equal, histograms lie within one of
// their buckets.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <map>
#include <sstream>

#include "tests/live/harness/trace.h"

namespace nz::live {
namespace {

using nlohmann::json;

// "  256 -> 511  : 12  |***|": count by the exponent of the upper bound.
std::map<int, uint64_t> picture_of(const std::string& text) {
  std::map<int, uint64_t> counts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    uint64_t low = 0;
    uint64_t high = 0;
    uint64_t count = 0;
    if (std::sscanf(line.c_str(), " %lu -> %lu : %lu", &low, &high, &count) == 3 && count != 0)
      counts[static_cast<int>(std::lround(std::log2(static_cast<double>(high + 1))))] += count;
  }
  return counts;
}

uint64_t sum_of(const std::map<int, uint64_t>& counts) {
  uint64_t sum = 0;
  for (const auto& [exponent, count] : counts) sum += count;
  return sum;
}

// As many at most 2^e ns for the one as at most 2^(e + 1) ns for the other: they differ by less
// than an octave. But for a few calls that were preempted between the two tools' probes.
void expect_same_shape(const std::map<int, uint64_t>& theirs, const json& row) {
  constexpr uint64_t kPreempted = 20;  // 1 % of the calls; an octave off would be most of them
  const auto ours_up_to = [&row](int exponent) {
    uint64_t sum = 0;
    for (const json& bucket : row["buckets"])
      if (bucket[0].is_number() && bucket[0].get<double>() <= std::exp2(exponent) / 1e9)
        sum += bucket[1].get<uint64_t>();
    return sum;
  };
  const auto theirs_up_to = [&theirs](int exponent) {
    uint64_t sum = 0;
    for (const auto& [e, count] : theirs) sum += e <= exponent ? count : 0;
    return sum;
  };
  for (int e = 0; e < 40; e++) {
    EXPECT_GE(ours_up_to(e + 1) + kPreempted, theirs_up_to(e)) << "2^" << e << " ns " << row;
    EXPECT_GE(theirs_up_to(e + 1) + kPreempted, ours_up_to(e)) << "2^" << e << " ns " << row;
  }
}

// A tool that attaches, and prints when it is interrupted.
class Peer {
 public:
  explicit Peer(std::vector<std::string> arguments) : program_(std::move(arguments)) {
    sleep_seconds(1.2);  // none of them says when it has attached
    EXPECT_TRUE(program_.running()) << program_.err();
  }
  std::string end() {
    program_.signal(SIGINT);
    program_.wait(20);
    return program_.out() + program_.err();
  }

 private:
  Program program_;
};

TEST(Peers, FunclatencyCountsTheSameCallsInTheSameBuckets) {
  Workload workload("nz-functions", {"--call", "nz_spin", "--spin-ns", "90000", "--count", "2000"});
  const std::string pid = std::to_string(workload.pid());
  Trace trace({"func::nz_spin", "-p", pid});
  Peer peer({"/usr/sbin/funclatency", "-p", pid, ":nz_spin"});
  workload.go();
  ASSERT_EQ(workload.wait(60), 0);
  const auto theirs = picture_of(peer.end());
  const json row = row_of(trace.end(), "func", "nz_spin");
  ASSERT_EQ(sum_of(theirs), 2000U);
  ASSERT_EQ(count_of(row), 2000U) << row;
  expect_same_shape(theirs, row);
}

TEST(Peers, SyscountAndPerfCountTheSameSystemCalls) {
  Workload workload("nz-syscalls", {"--mode", "getppid", "--count", "20000"});
  const std::string pid = std::to_string(workload.pid());
  Trace trace({"syscalls", "-p", pid});
  Peer syscount({"/usr/sbin/syscount", "-L", "-p", pid});
  Peer perf({"/usr/bin/perf", "stat", "-x", ",", "-e", "syscalls:sys_enter_getppid", "-p", pid});
  workload.go();
  ASSERT_EQ(workload.wait(60), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "syscalls", "getppid")), 20000U);
  const std::string counted = syscount.end();
  std::istringstream lines(counted);
  uint64_t theirs = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("getppid")) theirs = std::stoull(line.substr(7));
  EXPECT_EQ(theirs, 20000U) << counted;
  const std::string stat = perf.end();
  EXPECT_TRUE(stat.starts_with("20000,")) << stat;
}

}  // namespace
}  // namespace nz::live
