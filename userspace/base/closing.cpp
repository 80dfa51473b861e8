#include "userspace/base/closing.h"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace nz {
namespace {

constexpr unsigned kMostThreads = 64;

// Threads come with work and go without it. Never destroyed: a thread may still be in it at exit.
class Closers {
 public:
  static Closers& instance() {
    static auto* const closers = new Closers;
    return *closers;
  }

  void add(const std::vector<int>& fds) {
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.end(), fds.begin(), fds.end());
    open_ += fds.size();
    for (size_t i = 0; i < fds.size() && threads_ < kMostThreads; i++) {
      try {
        std::thread([this] { work(); }).detach();
        threads_++;
      } catch (const std::exception&) {
        break;  // no more threads: those that run, or wait(), do it
      }
    }
  }

  // Without threads it is for whoever waits to do it.
  bool busy() {
    const std::lock_guard lock(mutex_);
    return open_ > 0 && threads_ > 0;
  }

  void wait() {
    work_while_there_is_some();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return open_ == 0; });
  }

 private:
  bool close_one() {
    int fd = -1;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      fd = queue_.front();
      queue_.pop_front();
    }
    ::close(fd);
    const std::lock_guard lock(mutex_);
    open_--;
    if (open_ == 0) done_.notify_all();
    return true;
  }
  void work_while_there_is_some() {
    while (close_one()) {
    }
  }
  void work() {
    for (;;) {
      work_while_there_is_some();
      const std::lock_guard lock(mutex_);
      if (!queue_.empty()) continue;  // came between the last look and now
      threads_--;
      return;
    }
  }

  std::mutex mutex_;
  std::condition_variable done_;
  std::deque<int> queue_;
  size_t open_ = 0;
  unsigned threads_ = 0;
};

thread_local ClosingTogether* current = nullptr;

}  // namespace

ClosingTogether::ClosingTogether(Wait wait) : wait_(wait), outer_(current) { current = this; }

ClosingTogether::~ClosingTogether() {
  current = outer_;
  try {
    Closers::instance().add(fds_);
  } catch (const std::exception&) {
    for (const int fd : fds_) ::close(fd);  // no memory for the queue
  }
  if (wait_ == Wait::until_closed) wait_for_background();
}

bool ClosingTogether::take(int fd) noexcept {
  if (current == nullptr) return false;
  try {
    current->fds_.push_back(fd);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void ClosingTogether::wait_for_background() { Closers::instance().wait(); }

bool ClosingTogether::busy_in_background() { return Closers::instance().busy(); }

}  // namespace nz
