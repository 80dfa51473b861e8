#include "userspace/agent/background.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
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
  thread_ = std::thread([this] { run(); });
}

void Background::work(const Job& job) {
  try {
    job.run();
  } catch (const std::exception& e) {
    errors_++;
    spdlog::error("{} failed and are left out this time: {}", job.what, e.what());
  }
}

void Background::run() {
  setpriority(PRIO_PROCESS, 0, kNiceOfHistory);  // of one thread, on Linux
  std::vector<Clock::time_point> due;
  for (const Job& job : jobs_) due.push_back(Clock::now() + job.every);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next = std::min_element(due.begin(), due.end());
    if (wake_.wait_until(lock, *next, [this] { return stopping_; })) return;
    const auto& job = jobs_[static_cast<std::size_t>(next - due.begin())];
    lock.unlock();
    work(job);
    // From its end: what takes longer than `every` does not run without a pause.
    *next = Clock::now() + job.every;
    lock.lock();
  }
}

}  // namespace nz::agent
