// Direct reads from a loop device of its own, which is made of memory: requests to a disk that take
// as little time as any.

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/workloads/common/sockets.h"
#include "tests/workloads/common/workload.h"

namespace {

using nz::workload::must;

constexpr uint64_t kPage = 4096;
constexpr uint64_t kPages = 1024;

// Gone with its last descriptor, however we end.
int open_loop_device() {
  const int memory = must(memfd_create("nz-disk", MFD_CLOEXEC), "memfd_create");
  must(ftruncate(memory, kPage * kPages), "ftruncate");
  const int control = must(open("/dev/loop-control", O_RDWR | O_CLOEXEC), "/dev/loop-control");
  loop_config config{};
  config.fd = static_cast<uint32_t>(memory);
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  for (;;) {
    const int number = must(ioctl(control, LOOP_CTL_GET_FREE), "LOOP_CTL_GET_FREE");
    const std::string path = "/dev/loop" + std::to_string(number);
    const int device = must(open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC), path.c_str());
    if (ioctl(device, LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY) must(-1, "LOOP_CONFIGURE");
    close(device);  // somebody else took it first
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace nz::workload;
  uint64_t count = 100'000;
  Program program("nz-disk: direct reads from a loop device of its own; needs root",
                  "  nz-disk --count 20000\n  nz-disk --wait");
  program.option("--count", count, "Reads, one at a time");
  program.parse(argc, argv);

  const int device = open_loop_device();
  void* page = std::aligned_alloc(kPage, kPage);
  program.start();
  uint64_t failed = 0;
  uint64_t at = 0;
  const double per_read = median_ns_per_op(count, [&] {
    failed += pread(device, page, kPage, static_cast<off_t>(at++ % kPages * kPage)) != kPage;
  });
  std::free(page);
  close(device);
  return program.finish(
      {{"program", "nz-disk"}, {"reads", count}, {"failed", failed}, {"ns_per_read", per_read}});
}
