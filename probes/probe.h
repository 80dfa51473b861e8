// What a probe is: it attaches programs for the host and for the processes of targets, and turns
// what the kernel aggregated into metric families. Adding one takes a file in bpf/ and a folder
// here with `std::unique_ptr<Probe> make_<folder>(Env)`; no other file is edited (docs:
// CONTRIBUTING.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/finding.h"
#include "probes/stage_names.h"
#include "userspace/config/config.h"
#include "userspace/drain/drain.h"
#include "userspace/loader/object.h"
#include "userspace/metrics/family.h"
#include "userspace/targets/tracker.h"

namespace nz::probes {

/// What kind of work one hit is; its price in nanoseconds is calibrated on the host at start.
enum class HitKind {
  context_switch,       ///< one run of the scheduler program
  syscall_target,       ///< enter and exit of a target's syscall, recorded
  syscall_other,        ///< enter and exit of somebody else's
  lifecycle,            ///< fork, exec, exit
  uprobe,               ///< entry at an emulated instruction
  uprobe_stepped,       ///< entry at an instruction that the kernel single-steps
  with_return,          ///< entry and return, entry emulated
  with_return_stepped,  ///< entry and return, entry single-stepped
  returned,             ///< the return alone, where the entry skips it now and then
  block_request,        ///< a request to a disk: sent and complete
  tcp_event,            ///< a segment in, a read, a write, or a change of state of a TCP socket
  socket_idle,          ///< a read or write that moved nothing, or is of another protocol
  profile_sample,       ///< a tick of a CPU's clock that met a target, with its stack
  profile_other,        ///< one that met somebody else
};

/// Hits since start; the agent multiplies by ns per hit.
struct Cost {
  uint32_t slot = 0;  ///< target; 0: the host
  HitKind kind = HitKind::uprobe;
  uint64_t hits = 0;
};

/// Whether a probe works for a target, and the plan or the reason, in words.
struct Status {
  std::string probe;   ///< "sqlite", "stages:risk"
  std::string target;  ///< "host" or the target's name
  pid_t pid = 0;       ///< 0: not for one process
  bool attached = false;
  std::string text;
  bool waiting = false;  ///< attached to a file that the process has not loaded yet
};

/// What the configuration says to probes that no target has for itself. As it stands here nothing
/// is profiled: the command line's observer wants that.
struct Settings {
  unsigned profile_hz = 0;     ///< samples a second of each CPU; 0: no profile
  double profile_window = 60;  ///< seconds
};

/// What the agent lends to its probes.
struct Env {
  loader::Object& object;
  drain::Drain& drain;
  const targets::Tracker& tracker;
  /// Shared by the copies that the probes hold; written by the stages probe.
  std::shared_ptr<StageNames> stage_names = std::make_shared<StageNames>();
  /// Set by the agent before start().
  std::shared_ptr<Settings> settings = std::make_shared<Settings>();

  /// Label of a slot: the target's name, "host" for 0.
  [[nodiscard]] std::string target_name(uint32_t slot) const;
};

class Probe {
 public:
  explicit Probe(Env env) : env_(env) {}
  virtual ~Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  [[nodiscard]] virtual std::string name() const = 0;
  /// Attaches what belongs to the host, or to all targets at once. Called again after the set of
  /// targets has changed; keeps what already stands.
  virtual void start() {}
  /// A process has become a member of its target (also after exec: then detach() came first).
  virtual void attach(const targets::Member& member) { (void)member; }
  virtual void detach(pid_t pid) { (void)pid; }
  /// An event of the ring that is not about processes (a statement text).
  virtual void on_event(const nz_event& event, std::span<const std::byte> bytes) {
    (void)event, (void)bytes;
  }
  /// Closes every link, and forgets what was tripped: nothing of this probe is left in the kernel
  /// but its counts.
  virtual void stop() = 0;

  /// The duty cycle (docs/adr/0007-duty-cycle.md): whether this probe's rate follows the target's
  /// own work, so that observing part of the time saves that part of the cost.
  [[nodiscard]] virtual bool has_duty_cycle() const { return false; }
  /// A step towards pause(): nothing new of `slot` is begun, what has begun may still end.
  virtual void wind_down(uint32_t slot) { (void)slot; }
  /// Whether nothing that has begun is left.
  [[nodiscard]] virtual bool wound_down(uint32_t slot) const {
    (void)slot;
    return true;
  }
  /// Closes the links of `slot`, and keeps what it takes to bring them back at once.
  virtual void pause(uint32_t slot) { (void)slot; }
  /// Undoes pause(), or wind_down() without one.
  virtual void resume(uint32_t slot) { (void)slot; }

  /// Once a drain interval, before collect(): plans that follow what is observed.
  virtual void tick() {}
  virtual void collect(std::vector<metrics::Family>& out) const = 0;
  /// What no metric tells: single slow statements, hot functions. Adds to `out`.
  virtual void details(analysis::Details& out) const { (void)out; }
  [[nodiscard]] virtual std::vector<Cost> costs() const = 0;
  [[nodiscard]] virtual std::vector<Status> status() const = 0;
  /// The breaker: detaches what this probe has in `slot` until reset.
  virtual void trip(uint32_t slot) = 0;

 protected:
  Env env_;
};

/// One of each folder in probes/, from the generated registry.
std::vector<std::unique_ptr<Probe>> make_all(const Env& env);

}  // namespace nz::probes
