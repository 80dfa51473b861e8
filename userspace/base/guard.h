// A long-running program outlives what goes wrong inside one step (no memory, a file that vanishes
// under an iterator): logged, counted, and the next step begins anew. The same for the body of a
// thread, out of which an exception would end the program.
#pragma once

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>

namespace nz {

class Guard {
 public:
  /// Runs `work`; an exception of it ends here. `what` names the step in the log. Whether there was
  /// none.
  template <class Work>
  bool run(const char* what, const Work& work) {
    try {
      work();
      return true;
    } catch (const std::exception& e) {
      note(what, e.what());
    } catch (...) {
      note(what, "an exception of no known type");
    }
    return false;
  }

  /// Runs the body of a thread, which returns when it is to end: after an exception it is begun
  /// again, at first soon, at last once a second. A body that looks first whether it is to end
  /// is not waited for longer.
  template <class Body>
  void keep(const char* what, const Body& body) {
    constexpr std::chrono::milliseconds kFirst{10};
    constexpr std::chrono::milliseconds kLongest{1000};
    for (auto pause = kFirst; !run(what, body); pause = std::min(2 * pause, kLongest))
      std::this_thread::sleep_for(pause);
  }

  /// What failed since start, in this one; from any thread.
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  /// In all of the program.
  [[nodiscard]] static std::uint64_t errors_of_all() { return errors_of_all_; }

 private:
  void note(const char* what, const char* why) {
    errors_++;
    errors_of_all_++;
    spdlog::error("{} failed, the rest goes on: {}", what, why);
  }

  std::atomic<std::uint64_t> errors_ = 0;
  inline static std::atomic<std::uint64_t> errors_of_all_ = 0;
};

}  // namespace nz
