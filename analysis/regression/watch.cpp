#include "analysis/regression/watch.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

// Of the values of a histogram, and not how many there are.
bool of_values(const Quantity& of) {
  return of.statistic == "mean" || of.statistic.starts_with('p');
}

bool of_same_values(const Quantity& a, const Quantity& b) {
  return a.name == b.name && a.labels == b.labels && of_values(a) && of_values(b);
}

double way(const Regression& r) {
  return r.before > 0 && r.after > 0 ? std::fabs(std::log(r.after / r.before)) : 0;
}

// Another statistic of the same histogram that was told already tells of this one, too.
bool covers(const Regression& told, const Regression& found) {
  constexpr double kMuchFurther = 3;
  return of_same_values(told.of, found.of) && way(found) <= kMuchFurther * way(told);
}

}  // namespace

bool is_worse(const Quantity& of, bool up) {
  if (of.statistic != "rate") return up;
  for (const std::string_view word : {"error", "drop", "retransmit", "fault", "throttled", "oom"}) {
    if (of.name.find(word) != std::string::npos) return up;
  }
  return false;
}

RegressionWatch::Step RegressionWatch::step_of(const ChangePoint& change,
                                               const StepDetector& detector, double at,
                                               std::uint64_t values) {
  Step step;
  step.change = change;
  step.at = detector.since();
  step.told_at = at;
  // The detector counts values; their spacing is that since the step.
  const auto since = static_cast<double>(values - 1) - static_cast<double>(change.index);
  const double spacing = since > 0 ? (at - step.at) / since : 0;
  const auto off = [&](std::size_t index) {
    return (static_cast<double>(index) - static_cast<double>(change.index)) * spacing;
  };
  step.earliest = step.at + std::min(0.0, off(change.earliest));
  step.latest = step.at + std::max(0.0, off(change.latest));
  return step;
}

void RegressionWatch::add(const Quantity& of, double at, double value) {
  const std::string key = text_of(of);
  auto found = watched_.find(key);
  if (found == watched_.end()) {
    if (watched_.size() >= options_.most_series) {
      dropped_++;
      return;
    }
    found =
        watched_.emplace(key, Watched{of, StepDetector(options_.step), 0, 0, {}, 0, 0, {}}).first;
  }
  Watched& w = found->second;
  const auto change = w.detector.add(at, value);
  w.values++;
  if (std::isfinite(value)) {
    w.last_at = at;
    w.recent[w.next] = static_cast<float>(value);
    w.next = static_cast<std::uint8_t>((w.next + 1) % w.recent.size());
    w.recents = static_cast<std::uint8_t>(std::min<std::size_t>(w.recents + 1U, w.recent.size()));
  }
  // A return is seen by look(), from the values themselves.
  if (change && !change->back) w.step = step_of(*change, w.detector, at, w.values);
}

RegressionTracker::Changes RegressionWatch::look(double at, const History& history,
                                                 std::span<const Event> events) {
  std::vector<Regression> found;
  std::size_t of_histograms = 0;
  for (Watched* watched : waiting()) {
    if (of_values(watched->of) && of_histograms++ >= options_.judged_a_look) continue;
    auto regression = judged(*watched, at, history, events);
    if (!regression) continue;
    const bool twice = std::any_of(found.begin(), found.end(),
                                   [&](const Regression& r) { return covers(r, *regression); });
    if (!twice && !told_already(*regression)) found.push_back(std::move(*regression));
  }
  std::erase_if(watched_, [&](const auto& entry) {
    return at - entry.second.last_at > options_.forget_seconds;
  });
  return tracker_.observe(
      found, [this](const Quantity& of) { return now(of); }, at);
}

// Those with a step to be judged. What cannot be decided yet must not keep the others waiting.
std::vector<RegressionWatch::Watched*> RegressionWatch::waiting() {
  std::vector<Watched*> waiting;
  for (auto& [key, watched] : watched_) {
    if (watched.step) waiting.push_back(&watched);
  }
  std::stable_sort(waiting.begin(), waiting.end(), [](const Watched* a, const Watched* b) {
    return a->step->judged < b->step->judged;
  });
  return waiting;
}

// Clears the step once it is decided.
std::optional<Regression> RegressionWatch::judged(Watched& watched, double at,
                                                  const History& history,
                                                  std::span<const Event> events) {
  watched.step->judged++;
  const Step step = *watched.step;
  const auto slices = history && of_values(watched.of)
                          ? history(watched.of, step.at - options_.history_seconds, at)
                          : std::vector<Slice>{};
  if (slices.empty()) {
    watched.step.reset();
    Regression r =
        regression_of(watched.of, step.change.before, step.change.after, step.at, step.earliest,
                      step.latest, step.change.confidence, events, options_.judge);
    r.worse = is_worse(watched.of, step.change.after > step.change.before);
    return r;
  }
  const auto verdict = judge(watched.of, slices, step.at, events, options_.judge);
  if (verdict && verdict->regression) {
    watched.step.reset();
    Regression r = *verdict->regression;
    r.worse = r.worse && is_worse(watched.of, true);
    return r;
  }
  const bool spike = verdict && verdict->shape == Shape::spike;
  if (spike || at - step.told_at > options_.decide_seconds) watched.step.reset();
  return std::nullopt;
}

// Another statistic of the same histogram tells of the same change.
bool RegressionWatch::told_already(const Regression& regression) const {
  for (const Regression& r : tracker_.regressions()) {
    const bool other = r.of.statistic != regression.of.statistic && covers(r, regression);
    const bool lasts = r.state != FindingState::resolved;
    const double apart = std::max(60.0, regression.latest - regression.earliest);
    if (other && lasts && std::fabs(r.since - regression.since) <= apart) return true;
  }
  return false;
}

std::optional<double> RegressionWatch::now(const Quantity& of) const {
  const auto found = watched_.find(text_of(of));
  if (found == watched_.end() || found->second.recents < 3) return std::nullopt;
  const Watched& w = found->second;
  return robust::median({w.recent.begin(), w.recent.begin() + w.recents});
}

}  // namespace nz::analysis
