// Work that can wait gives way to the threads that are observed.
#pragma once

#include <sys/resource.h>

#include <cerrno>

namespace nz {

/// The calling thread runs at nice 19 for the life of this object: whoever wakes up meanwhile
/// preempts it within microseconds (EEVDF: its deadline lies 68 times as far off), and on a
/// saturated CPU it still gets its turn, which SCHED_IDLE would not promise. Never around anything
/// that holds a lock of the observed process: attaching takes its mmap lock.
class Courtesy {
 public:
  Courtesy() : before_(getpriority(PRIO_PROCESS, 0)) { setpriority(PRIO_PROCESS, 0, 19); }
  ~Courtesy() {
    const int saved = errno;
    setpriority(PRIO_PROCESS, 0, before_);
    errno = saved;
  }
  Courtesy(const Courtesy&) = delete;
  Courtesy& operator=(const Courtesy&) = delete;

 private:
  int before_;
};

}  // namespace nz
