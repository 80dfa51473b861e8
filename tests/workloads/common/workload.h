// What all workload programs share: options, "wait until a profiler is attached", one JSON line.
//
// A workload is a thing to be measured, so nothing here runs during the measured part.
#pragma once

#include <time.h>

#include <algorithm>
#include <barrier>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace nz::workload {

inline uint64_t now_ns() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<uint64_t>(ts.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(ts.tv_nsec);
}

// CPU time of the calling thread: what a loop costs without what others take from it.
inline uint64_t thread_cpu_ns() {
  timespec ts{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return static_cast<uint64_t>(ts.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(ts.tv_nsec);
}

// Sleeps at least this long; a signal does not shorten it.
void sleep_ns(uint64_t ns);

// Pins the calling thread. Returns false where the CPU does not exist or is not allowed.
bool pin_to_cpu(int cpu);

template <typename T>
T median(std::vector<T> values) {
  if (values.empty()) return T{};
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// One program: its options (those given here plus --wait and --linger) and its life.
//   Program p("what it does", "examples"); p.option(...); p.parse(argc, argv);
//   p.start();  ... measured work ...  return p.finish(json);
class Program {
 public:
  Program(const std::string& description, const std::string& examples);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Program& option(const std::string& flags, uint64_t& value, const std::string& help);
  Program& option(const std::string& flags, double& value, const std::string& help);
  Program& option(const std::string& flags, std::string& value, const std::string& help);
  Program& flag(const std::string& flags, bool& value, const std::string& help);
  Program& choice(const std::string& flags, std::string& value, std::vector<std::string> allowed,
                  const std::string& help);

  // Exits the process after --help (0) or a usage error (non-zero). Blocks SIGUSR2, therefore call
  // it before any thread starts.
  void parse(int argc, char** argv);

  // With --wait: prints "ready pid=N" to stderr and returns when SIGUSR2 arrives.
  void start();

  // Prints the report as one line on stdout, stays alive for --linger, returns exit code 0.
  int finish(const nlohmann::json& report);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Prints "ready pid=N" and waits for SIGUSR2, which must be blocked.
void wait_for_sigusr2();

// Whether SIGUSR2, which must be blocked, came since it was asked last.
bool sigusr2_came();

// Runs body(index) on `threads` threads that all exist before the first begins.
template <typename Body>
void run_threads(uint64_t threads, Body body) {
  std::barrier gate(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::jthread> pool;
  for (uint64_t i = 0; i < threads; ++i) {
    pool.emplace_back([&gate, &body, i] {
      gate.arrive_and_wait();
      body(i);
    });
  }
}

// Runs op() exactly `count` times in up to `batches` batches and returns the median nanoseconds
// per operation: a batch that was interrupted does not move the median.
template <typename Op>
double median_ns_per_op(uint64_t count, Op op, uint64_t batches = 25) {
  std::vector<double> per_op;
  uint64_t done = 0;
  for (uint64_t b = 0; b < batches && done < count; ++b) {
    uint64_t size = (count - done) / (batches - b);
    if (size == 0) size = 1;
    const uint64_t begin = now_ns();
    for (uint64_t i = 0; i < size; ++i) op();
    per_op.push_back(static_cast<double>(now_ns() - begin) / static_cast<double>(size));
    done += size;
  }
  return median(std::move(per_op));
}

}  // namespace nz::workload
