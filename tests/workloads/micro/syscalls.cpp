// Tight loops of one syscall: what tracing enter and exit adds.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "tests/workloads/common/workload.h"

int main(int argc, char** argv) {
  using namespace nz::workload;
  std::string mode = "getppid";
  uint64_t count = 1'000'000;
  uint64_t threads = 1;
  Program program("nz-syscalls: loops of one syscall",
                  "  nz-syscalls --mode read --count 100000 --threads 2\n"
                  "  nz-syscalls --mode open-enoent");
  program
      .choice("--mode", mode, {"getppid", "read", "open-enoent"},
              "getppid, 1-byte read of /dev/zero, open of a missing file")
      .option("--count", count, "Calls per thread")
      .option("--threads", threads, "Threads");
  program.parse(argc, argv);
  program.start();

  std::atomic<uint64_t> failed{0};
  std::vector<double> per_call(threads);
  run_threads(threads, [&](uint64_t i) {
    uint64_t errors = 0;
    if (mode == "getppid") {
      per_call[i] = median_ns_per_op(count, [] { syscall(SYS_getppid); });
    } else if (mode == "read") {
      const int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
      char byte = 0;
      per_call[i] = median_ns_per_op(count, [&] { errors += read(fd, &byte, 1) != 1; });
      close(fd);
    } else {
      per_call[i] = median_ns_per_op(count, [&] {
        const int fd = open("/nonexistent-nearzero", O_RDONLY | O_CLOEXEC);
        errors += fd < 0 && errno == ENOENT;
      });
    }
    failed += errors;
  });
  return program.finish({{"program", "nz-syscalls"},
                         {"mode", mode},
                         {"threads", threads},
                         {"calls", count * threads},
                         {"errors", failed.load()},
                         {"ns_per_call", median(per_call)}});
}
