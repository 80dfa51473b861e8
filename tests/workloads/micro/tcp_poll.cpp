// Reads in vain from a TCP connection that says nothing: what a call pays that moves nothing. In
// bursts with pauses between them, because the agent gives up on bytes where such calls are too
// many a second (probes/tcp), and a loop without pause makes more.

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "tests/workloads/common/sockets.h"
#include "tests/workloads/common/workload.h"

int main(int argc, char** argv) {
  using namespace nz::workload;
  // So many that what a pause does to the caches does not show.
  constexpr uint64_t kBurst = 2'000;
  uint64_t count = 50'000;
  uint64_t rate = 12'500;
  Program program("nz-tcp-poll: non-blocking reads of a TCP connection on which nothing comes",
                  "  nz-tcp-poll --count 50000 --rate 12500\n  nz-tcp-poll --rate 0 --wait");
  program.option("--count", count, "Calls")
      .option("--rate", rate, "Calls a second at most; 0: no pauses");
  program.parse(argc, argv);
  program.start();

  const auto ends = tcp_pair();
  must(fcntl(ends[0], F_SETFL, O_NONBLOCK), "O_NONBLOCK");
  char byte = 0;
  uint64_t failed = 0;
  std::vector<double> per_call;
  const uint64_t begin = now_ns();
  for (uint64_t done = 0; done < count;) {
    const uint64_t size = std::min(kBurst, count - done);
    per_call.push_back(median_ns_per_op(
        size, [&] { failed += recv(ends[0], &byte, 1, 0) != -1 || errno != EAGAIN; }, 1));
    done += size;
    if (rate != 0) sleep_ns(size * 1'000'000'000u / rate);
  }
  const double seconds = static_cast<double>(now_ns() - begin) * 1e-9;
  for (const int end : ends) close(end);
  return program.finish({{"program", "nz-tcp-poll"},
                         {"calls", count},
                         {"failed", failed},
                         {"calls_per_second", static_cast<double>(count) / seconds},
                         {"ns_per_call", median(per_call)}});
}
