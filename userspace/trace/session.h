// One trace: its programs, links and processes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/base/guard.h"
#include "userspace/observe/observer.h"
#include "userspace/trace/calls.h"
#include "userspace/trace/names.h"
#include "userspace/trace/plan.h"
#include "userspace/trace/recorder.h"
#include "userspace/trace/report.h"

namespace nz::trace {

class Session {
 public:
  explicit Session(const Request& request);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Finds what is to be traced and loads its programs; nothing is attached yet.
  Result<void> load();
  [[nodiscard]] Estimate estimate();
  Result<void> attach();
  /// Closes everything; what was recorded stays for collect().
  void detach();

  /// Readable when consume() has something to do.
  [[nodiscard]] int poll_fd() const { return observer_->poll_fd(); }
  void consume() { observer_->consume(); }
  /// Adds what was recorded since the last time to the interval. Returns the estimated cost of it
  /// in seconds of CPU.
  double collect(Interval& interval);
  /// Slow events since the last time.
  std::vector<Slow> take_slow() { return std::exchange(slow_, {}); }

  [[nodiscard]] const Names& names() const { return *names_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return calls_.notes; }
  /// Processes that are followed.
  [[nodiscard]] size_t members() const { return observer_->tracker().members().size(); }
  /// Why nothing can be seen of a followed process, where that is so.
  [[nodiscard]] std::vector<std::string> failures() const;

 private:
  void on_event(const nz_event& event, std::span<const std::byte> bytes);
  void on_slow(const nz_slow_event& event);
  void tell_socket_owners();
  [[nodiscard]] std::map<std::string, uint64_t> lost() const;
  [[nodiscard]] double value_ns(uint32_t series) const;
  [[nodiscard]] double total_cost() const;

  const Request& request_;
  observe::Prices prices_ = observe::estimated_prices();
  Calls calls_;
  Guard guard_;
  std::unique_ptr<observe::Observer> observer_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Names> names_;
  Stacks stacks_;
  std::vector<Fd> links_;
  std::vector<Slow> slow_;
  double value_ns_ = 0;     // what recording values by key has cost so far
  uint64_t not_shown_ = 0;  // slow events beyond what is kept
  double cost_ = 0;         // at the last collect()
  std::map<std::string, uint64_t> lost_;
};

}  // namespace nz::trace
