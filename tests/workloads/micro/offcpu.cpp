// Blocks for one known reason, N times for D milliseconds each. The main thread blocks, a helper
// thread ends the wait. Own clock around every wait gives the truth.

#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <semaphore>
#include <system_error>

#include "tests/workloads/common/sockets.h"
#include "tests/workloads/common/workload.h"

namespace {

using nz::workload::must;
using nz::workload::now_ns;
using nz::workload::sleep_ns;
using nz::workload::tcp_pair;
using nz::workload::unix_pair;

struct Truth {
  uint64_t waits = 0, blocked_ns = 0, max_ns = 0, min_ns = ~uint64_t{0};
  void time(const std::function<void()>& wait) {
    const uint64_t begin = now_ns();
    wait();
    const uint64_t ns = now_ns() - begin;
    ++waits;
    blocked_ns += ns;
    max_ns = std::max(max_ns, ns);
    min_ns = std::min(min_ns, ns);
  }
};

struct Plan {
  uint64_t count = 0, ns = 0;
  std::string file;  // a scratch file on a real disk
};

// One wait: `arm` asks the helper, who sleeps `ns` and then calls `wake`.
void with_helper(const Plan& plan, Truth& truth, const std::function<void()>& wait,
                 const std::function<void()>& wake) {
  std::binary_semaphore armed{0};
  std::jthread helper([&] {
    for (uint64_t i = 0; i < plan.count; ++i) {
      armed.acquire();
      sleep_ns(plan.ns);
      wake();
    }
  });
  for (uint64_t i = 0; i < plan.count; ++i) {
    armed.release();
    truth.time(wait);
  }
}

// A byte arrives after the delay on a pair of connected descriptors: {reader, writer}.
void byte_arrives(const Plan& plan, Truth& truth, std::array<int, 2> fds,
                  const std::function<void(int)>& before_read) {
  with_helper(
      plan, truth,
      [&] {
        before_read(fds[0]);
        char byte = 0;
        must(read(fds[0], &byte, 1), "read");
      },
      [&] {
        const char byte = 0;
        must(write(fds[1], &byte, 1), "write");
      });
  close(fds[0]);
  close(fds[1]);
}

std::array<int, 2> pipe_pair() {
  std::array<int, 2> fds{};
  must(pipe(fds.data()), "pipe");
  return fds;
}

// The helper owns the lock when the wait begins and gives it back after the delay.
void lock_waits(const Plan& plan, Truth& truth, const std::function<void()>& own,
                const std::function<void()>& disown, const std::function<void()>& wait,
                const std::function<void()>& release) {
  for (uint64_t i = 0; i < plan.count; ++i) {
    std::binary_semaphore owned{0};
    std::jthread holder([&] {
      own();
      owned.release();
      sleep_ns(plan.ns);
      disown();
    });
    owned.acquire();
    truth.time(wait);
    release();
  }
}

void mutex_mode(const Plan& plan, Truth& truth) {
  std::mutex m;
  const auto lock = [&] { m.lock(); };
  const auto unlock = [&] { m.unlock(); };
  lock_waits(plan, truth, lock, unlock, lock, unlock);
}

void flock_mode(const Plan& plan, Truth& truth) {
  const int a = must(open(plan.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open");
  const int b = must(open(plan.file.c_str(), O_RDWR | O_CLOEXEC), "open");
  lock_waits(
      plan, truth, [&] { must(flock(a, LOCK_EX), "flock"); },
      [&] { must(flock(a, LOCK_UN), "flock"); }, [&] { must(flock(b, LOCK_EX), "flock"); },
      [&] { must(flock(b, LOCK_UN), "flock"); });
  close(a);
  close(b);
}

void condvar_mode(const Plan& plan, Truth& truth) {
  std::mutex m;
  std::condition_variable cv;
  bool ready = false;
  with_helper(
      plan, truth,
      [&] {
        std::unique_lock lock(m);
        cv.wait(lock, [&] { return ready; });
        ready = false;
      },
      [&] {
        const std::lock_guard lock(m);
        ready = true;
        cv.notify_one();
      });
}

// std::atomic::wait spins first; the bare futex blocks at once.
void futex_mode(const Plan& plan, Truth& truth) {
  std::atomic<uint32_t> word{0};
  auto* address = reinterpret_cast<uint32_t*>(&word);
  with_helper(
      plan, truth,
      [&] {
        while (word.exchange(0) == 0)
          syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
      },
      [&] {
        word = 1;
        syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
      });
}

void nanosleep_mode(const Plan& plan, Truth& truth) {
  for (uint64_t i = 0; i < plan.count; ++i) truth.time([&] { sleep_ns(plan.ns); });
}

void epoll_mode(const Plan& plan, Truth& truth) {
  const int epoll = must(epoll_create1(0), "epoll_create1");
  const std::array<int, 2> fds = pipe_pair();
  epoll_event event{};
  event.events = EPOLLIN;
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event), "epoll_ctl");
  byte_arrives(plan, truth, fds, [&](int) {
    epoll_event out{};
    must(epoll_wait(epoll, &out, 1, -1), "epoll_wait");
  });
  close(epoll);
}

void poll_mode(const Plan& plan, Truth& truth) {
  byte_arrives(plan, truth, unix_pair(), [](int fd) {
    pollfd wanted{fd, POLLIN, 0};
    must(poll(&wanted, 1, -1), "poll");
  });
}

void read_mode(const Plan& plan, Truth& truth, std::array<int, 2> fds) {
  byte_arrives(plan, truth, fds, [](int) {});
}

// The delay is the disk's own: each wait is a write made durable.
void fdatasync_mode(const Plan& plan, Truth& truth) {
  const int fd = must(open(plan.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open");
  const std::array<char, 4096> page{};
  for (uint64_t i = 0; i < plan.count; ++i) {
    must(pwrite(fd, page.data(), page.size(), static_cast<off_t>(i * page.size())), "pwrite");
    truth.time([&] { must(fdatasync(fd), "fdatasync"); });
  }
  close(fd);
}

// Fills the scratch file with `count` blocks that lie far enough apart to defeat readahead.
constexpr size_t kStride = size_t{1} << 20;
int scratch_blocks(const Plan& plan, int flags) {
  const int fd = must(open(plan.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open");
  const std::array<char, 4096> page{};
  for (uint64_t i = 0; i < plan.count; ++i)
    must(pwrite(fd, page.data(), page.size(), static_cast<off_t>(i * kStride)), "pwrite");
  must(fsync(fd), "fsync");
  close(fd);
  return must(open(plan.file.c_str(), flags | O_CLOEXEC), "open");
}

void direct_read_mode(const Plan& plan, Truth& truth) {
  const int fd = scratch_blocks(plan, O_RDONLY | O_DIRECT);
  void* page = std::aligned_alloc(4096, 4096);
  for (uint64_t i = 0; i < plan.count; ++i)
    truth.time([&] { must(pread(fd, page, 4096, static_cast<off_t>(i * kStride)), "pread"); });
  std::free(page);
  close(fd);
}

// Best effort: pages that the kernel kept do not block.
void pagefault_mode(const Plan& plan, Truth& truth) {
  const int fd = scratch_blocks(plan, O_RDONLY);
  must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
  const size_t size = (plan.count - 1) * kStride + 4096;
  void* map = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  madvise(map, size, MADV_RANDOM);
  const auto* bytes = static_cast<const volatile char*>(map);
  for (uint64_t i = 0; i < plan.count; ++i) truth.time([&] { (void)bytes[i * kStride]; });
  munmap(map, size);
  close(fd);
}

using Mode = std::function<void(const Plan&, Truth&)>;
const std::map<std::string, Mode>& modes() {
  static const std::map<std::string, Mode> table{
      {"mutex", mutex_mode},
      {"condvar", condvar_mode},
      {"futex", futex_mode},
      {"nanosleep", nanosleep_mode},
      {"epoll", epoll_mode},
      {"poll", poll_mode},
      {"tcp", [](const Plan& p, Truth& t) { read_mode(p, t, tcp_pair()); }},
      {"unix", [](const Plan& p, Truth& t) { read_mode(p, t, unix_pair()); }},
      {"pipe", [](const Plan& p, Truth& t) { read_mode(p, t, pipe_pair()); }},
      {"flock", flock_mode},
      {"fdatasync", fdatasync_mode},
      {"direct-read", direct_read_mode},
      {"pagefault", pagefault_mode}};
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto& [name, mode] : modes()) names.push_back(name);
  std::string mode = "mutex", directory = "/var/tmp";
  uint64_t count = 100;
  double ms = 5;
  nz::workload::Program program("nz-offcpu: blocks for a known reason",
                                "  nz-offcpu --mode mutex --count 200 --ms 3\n"
                                "  nz-offcpu --mode fdatasync --count 50 --dir /var/tmp\n"
                                "  nz-offcpu --mode tcp --wait --linger 2");
  program.choice("--mode", mode, names, "Why it blocks")
      .option("--count", count, "Waits")
      .option("--ms", ms, "Length of each wait; disk modes take what the disk takes")
      .option("--dir", directory, "Where the scratch file of the disk modes and of flock is made");
  program.parse(argc, argv);

  std::string scratch = directory + "/nz-offcpu-XXXXXX";
  const int fd = mkstemp(scratch.data());
  if (fd < 0) {
    std::cerr << "nz-offcpu: cannot make a file in " << directory << '\n';
    return 1;
  }
  close(fd);
  program.start();
  Truth truth;
  int exit_code = 0;
  const uint64_t begin = now_ns();
  try {
    if (count > 0) modes().at(mode)({count, static_cast<uint64_t>(ms * 1e6), scratch}, truth);
  } catch (const std::exception& e) {
    std::cerr << "nz-offcpu: " << e.what() << '\n';
    exit_code = 1;
  }
  unlink(scratch.c_str());
  if (exit_code != 0) return exit_code;
  return program.finish({{"program", "nz-offcpu"},
                         {"mode", mode},
                         {"tid", gettid()},
                         {"waits", truth.waits},
                         {"blocked_ns", truth.blocked_ns},
                         {"min_ns", truth.waits ? truth.min_ns : 0},
                         {"max_ns", truth.max_ns},
                         {"ns_per_op", truth.waits ? static_cast<double>(truth.blocked_ns) /
                                                         static_cast<double>(truth.waits)
                                                   : 0.0},
                         {"wall_ns", now_ns() - begin}});
}
