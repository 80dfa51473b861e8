// Work that nobody waits for: one piece after the other, on a thread of its own at nice 19.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "userspace/base/guard.h"

namespace nz::agent {

class Background {
 public:
  struct Job {
    std::string what;  ///< for the log: "scheduled reports"
    std::chrono::milliseconds every{1000};
    /// May take its time; an exception of it is logged and counted, and it is run again when due.
    std::function<void()> run;
  };

  Background() = default;
  /// Waits for the job that runs.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Once; each job is due `every` after this for the first time.
  void start(std::vector<Job> jobs);
  /// Jobs that threw, ever.
  [[nodiscard]] std::uint64_t errors() const { return guard_.errors(); }

 private:
  void run();

  std::vector<Job> jobs_;
  std::vector<std::chrono::steady_clock::time_point> due_;  // of each; of the thread
  Guard guard_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nz::agent
