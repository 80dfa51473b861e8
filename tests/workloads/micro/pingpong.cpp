// Two threads on one CPU that wake each other through pipes: each round trip is two switches.

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "tests/workloads/common/workload.h"

namespace {

void pass(int fd_in, int fd_out, bool first) {
  char token = 0;
  if (first && write(fd_out, &token, 1) != 1) throw std::runtime_error("write");
  if (read(fd_in, &token, 1) != 1) throw std::runtime_error("read");
  if (!first && write(fd_out, &token, 1) != 1) throw std::runtime_error("write");
}

struct Switches {
  long voluntary = 0, involuntary = 0;
};

Switches thread_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {usage.ru_nvcsw, usage.ru_nivcsw};
}

}  // namespace

int main(int argc, char** argv) {
  using namespace nz::workload;
  uint64_t count = 100'000;
  uint64_t cpu = 0;
  Program program("nz-pingpong: context switches between two threads on one CPU",
                  "  nz-pingpong --count 200000 --cpu 1\n  nz-pingpong --wait");
  program.option("--count", count, "Round trips").option("--cpu", cpu, "CPU of both threads");
  program.parse(argc, argv);
  program.start();

  std::array<int, 2> ping{}, pong{};
  if (pipe(ping.data()) != 0 || pipe(pong.data()) != 0) return 1;
  double per_trip = 0;
  std::array<Switches, 2> switches{};
  run_threads(2, [&](uint64_t i) {
    pin_to_cpu(static_cast<int>(cpu));
    const Switches before = thread_switches();
    if (i == 0) {
      per_trip = median_ns_per_op(count, [&] { pass(pong[0], ping[1], true); });
    } else {
      for (uint64_t n = 0; n < count; ++n) pass(ping[0], pong[1], false);
    }
    const Switches after = thread_switches();
    switches[i] = {after.voluntary - before.voluntary, after.involuntary - before.involuntary};
  });
  return program.finish(
      {{"program", "nz-pingpong"},
       {"round_trips", count},
       {"ns_per_round_trip", per_trip},
       {"voluntary_switches", switches[0].voluntary + switches[1].voluntary},
       {"involuntary_switches", switches[0].involuntary + switches[1].involuntary}});
}
