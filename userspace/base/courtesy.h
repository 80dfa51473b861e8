// Work that can wait gives way to the threads that are observed.
#pragma once

#include <sys/resource.h>

#include <cerrno>

namespace nz {

/// Nice values, of threads that are observed first, of those that answer last. Whoever else wakes
/// up preempts us at either within microseconds (EEVDF: our deadline lies 3 or 9 times as far off).
/// Not higher: on a saturated CPU a drain has a quarter of it, answers a tenth; at nice 15,
/// with 3.5 %, a thousand requests a second were answered after 1.3 s (`scripts/bench rest --hogs
/// 2`).
inline constexpr int kNiceOfDrain = 5;
inline constexpr int kNiceOfAnswers = 10;
inline constexpr int kNiceOfNames = 19;    ///< nobody waits for the name of a function
inline constexpr int kNiceOfHistory = 19;  ///< nobody waits for the disk either

/// The calling thread gives way for the life of this object. Never around anything that holds a
/// lock of the observed process: attaching takes its mmap lock.
class Courtesy {
 public:
  explicit Courtesy(int nice) : before_(getpriority(PRIO_PROCESS, 0)) {
    setpriority(PRIO_PROCESS, 0, nice);  // of one thread, on Linux
  }
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
