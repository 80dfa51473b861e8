// Memory whose pages are away for a moment, as under pressure: whoever touches it gets it back, and
// who cannot wait for a page, as a probe, reads nothing there.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace nz::workload::sqlite {

class HiddenPages {
 public:
  HiddenPages() { std::signal(SIGSEGV, bring_back); }
  ~HiddenPages() { std::signal(SIGSEGV, SIG_DFL); }
  HiddenPages(const HiddenPages&) = delete;
  HiddenPages& operator=(const HiddenPages&) = delete;

  // The pages of these bytes, until they are touched. One thread at a time.
  void hide(void* at, size_t bytes) const {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t before = reinterpret_cast<uintptr_t>(at) % page;
    begin_ = static_cast<char*>(at) - before;
    bytes_ = (before + bytes + page - 1) / page * page;
    if (mprotect(begin_, bytes_, PROT_NONE) != 0)
      throw std::system_error(errno, std::generic_category(), "mprotect");
  }

 private:
  static void bring_back(int) {
    char* const begin = begin_;
    begin_ = nullptr;
    // Not what is hidden: then it is a fault like any other.
    if (begin == nullptr || mprotect(begin, bytes_, PROT_READ | PROT_WRITE) != 0)
      std::signal(SIGSEGV, SIG_DFL);
  }
  static inline char* volatile begin_ = nullptr;
  static inline volatile size_t bytes_ = 0;
};

}  // namespace nz::workload::sqlite
