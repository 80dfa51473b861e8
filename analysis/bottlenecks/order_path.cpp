#include "analysis/bottlenecks/order_path.h"

#include <algorithm>
#include <map>
#include <utility>

namespace nz::analysis {
namespace {

constexpr const char* kDuration = "nearzero_order_stage_duration_seconds";
constexpr const char* kComponent = "nearzero_order_stage_component_seconds_total";
constexpr const char* kRunqueue = "nearzero_runqueue_latency_seconds";
constexpr const char* kOnCpu = "nearzero_oncpu_slice_seconds";
constexpr const char* kOffCpu = "nearzero_offcpu_seconds";

constexpr std::array<std::string_view, kComponents> kNames = {
    "running", "runnable", "lock",       "idle", "disk",
    "network", "sleep",    "page_fault", "ipc",  "other"};

// Names under which people configure the whole path.
constexpr std::array<std::string_view, 9> kWholeNames = {
    "order", "order_path", "total", "whole", "path", "end_to_end", "e2e", "tick_to_trade", "all"};

Component component_at(std::size_t index) { return static_cast<Component>(index); }

struct RawStage {
  double count = 0, seconds = 0, longest = 0;
  Parts parts;
};

std::map<std::string, RawStage> raw_stages(const WindowIndex& window, const std::string& target) {
  std::map<std::string, RawStage> stages;
  for (const WindowSeries* s : window.find(kDuration, {{"target", target}})) {
    if (!s->histogram) continue;
    RawStage& raw = stages[label_of(*s, "stage")];
    raw.count += static_cast<double>(s->histogram->count());
    raw.seconds += static_cast<double>(s->histogram->sum_ns) / 1e9;
    raw.longest = std::max(raw.longest, static_cast<double>(s->histogram->max_ns) / 1e9);
  }
  for (const WindowSeries* s : window.find(kComponent, {{"target", target}})) {
    const auto stage = stages.find(label_of(*s, "stage"));
    if (stage == stages.end()) continue;
    const auto name = std::find(kNames.begin(), kNames.end(), label_of(*s, "component"));
    if (name == kNames.end()) continue;
    stage->second.parts[component_at(static_cast<std::size_t>(name - kNames.begin()))] += s->change;
  }
  return stages;
}

// Every part of the candidate must cover what the others have of it: two stages that follow each
// other can be equally long by chance, but hardly in each of their parts.
bool contains(const RawStage& whole, const std::map<std::string, RawStage>& all,
              const std::string& name) {
  Parts others;
  double seconds = 0;
  std::size_t number = 0;
  for (const auto& [other, raw] : all) {
    if (other == name || raw.count == 0) continue;
    number++;
    seconds += raw.seconds;
    for (std::size_t i = 0; i < kComponents; i++) {
      others[component_at(i)] += raw.parts[component_at(i)];
    }
  }
  if (number < 2) return false;
  constexpr double kMost = 0.85;  // orders that leave the path early are in its first stages alone
  if (whole.seconds < kMost * seconds) return false;
  for (std::size_t i = 0; i < kComponents; i++) {
    const Component c = component_at(i);
    if (others[c] < 0.02 * seconds) continue;  // too little to tell
    if (whole.parts[c] < kMost * others[c]) return false;
  }
  return true;
}

PathTime path_of_stages(const WindowIndex& window, const std::string& target,
                        const std::string& whole) {
  PathTime path;
  const auto stages = raw_stages(window, target);
  Parts total;
  if (const auto found = stages.find(whole); found != stages.end() && found->second.count > 0) {
    path.orders = found->second.count;
    total = found->second.parts;
    path.longest = found->second.longest;
  } else {
    for (const auto& [name, raw] : stages) {
      path.orders = std::max(path.orders, raw.count);
      path.longest += raw.longest;
      for (std::size_t i = 0; i < kComponents; i++) {
        total[component_at(i)] += raw.parts[component_at(i)];
      }
    }
  }
  if (path.orders == 0) return path;
  const double observed = window.observed("stages", target);
  path.orders_per_second = observed > 0 ? path.orders / observed : 0;
  if (window.seconds() > 0) path.observed = std::min(1.0, observed / window.seconds());
  const auto per_order = [&](const Parts& sum) {
    Parts parts;
    for (std::size_t i = 0; i < kComponents; i++) {
      parts[component_at(i)] = sum[component_at(i)] / path.orders;
    }
    return parts;
  };
  path.parts = per_order(total);
  path.seconds = path.parts.sum();
  for (const auto& [name, raw] : stages) {
    if (name != whole) path.stages.push_back({name, per_order(raw.parts)});
  }
  return path;
}

// Of all threads of the target.
double seconds_off(const WindowIndex& window, const std::string& target, Component component) {
  if (component == Component::runnable) return window.sum_seconds(kRunqueue, {{"target", target}});
  return window.sum_seconds(
      kOffCpu, {{"target", target}, {"reason", std::string(component_name(component))}});
}

// Waits for work (idle, ipc, network, timers) are left out: without stages nobody can tell the wait
// for the next order from the wait within one.
PathTime path_of_scheduler(const WindowIndex& window, const std::string& target) {
  PathTime path;
  const Labels labels{{"target", target}};
  path.orders = window.sum_seconds(kOnCpu, labels);
  if (path.orders <= 0) return path;
  path.orders_per_second = window.seconds() > 0 ? path.orders / window.seconds() : 0;
  path.parts[Component::running] = 1;
  for (const Component c : {Component::runnable, Component::lock, Component::disk,
                            Component::page_fault, Component::other}) {
    path.parts[c] = seconds_off(window, target, c) / path.orders;
  }
  path.seconds = path.parts.sum();
  return path;
}

}  // namespace

std::string_view component_name(Component component) {
  return kNames.at(static_cast<std::size_t>(component));
}

double Parts::sum() const {
  double sum = 0;
  for (const double v : values_) sum += v;
  return sum;
}

std::string whole_stage(const WindowIndex& window, const std::string& target,
                        const std::string& named) {
  const auto stages = raw_stages(window, target);
  if (!named.empty()) return named;
  for (const std::string_view name : kWholeNames) {
    const auto stage = stages.find(std::string(name));
    if (stage != stages.end() && stage->second.count > 0) return stage->first;
  }
  std::string longest;
  for (const auto& [name, raw] : stages) {
    if (longest.empty() || raw.seconds > stages.at(longest).seconds) longest = name;
  }
  return !longest.empty() && contains(stages.at(longest), stages, longest) ? longest
                                                                           : std::string{};
}

OrderPath::OrderPath(std::string target, const WindowIndex& now, const WindowIndex& before,
                     const Rules& rules)
    : target_(std::move(target)), now_index_(now), before_index_(before) {
  const auto named = rules.whole_stage.find(target_);
  const std::string whole =
      whole_stage(now, target_, named == rules.whole_stage.end() ? std::string{} : named->second);
  now_ = path_of_stages(now, target_, whole);
  before_ = path_of_stages(before, target_, whole);
  // A reference with stages beside a window without orders: the service stands still.
  from_stages_ = now_.orders > 0 || before_.orders > 0;
  double least = rules.least_orders;
  if (!from_stages_) {
    now_ = path_of_scheduler(now, target_);
    before_ = path_of_scheduler(before, target_);
    least = rules.least_oncpu_seconds;
  }
  usable_ = now.seconds() >= rules.least_seconds && now_.orders >= least && now_.seconds > 0;
  comparable_ = usable_ && before.seconds() >= rules.least_seconds && before_.orders >= least &&
                before_.seconds > 0;
}

double OrderPath::excess(Component component) const {
  if (!usable_) return 0;
  if (comparable_) return std::max(0.0, now_.parts[component] - before_.parts[component]);
  return component == Component::running ? 0 : now_.parts[component];
}

double OrderPath::beyond(Component component) const {
  if (!comparable_ || component == Component::running) return 0;
  const double seconds = now_index_.seconds();
  const double usual = seconds_off(before_index_, target_, component) / before_index_.seconds();
  return std::max(0.0, seconds_off(now_index_, target_, component) - usual * seconds);
}

double OrderPath::share(double seconds_per_order) const {
  return now_.seconds > 0 ? seconds_per_order / now_.seconds : 0;
}

std::string OrderPath::worst_stage(Component component) const {
  if (now_.stages.size() < 2) return {};
  std::string worst;
  double most = 0;
  for (const StageTime& stage : now_.stages) {
    double seconds = stage.parts[component];
    for (const StageTime& earlier : before_.stages) {
      if (comparable_ && earlier.stage == stage.stage) seconds -= earlier.parts[component];
    }
    if (seconds > most) {
      most = seconds;
      worst = "stage " + stage.stage;
    }
  }
  return worst;
}

double OrderPath::per_order_now(double sum, std::string_view probe) const {
  const double observed = now_index_.observed(probe, target_);
  return observed > 0 && now_.orders_per_second > 0 ? sum / observed / now_.orders_per_second : 0;
}

double OrderPath::per_order_before(double sum, std::string_view probe) const {
  if (!comparable_) return 0;
  const double observed = before_index_.observed(probe, target_);
  return observed > 0 && before_.orders_per_second > 0 ? sum / observed / before_.orders_per_second
                                                       : 0;
}

}  // namespace nz::analysis
