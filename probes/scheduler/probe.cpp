// Run-queue latency, on-CPU slices and off-CPU time by reason, for the host and for each target.
#include <array>
#include <optional>

#include "probes/probe.h"
#include "probes/syscall_names.h"
#include "probes/tracing_links.h"

namespace nz::probes {
namespace {

constexpr std::array<const char*, NZ_REASONS> kReasons = {"lock",  "idle",       "disk", "network",
                                                          "sleep", "page_fault", "ipc",  "other"};

class Scheduler final : public Probe {
 public:
  explicit Scheduler(const Env& env)
      : Probe(env),
        blocked_(env.object.array<nz_blocked_syscall>("nz_blocked_in")),
        links_(env.object) {}

  [[nodiscard]] std::string name() const override { return "scheduler"; }

  void start() override {
    if (tripped_) return;
    // What other probes keep about threads whose end nobody saw meanwhile.
    if (links_.none()) env_.object.run("nz_forget_threads");
    // Lifecycle first: a thread that is born while the switch program comes up starts clean.
    links_.attach({"nz_fork", "nz_exec", "nz_exit", "nz_thread_fork", "nz_thread_exec",
                   "nz_thread_exit", "nz_sched_switch"});
  }

  void stop() override {
    links_.close();
    tripped_ = {};
  }

  void trip(uint32_t slot) override {
    // The scheduler program serves everybody at once: only the host's budget can switch it off.
    if (slot != 0) return;
    tripped_ = true;
    links_.close("nz_sched_switch");
  }

  void collect(std::vector<metrics::Family>& out) const override {
    metrics::Family wait{
        "nearzero_runqueue_latency_seconds",
        "Time from runnable to running in seconds, after a wakeup or a preemption.",
        metrics::Type::histogram,
        {}};
    metrics::Family ran{"nearzero_oncpu_slice_seconds",
                        "Time between two context switches of a thread in seconds.",
                        metrics::Type::histogram,
                        {}};
    metrics::Family off{
        "nearzero_offcpu_seconds",
        "Blocked time in seconds by reason, from leaving the CPU to being runnable.",
        metrics::Type::histogram,
        {}};
    const auto add = [this](metrics::Family& family, uint32_t slot, uint32_t kind,
                            const metrics::Labels& more) {
      auto histogram = slot == 0 ? whole_host(kind)
                                 : env_.drain.histogram(env_.drain.layout().sched(slot, kind));
      if (!histogram) return;
      metrics::Labels labels{{"target", env_.target_name(slot)}};
      labels.insert(labels.end(), more.begin(), more.end());
      family.samples.push_back({std::move(labels), 0, std::move(histogram)});
    };
    for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
      if (!wanted(slot)) continue;
      add(wait, slot, NZ_RUNQ_WAKEUP, {{"after", "wakeup"}});
      add(wait, slot, NZ_RUNQ_PREEMPT, {{"after", "preemption"}});
      add(ran, slot, NZ_ONCPU, {});
      for (uint32_t r = 0; r < NZ_REASONS; r++)
        add(off, slot, NZ_OFFCPU + r, {{"reason", kReasons[r]}});
    }
    out.push_back(std::move(wait));
    out.push_back(std::move(ran));
    out.push_back(std::move(off));
    collect_blocked_syscalls(out);

    metrics::Family switches{
        "nearzero_context_switches_total", "Context switches seen.", metrics::Type::counter, {}};
    switches.samples.push_back({{}, static_cast<double>(env_.drain.counters().switches), nullptr});
    out.push_back(std::move(switches));
  }

  [[nodiscard]] std::vector<Cost> costs() const override {
    const nz_counters counters = env_.drain.counters();
    std::vector<Cost> result;
    uint64_t targets = 0;
    for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
      if (counters.slot_switches[slot] == 0) continue;
      targets += counters.slot_switches[slot];
      result.push_back({slot, HitKind::context_switch, counters.slot_switches[slot]});
    }
    // A switch between two targets is counted for both; the host pays for the rest.
    result.push_back({0, HitKind::context_switch,
                      counters.switches > targets ? counters.switches - targets : 0});
    result.push_back({0, HitKind::lifecycle, counters.lifecycle});
    return result;
  }

  [[nodiscard]] std::vector<Status> status() const override {
    const bool on = links_.contains("nz_sched_switch");
    const std::string text = on         ? "one attach on sched_switch"
                             : tripped_ ? "tripped: over budget"
                                        : "off";
    return {{name(), "host", 0, on, text + links_.failures()}};
  }

 private:
  // The kernel records a target's threads under the target alone; the host is everybody together.
  [[nodiscard]] std::shared_ptr<const analysis::Histogram> whole_host(uint32_t kind) const {
    std::shared_ptr<analysis::Histogram> total;
    if (!env_.drain.layout().host) return total;
    for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
      const auto part = env_.drain.histogram(env_.drain.layout().sched(slot, kind));
      if (!part) continue;
      if (!total) total = std::make_shared<analysis::Histogram>();
      total->merge(*part);
    }
    return total;
  }

  // `scheduler: false` keeps a target's rows out; the program serves the host and the stages
  // anyway.
  [[nodiscard]] bool wanted(uint32_t slot) const {
    const config::Target* target = env_.tracker.target(slot);
    return slot == 0 || target == nullptr || target->scheduler;
  }

  void collect_blocked_syscalls(std::vector<metrics::Family>& out) const {
    metrics::Family count{"nearzero_blocked_syscalls_total",
                          "Times that a target's thread blocked in a syscall.",
                          metrics::Type::counter,
                          {}};
    metrics::Family seconds{"nearzero_blocked_syscall_seconds_total",
                            "Seconds that a target's threads were blocked in a syscall.",
                            metrics::Type::counter,
                            {}};
    for (const uint32_t slot : env_.tracker.slots()) {
      if (!wanted(slot)) continue;
      for (uint32_t nr = 0; nr < NZ_NR_SYSCALLS; nr++) {
        const auto sum = env_.drain.sum<nz_blocked_syscall>(blocked_, NZ_SLOTS * NZ_NR_SYSCALLS,
                                                            slot * NZ_NR_SYSCALLS + nr);
        if (sum.count == 0) continue;
        const metrics::Labels labels{{"target", env_.target_name(slot)},
                                     {"syscall", syscall_name(nr)}};
        count.samples.push_back({labels, static_cast<double>(sum.count), nullptr});
        seconds.samples.push_back({labels, static_cast<double>(sum.ns) / 1e9, nullptr});
      }
    }
    out.push_back(std::move(count));
    out.push_back(std::move(seconds));
  }

  std::span<const nz_blocked_syscall> blocked_;
  TracingLinks links_;
  bool tripped_ = false;
};

}  // namespace

std::unique_ptr<Probe> make_scheduler(const Env& env) { return std::make_unique<Scheduler>(env); }

}  // namespace nz::probes
