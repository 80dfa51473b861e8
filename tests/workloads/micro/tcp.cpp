// A byte goes to and fro on a connection over loopback: two segments in and two reads a round trip.

#include "tests/workloads/common/sockets.h"
#include "tests/workloads/common/workload.h"

int main(int argc, char** argv) {
  using namespace nz::workload;
  uint64_t count = 100'000;
  Program program("nz-tcp: a byte to and fro over loopback, by one thread",
                  "  nz-tcp --count 200000\n  nz-tcp --wait");
  program.option("--count", count, "Round trips");
  program.parse(argc, argv);
  program.start();

  // One thread, which never waits: loopback delivers within send().
  const auto ends = tcp_pair();
  const int asks = ends[0], answers = ends[1];
  char byte = 0;
  uint64_t failed = 0;
  const double per_trip = median_ns_per_op(count, [&] {
    failed += send(asks, &byte, 1, 0) != 1 || recv(answers, &byte, 1, 0) != 1;
    failed += send(answers, &byte, 1, 0) != 1 || recv(asks, &byte, 1, 0) != 1;
  });
  close(asks);
  close(answers);
  return program.finish({{"program", "nz-tcp"},
                         {"round_trips", count},
                         {"failed", failed},
                         {"ns_per_round_trip", per_trip}});
}
