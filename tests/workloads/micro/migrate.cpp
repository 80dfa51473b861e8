// More threads than CPUs that burn, sleep and are moved between CPUs; prints what the kernel says
// about each of them (schedstat), to hold a profiler's run-queue wait and on-CPU time against.

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "tests/workloads/common/workload.h"

namespace {

struct ThreadStat {
  pid_t tid = 0;
  uint64_t run_ns = 0, wait_ns = 0, slices = 0;
  uint64_t migrations = 0;
  long voluntary = 0, involuntary = 0;
};

ThreadStat read_stat() {
  ThreadStat stat;
  stat.tid = gettid();
  std::ifstream file("/proc/self/task/" + std::to_string(stat.tid) + "/schedstat");
  file >> stat.run_ns >> stat.wait_ns >> stat.slices;
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  stat.voluntary = usage.ru_nvcsw;
  stat.involuntary = usage.ru_nivcsw;
  return stat;
}

void burn(uint64_t ns) {
  const uint64_t end = nz::workload::thread_cpu_ns() + ns;
  while (nz::workload::thread_cpu_ns() < end) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace nz::workload;
  const unsigned cpus = std::max(1u, std::thread::hardware_concurrency());
  uint64_t threads = uint64_t{3} * cpus, count = 100, burn_us = 1000, sleep_us = 500;
  Program program("nz-migrate: threads that burn, sleep and change CPU",
                  "  nz-migrate --threads 8 --count 500 --burn-us 2000");
  program.option("--threads", threads, "Threads")
      .option("--count", count, "Rounds of burn, move, sleep per thread")
      .option("--burn-us", burn_us, "CPU time per round")
      .option("--sleep-us", sleep_us, "Sleep per round");
  program.parse(argc, argv);
  program.start();

  std::vector<ThreadStat> stats(threads);
  const uint64_t begin = now_ns();
  run_threads(threads, [&](uint64_t i) {
    uint64_t moves = 0;
    for (uint64_t n = 0; n < count; ++n) {
      burn(burn_us * 1000);
      moves += pin_to_cpu(static_cast<int>((i + n) % cpus));
      if (sleep_us > 0) sleep_ns(sleep_us * 1000);
    }
    stats[i] = read_stat();
    stats[i].migrations = moves;
  });
  const uint64_t wall_ns = now_ns() - begin;
  nlohmann::json per_thread = nlohmann::json::array();
  uint64_t run_ns = 0, wait_ns = 0;
  for (const ThreadStat& s : stats) {
    per_thread.push_back({{"tid", s.tid},
                          {"run_ns", s.run_ns},
                          {"wait_ns", s.wait_ns},
                          {"slices", s.slices},
                          {"affinity_changes", s.migrations},
                          {"voluntary_switches", s.voluntary},
                          {"involuntary_switches", s.involuntary}});
    run_ns += s.run_ns;
    wait_ns += s.wait_ns;
  }
  return program.finish(
      {{"program", "nz-migrate"},
       {"threads", per_thread},
       {"rounds", count * threads},
       {"run_ns", run_ns},
       {"wait_ns", wait_ns},
       {"ns_per_round", static_cast<double>(wall_ns) / static_cast<double>(count)}});
}
