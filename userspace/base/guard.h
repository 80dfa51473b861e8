// A long-running program outlives what goes wrong inside one step (no memory, a file that vanishes
// under an iterator): logged, counted, and the next step begins anew.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <exception>

namespace nz {

class Guard {
 public:
  /// Runs `work`; an exception of it ends here. `what` names the step in the log.
  template <class Work>
  void run(const char* what, const Work& work) {
    try {
      work();
    } catch (const std::exception& e) {
      errors_++;
      spdlog::error("{} failed and was left out: {}", what, e.what());
    }
  }
  /// Steps left out since start.
  [[nodiscard]] uint64_t errors() const { return errors_; }

 private:
  uint64_t errors_ = 0;
};

}  // namespace nz
