// `nearzero trace` beside bpftrace in one run: counts are equal, quantiles lie within one bucket of
// those of the nanoseconds that bpftrace prints one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

using nlohmann::json;

// Durations that a bpftrace program prints, a line each.
class Durations {
 public:
  explicit Durations(const std::string& program)
      : program_({"/usr/bin/bpftrace", "-B", "line", "-e",
                  "BEGIN { printf(\"attached\\n\"); } " + program}) {
    EXPECT_TRUE(
        eventually([this] { return program_.out().find("attached") != std::string::npos; }, 20))
        << program_.err();
  }
  std::vector<double> end() {
    program_.signal(SIGINT);
    EXPECT_EQ(program_.wait(30), 0) << program_.err();
    std::vector<double> seconds;
    std::istringstream lines(program_.out());
    std::string line;
    while (std::getline(lines, line)) {
      if (!line.empty() && std::all_of(line.begin(), line.end(), ::isdigit))
        seconds.push_back(std::stod(line) / 1e9);
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds;
  }

 private:
  Program program_;
};

double quantile(const std::vector<double>& sorted, double q) {
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

// The trace of `arguments` and bpftrace's `program` around one run of the workload.
void compare(Workload& workload, std::vector<std::string> arguments, const std::string& program,
             const std::string& what) {
  arguments.insert(arguments.begin(), {NZ_AGENT, "trace", "-f", "json", "--yes"});
  Durations peer(program);
  Program trace(arguments);
  ASSERT_TRUE(eventually([] { return anything_loaded(); }, 10)) << trace.err();
  sleep_seconds(0.7);
  workload.go();
  ASSERT_EQ(workload.wait(60), 0);
  trace.signal(SIGINT);
  ASSERT_EQ(trace.wait(20), 0) << trace.err();
  const std::vector<double> theirs = peer.end();
  json ours;
  for (const json& interval : json_lines(trace.out())) {
    for (const json& row : interval["rows"]) {
      if (row["what"] == what) ours = row;
    }
  }
  ASSERT_FALSE(ours.is_null()) << trace.out();
  ASSERT_EQ(ours["count"].get<uint64_t>(), theirs.size());
  const double bucket = std::exp2(1.0 / 8);
  for (const auto& [name, q] :
       {std::pair{"p50", 0.5}, std::pair{"p90", 0.9}, std::pair{"p99", 0.99}}) {
    const double mine = ours["quantiles"][name];
    const double real = quantile(theirs, q);
    // One bucket, and what one of the two probes adds inside the other's measurement (some us).
    EXPECT_LT(mine, real * bucket + 20e-6) << name << ": " << real;
    EXPECT_GT(mine, real / bucket - 20e-6) << name << ": " << real;
  }
}

TEST(Agreement, OfAFunctionsDurations) {
  Workload workload("nz-functions",
                    {"--call", "nz_spin", "--spin-ns", "300000", "--count", "2000"});
  const std::string binary = std::string(NZ_WORKLOADS) + "/nz-functions";
  compare(workload, {"func:" + binary + ":nz_spin", "-p", std::to_string(workload.pid())},
          "uprobe:" + binary + ":nz_spin { @s[tid] = nsecs; } uretprobe:" + binary +
              ":nz_spin /@s[tid]/ { printf(\"%llu\\n\", nsecs - @s[tid]); delete(@s[tid]); }",
          "nz_spin");
}

TEST(Agreement, OfASystemCallsDurations) {
  Workload workload("nz-offcpu", {"--mode", "nanosleep", "--count", "300", "--ms", "3"});
  const std::string pid = std::to_string(workload.pid());
  compare(workload, {"syscalls", "-p", pid},
          "tracepoint:syscalls:sys_enter_clock_nanosleep /pid == " + pid +
              "/ { @s[tid] = nsecs; } tracepoint:syscalls:sys_exit_clock_nanosleep /@s[tid]/ { "
              "printf(\"%llu\\n\", nsecs - @s[tid]); delete(@s[tid]); }",
          "clock_nanosleep");
}

}  // namespace
}  // namespace nz::live
