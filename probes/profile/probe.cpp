// Which functions a target's time on CPU goes to: the clock of each CPU ticks at a low, odd rate,
// and where it meets a thread of a target, that thread's stack is counted.
#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "probes/probe.h"
#include "probes/profile/names.h"
#include "probes/profile/stack_table.h"
#include "probes/profile/target_profile.h"
#include "probes/profile/ticks.h"
#include "probes/profile/waiting_stacks.h"

namespace nz::probes {
namespace {

using profile::FunctionId;
using profile::Names;

constexpr double kLeastInterval = 1;  // seconds: a program may run on in the half that rests
constexpr double kRefresh = 5;        // of the details, or a sixth of the window
constexpr double kMapsAge = 60;       // files come and go at addresses that are known
constexpr int kPrepared = 20;    // processes of an interval, which may be those of a storm of forks
constexpr size_t kHottest = 20;  // functions told of a target

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Profile final : public Probe {
 public:
  explicit Profile(const Env& env)
      : Probe(env),
        counts_(env.object.array<nz_profile_stats>("nz_profile_counts")),
        table_(env.object.array<nz_profile_row>("nz_profile_rows"),
               env.object.array<nz_profile_stack>("nz_profile_stacks"),
               env.object.control().profile_half),
        ticks_(env.object) {}

  [[nodiscard]] std::string name() const override { return "profile"; }

  void start() override {
    started_ = true;
    const double window = env_.settings->profile_window;
    if (window != window_) {
      window_ = window;
      for (auto& [slot, p] : profiles_) p.set_window(window);
    }
    follow_members();
  }
  void attach(const targets::Member& member) override {
    // Also after an exec: what lay at its addresses does so no longer.
    names_.forget(member.process.pid);
    std::erase_if(ended_, [&](const auto& e) { return e.first == member.process.pid; });
    if (env_.settings->profile_hz != 0 && prepared_ < kPrepared) {
      names_.prepare(member.process.pid);
      prepared_++;
    }
    follow_members();
  }
  // Its last samples are still to come.
  void detach(pid_t pid) override { ended_.emplace_back(pid, 0); }

  void stop() override {
    started_ = false;
    ticks_.close();
    table_.clear();
    tripped_.clear();
    for (nz_profile_stats& s : counts_) s.off = 0;
  }

  void trip(uint32_t slot) override {
    tripped_.insert(slot);
    counts_[slot].off = slot == 0 ? 0 : 1;
    follow_members();
  }

  void tick() override {
    follow_members();
    const double now = now_seconds();
    if (now - drained_at_ < kLeastInterval) return;
    drained_at_ = now;
    ticks_.follow_cpus();
    forget_maps(now);
    prepared_ = 0;
    names_.begin_round();
    table_.drain([this](const profile::Sampled& s) { waiting_.add(s); });
    names_.exchange(now);
    waiting_.settle([&](uint32_t slot, const std::vector<FunctionId>& functions, uint32_t samples) {
      if (!functions.empty() && !names_.named(functions.back())) unnamed_ += samples;
      auto& p = profiles_.try_emplace(slot, window_).first->second;
      if (!p.add(now, functions, samples)) folded_as_leaf_ += samples;
    });
    names_.exchange(now);  // what has just been found wanting
    for (auto& [slot, p] : profiles_) p.advance(now);
    if (now - details_at_ >= std::min(kRefresh, window_ / 6)) refresh_details(now);
  }

  void details(analysis::Details& out) const override {
    out.hot_functions.insert(out.hot_functions.end(), details_.hot_functions.begin(),
                             details_.hot_functions.end());
    out.profile_seconds = details_.profile_seconds;
    out.folded.insert(out.folded.end(), details_.folded.begin(), details_.folded.end());
  }

  void collect(std::vector<metrics::Family>& out) const override {
    if (env_.settings->profile_hz == 0 && profiles_.empty()) return;
    metrics::Family samples{"nearzero_profile_samples_total",
                            "Samples of what a target's threads ran on CPU.",
                            metrics::Type::counter,
                            {}};
    metrics::Family hot{"nearzero_hot_function_samples_total",
                        "Samples by the function that ran, for functions that took 5 % of a "
                        "minute's, from then on.",
                        metrics::Type::counter,
                        {}};
    for (const uint32_t slot : env_.tracker.slots()) {
      const std::string target = env_.target_name(slot);
      samples.samples.push_back(
          {{{"target", target}}, static_cast<double>(counts_[slot].samples), nullptr});
      const auto p = profiles_.find(slot);
      if (p == profiles_.end()) continue;
      for (const auto& [id, n] : p->second.series())
        hot.samples.push_back({labels_of(target, id), static_cast<double>(n), nullptr});
      hot.samples.push_back({{{"target", target}, {"function", "other"}, {"module", ""}},
                             static_cast<double>(p->second.others()),
                             nullptr});
    }
    out.push_back(std::move(samples));
    out.push_back(std::move(hot));
    out.push_back({"nearzero_profile_rate_hertz",
                   "Samples a second of each CPU; 0 while no target has a process.",
                   metrics::Type::gauge,
                   {{{}, ticks_.on() ? static_cast<double>(ticks_.hz()) : 0, nullptr}}});
    out.push_back({"nearzero_profile_names_waiting",
                   "Addresses of samples whose function is being looked up.",
                   metrics::Type::gauge,
                   {{{}, static_cast<double>(names_.waiting()), nullptr}}});
    collect_degraded(out);
  }

  [[nodiscard]] std::vector<Cost> costs() const override {
    std::vector<Cost> result;
    for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
      if (counts_[slot].samples != 0)
        result.push_back({slot, slot == 0 ? HitKind::profile_other : HitKind::profile_sample,
                          counts_[slot].samples});
    }
    return result;
  }

  [[nodiscard]] std::vector<Status> status() const override {
    if (!wanted()) return {};
    std::vector<Status> result;
    const bool host_tripped = tripped_.contains(0);
    const std::string text = host_tripped  ? "tripped: over budget"
                             : ticks_.on() ? std::to_string(ticks_.hz()) + " samples a second on " +
                                                 std::to_string(ticks_.cpus()) + " CPUs"
                             : !started_ ? "off"
                                         : ticks_.failure();
    result.push_back({name(), "host", 0, ticks_.on(), text});
    for (const uint32_t slot : tripped_) {
      if (slot != 0)
        result.push_back({name(), env_.target_name(slot), 0, false, "tripped: over budget"});
    }
    return result;
  }

 private:
  [[nodiscard]] bool wanted() const {
    return env_.settings->profile_hz != 0 && !env_.tracker.members().empty();
  }

  // Ticks only while they can meet somebody who is not tripped.
  void follow_members() {
    const auto& members = env_.tracker.members();
    const bool somebody = std::any_of(members.begin(), members.end(), [this](const auto& m) {
      return !tripped_.contains(m.second.slot);
    });
    if (!started_ || !wanted() || !somebody || tripped_.contains(0)) {
      ticks_.close();
      return;
    }
    const unsigned hz = env_.settings->profile_hz;
    if (ticks_.on() && ticks_.hz() == hz) return;
    // What cannot be opened is tried again when the agent is switched on again, not each second.
    if (!ticks_.failure().empty() && ticks_.hz() == hz) return;
    ticks_.open(hz);
  }

  // Of those that ended two drains ago: one for the half that was written, one for the half that
  // rested then. Of those that live, now and then.
  void forget_maps(double now) {
    for (auto& [pid, drains] : ended_) {
      if (++drains > 2) names_.forget(pid);
    }
    std::erase_if(ended_, [](const auto& e) { return e.second > 2; });
    if (now - maps_at_ < kMapsAge) return;
    maps_at_ = now;
    for (const auto& [pid, member] : env_.tracker.members()) names_.refresh(pid);
  }

  void refresh_details(double now) {
    details_at_ = now;
    details_ = {};
    details_.profile_seconds = window_;
    for (const auto& [slot, p] : profiles_) {
      const std::string target = env_.target_name(slot);
      for (const auto& hot : p.shares().hottest(kHottest)) {
        const profile::Function& f = names_.function(hot.function);
        details_.hot_functions.push_back(
            {target, f.name, f.module, hot.share, hot.before, hot.samples});
      }
      std::string text = p.stacks().text([this](FunctionId id) {
        const profile::Function& f = names_.function(id);
        return f.module == "[kernel]" && f.name != f.module ? "[kernel] " + f.name : f.name;
      });
      if (!text.empty()) details_.folded.emplace_back(target, std::move(text));
    }
  }

  [[nodiscard]] metrics::Labels labels_of(const std::string& target, FunctionId id) const {
    constexpr size_t kLongest = 200;  // bytes: templates have names of kilobytes
    const profile::Function& f = names_.function(id);
    return {{"target", target},
            {"function", f.name.substr(0, kLongest)},
            {"module", f.module.substr(0, kLongest)}};
  }

  void collect_degraded(std::vector<metrics::Family>& out) const {
    uint64_t no_callers = 0;
    uint64_t cut = 0;
    for (const nz_profile_stats& s : counts_) {
      no_callers += s.no_callers;
      cut += s.cut;
    }
    metrics::Family degraded{"nearzero_profile_degraded_total",
                             "Samples that are counted, and of which less is known, by cause.",
                             metrics::Type::counter,
                             {}};
    const std::array<std::pair<const char*, uint64_t>, 4> causes{
        {{"no_callers", no_callers},
         {"stack_cut", cut},
         {"no_symbol", unnamed_},
         {"folded_as_leaf", folded_as_leaf_}}};
    for (const auto& [cause, n] : causes)
      degraded.samples.push_back({{{"cause", cause}}, static_cast<double>(n), nullptr});
    out.push_back(std::move(degraded));
  }

  std::span<nz_profile_stats> counts_;
  profile::StackTable table_;
  profile::Ticks ticks_;
  Names names_;
  profile::WaitingStacks waiting_{names_};
  std::map<uint32_t, profile::TargetProfile> profiles_;  // by slot
  std::vector<std::pair<pid_t, int>> ended_;             // and drains since
  std::set<uint32_t> tripped_;
  analysis::Details details_;
  int prepared_ = 0;  // processes since the last drain
  bool started_ = false;
  double window_ = 60;  // seconds
  double drained_at_ = 0, details_at_ = 0, maps_at_ = 0;
  uint64_t unnamed_ = 0, folded_as_leaf_ = 0;
};

}  // namespace

std::unique_ptr<Probe> make_profile(const Env& env) { return std::make_unique<Profile>(env); }

}  // namespace nz::probes
