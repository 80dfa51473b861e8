// Latency by syscall and errors by errno, for targets that ask for it (`syscalls: true`). Attached
// only while one does: enter and exit hooks put every process on the kernel's slow syscall path.
#include <algorithm>

#include "probes/probe.h"
#include "probes/syscall_names.h"
#include "userspace/base/clock.h"

namespace nz::probes {
namespace {

class Syscalls final : public Probe {
 public:
  explicit Syscalls(const Env& env)
      : Probe(env),
        assigned_(env.object.array<uint64_t>("nz_syscall_series")),
        errors_(env.object.array<Errors>("nz_syscall_errors")) {
    // Series 0 is "other", for all targets together.
    env_.object.control().next_syscall_series = 1;
  }

  [[nodiscard]] std::string name() const override { return "syscalls"; }

  void start() override {
    bool wanted = false;
    for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
      const config::Target* target = env_.tracker.target(slot);
      const auto duty = duty_.find(slot);
      const bool wants = target != nullptr && target->syscalls && !tripped_.contains(slot) &&
                         (duty == duty_.end() || duty->second != NZ_WANTS_NOTHING);
      env_.object.control().wants_syscalls[slot] = !wants                ? NZ_WANTS_NOTHING
                                                   : duty == duty_.end() ? NZ_WANTS_ALL
                                                                         : duty->second;
      wanted = wanted || wants;
    }
    if (!wanted) {
      links_.clear();
      return;
    }
    if (!links_.empty()) return;
    // Starts that an earlier attach has left behind are void.
    env_.object.control().syscalls_since = monotonic_ns();
    failure_.clear();
    // Exit first: an enter without its exit would leave a start time behind.
    for (const char* program : {"nz_sys_exit", "nz_sys_enter"}) {
      auto link = env_.object.attach_tracing(program);
      if (!link) {
        failure_ = link.error().text();
        links_.clear();
        return;
      }
      links_.push_back(std::move(*link));
    }
  }

  void stop() override {
    links_.clear();
    tripped_ = {};
    duty_ = {};
  }

  void trip(uint32_t slot) override {
    if (slot == 0) return;
    tripped_.emplace(slot, true);
    start();
  }

  [[nodiscard]] bool has_duty_cycle() const override { return true; }
  void wind_down(uint32_t slot) override { follow(slot, NZ_WANTS_ENDS); }
  void pause(uint32_t slot) override { follow(slot, NZ_WANTS_NOTHING); }
  void resume(uint32_t slot) override { follow(slot, NZ_WANTS_AGAIN); }

  void collect(std::vector<metrics::Family>& out) const override {
    metrics::Family latency{"nearzero_syscall_duration_seconds",
                            "Time from entering to leaving a syscall in seconds.",
                            metrics::Type::histogram,
                            {}};
    metrics::Family errors{"nearzero_syscall_errors_total",
                           "Syscalls that failed, by errno.",
                           metrics::Type::counter,
                           {}};
    const auto add = [&](uint32_t series, const metrics::Labels& labels) {
      auto histogram = env_.drain.histogram(env_.drain.layout().syscall_base() + series);
      if (!histogram) return;
      latency.samples.push_back({labels, 0, std::move(histogram)});
      const Errors sum = env_.drain.sum<Errors>(errors_, env_.drain.layout().max_syscalls, series);
      for (uint32_t number = 1; number < NZ_NR_ERRNO; number++) {
        if (sum.count[number] == 0) continue;
        metrics::Labels with = labels;
        with.emplace_back("errno", errno_name(number));
        errors.samples.push_back(
            {std::move(with), static_cast<double>(sum.count[number]), nullptr});
      }
    };
    for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
      for (uint32_t nr = 0; nr < NZ_NR_SYSCALLS; nr++) {
        const auto series = static_cast<uint32_t>(assigned_[slot * NZ_NR_SYSCALLS + nr]);
        if (series != 0)
          add(series - 1, {{"target", env_.target_name(slot)}, {"syscall", syscall_name(nr)}});
      }
    }
    add(0, {{"target", "other"}, {"syscall", "other"}});
    out.push_back(std::move(latency));
    out.push_back(std::move(errors));

    metrics::Family others{
        "nearzero_syscalls_untargeted_total",
        "Syscalls that the hooks taxed and did not record: of processes that are not "
        "targets, or of a target that rests while another one does not.",
        metrics::Type::counter,
        {}};
    others.samples.push_back(
        {{}, static_cast<double>(env_.drain.counters().syscalls_other), nullptr});
    out.push_back(std::move(others));
  }

  [[nodiscard]] std::vector<Cost> costs() const override {
    const nz_counters counters = env_.drain.counters();
    std::vector<Cost> result{{0, HitKind::syscall_other, counters.syscalls_other}};
    for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
      uint64_t calls = 0;
      for (uint32_t nr = 0; nr < NZ_NR_SYSCALLS; nr++) {
        const auto series = static_cast<uint32_t>(assigned_[slot * NZ_NR_SYSCALLS + nr]);
        if (series != 0) calls += env_.drain.count(env_.drain.layout().syscall_base() + series - 1);
      }
      if (calls != 0) result.push_back({slot, HitKind::syscall_target, calls});
    }
    return result;
  }

  [[nodiscard]] std::vector<Status> status() const override {
    std::vector<Status> result;
    for (const uint32_t slot : env_.tracker.slots()) {
      const config::Target* target = env_.tracker.target(slot);
      if (target == nullptr || !target->syscalls) continue;
      const bool on =
          failure_.empty() && !tripped_.contains(slot) && (!links_.empty() || duty_.contains(slot));
      result.push_back({name(), target->name, 0, on,
                        on                        ? "enter and exit of every syscall"
                        : tripped_.contains(slot) ? "tripped: over budget"
                        : failure_.empty()        ? "off"
                                                  : failure_});
    }
    return result;
  }

 private:
  struct Errors {
    uint64_t count[NZ_NR_ERRNO];
  };

  void follow(uint32_t slot, nz_wants wants) {
    duty_[slot] = wants;
    start();
  }

  std::span<const uint64_t> assigned_;
  std::span<const Errors> errors_;
  std::vector<Fd> links_;
  std::map<uint32_t, bool> tripped_;
  std::map<uint32_t, nz_wants> duty_;  // by slot; none: it has never rested
  std::string failure_;
};

}  // namespace

std::unique_ptr<Probe> make_syscalls(const Env& env) { return std::make_unique<Syscalls>(env); }

}  // namespace nz::probes
