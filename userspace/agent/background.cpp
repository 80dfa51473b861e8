#include "userspace/agent/background.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "userspace/base/courtesy.h"

namespace nz::agent {

using Clock = std::chrono::steady_clock;

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Background::start(std::vector<Job> jobs) {
  if (thread_.joinable() || jobs.empty()) return;
  jobs_ = std::move(jobs);
  for (const Job& job : jobs_) due_.push_back(Clock::now() + job.every);
  thread_ = std::thread([this] { guard_.keep("work in the background", [this] { run(); }); });
}

void Background::run() {
  setpriority(PRIO_PROCESS, 0, kNiceOfHistory);  // of one thread, on Linux
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next = std::min_element(due_.begin(), due_.end());
    if (wake_.wait_until(lock, *next, [this] { return stopping_; })) return;
    const auto& job = jobs_[static_cast<std::size_t>(next - due_.begin())];
    lock.unlock();
    guard_.run(job.what.c_str(), job.run);
    // From its end: what takes longer than `every` does not run without a pause.
    *next = Clock::now() + job.every;
    lock.lock();
  }
}

}  // namespace nz::agent
