// Observes the configured targets: follows their processes by kernel events and scans, and keeps
// the probes attached to whoever is a member. What is done with the findings is the caller's
// affair.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "probes/probe.h"
#include "userspace/base/guard.h"
#include "userspace/config/config.h"
#include "userspace/drain/drain.h"
#include "userspace/loader/events.h"
#include "userspace/loader/object.h"
#include "userspace/targets/tracker.h"

namespace nz::observe {

class Observer {
 public:
  /// Takes a loaded object; nothing is attached yet. `guard` keeps what fails in an event away from
  /// the C code that delivers it. Error: the ring buffer cannot be opened.
  static Result<std::unique_ptr<Observer>> open(std::unique_ptr<loader::Object> object,
                                                Guard& guard);
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Also tells `listener` of events that are not about processes.
  void listen(loader::Events::Handler listener) { listener_ = std::move(listener); }
  /// Takes over the targets: who no longer belongs to one is detached. Who is new is found by the
  /// next scan(). With `changed`, the names of targets that ask for other probes than before:
  /// their processes are attached anew; those of the others miss nothing.
  void configure(const std::vector<config::Target>& targets,
                 const std::vector<std::string>& changed = {});
  /// Attaches what belongs to the host, then to every process that belongs to a target. Also after
  /// stop(), and after configure().
  void start();
  /// Detaches everything, and waits until the kernel has let go. Members are followed on.
  void stop();

  /// Readable when consume() has something to do.
  [[nodiscard]] int poll_fd() const { return events_->poll_fd(); }
  /// Handles the events that are there.
  void consume() { events_->consume(); }
  /// Once an interval: takes what the kernel has counted, lets the probes follow it, and scans now
  /// and then.
  void tick();

  [[nodiscard]] loader::Object& object() { return *object_; }
  [[nodiscard]] const probes::Env& env() const { return *env_; }
  [[nodiscard]] const std::vector<std::unique_ptr<probes::Probe>>& probes() const {
    return probes_;
  }
  [[nodiscard]] const targets::Tracker& tracker() const { return tracker_; }
  /// Whether stop() was the last word.
  [[nodiscard]] bool stopped() const { return stopped_; }
  /// Slots of the targets that have at least one process.
  [[nodiscard]] std::vector<uint32_t> observed_slots() const;
  /// Executions not looked at, because there were too many of them in one interval; the scan after
  /// it finds what still lives.
  [[nodiscard]] uint64_t execs_skipped() const { return execs_skipped_; }

 private:
  using Clock = std::chrono::steady_clock;

  explicit Observer(std::unique_ptr<loader::Object> object);
  void apply(const std::vector<targets::Change>& changes);
  void leave(const targets::Member& member, bool stays);
  void join(const targets::Member& member);
  void detach(pid_t pid, bool stays);
  void scan();
  void adopt_followed();
  void on_event(const nz_event& event, std::span<const std::byte> bytes);
  void on_exec(const nz_event& event);
  [[nodiscard]] bool may_match(const char* comm) const;

  std::unique_ptr<loader::Object> object_;
  drain::Drain drain_;
  targets::Tracker tracker_;
  std::unique_ptr<probes::Env> env_;
  std::vector<std::unique_ptr<probes::Probe>> probes_;
  std::unique_ptr<loader::Events> events_;
  loader::Events::Handler listener_;
  Clock::time_point last_scan_ = Clock::now();
  bool stopped_ = true;
  bool scan_soon_ = false;
  bool trim_soon_ = true;  // the kernel's type information was read at start
  unsigned execs_this_tick_ = 0;
  uint64_t execs_skipped_ = 0;
  uint64_t ring_drops_ = 0;
};

}  // namespace nz::observe
