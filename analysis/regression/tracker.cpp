#include "analysis/regression/tracker.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nz::analysis {
namespace {

// How much of the way from before to after a value has gone: 0 before, 1 after.
double way(const Regression& r, double value) {
  if (r.before > 0 && r.after > 0 && value > 0)
    return std::log(value / r.before) / std::log(r.after / r.before);
  return (value - r.before) / (r.after - r.before);
}

bool same_way(const Regression& a, const Regression& b) {
  return (a.after > a.before) == (b.after > b.before);
}

}  // namespace

RegressionTracker::Changes RegressionTracker::observe(const std::vector<Regression>& found,
                                                      const Now& now, double at) {
  at = std::max(at, last_);
  last_ = at;
  Changes changes;
  for (const Regression& regression : found) {
    if (regression.confidence >= options_.least_confidence) take(regression, at, changes);
  }
  for (auto entry = open_.begin(); entry != open_.end();) {
    Entry& e = entry->second;
    if (look(e, now ? now(e.regression.of) : std::nullopt, at)) {
      resolve(e, e.back_since, changes);
      entry = open_.erase(entry);
    } else if (at - e.regression.since >= options_.adopt_seconds) {
      adopt(e, at);
      resolve(e, at, changes);
      entry = open_.erase(entry);
    } else {
      ++entry;
    }
  }
  std::erase_if(resolved_,
                [&](const Regression& r) { return at - r.until > options_.keep_seconds; });
  return changes;
}

void RegressionTracker::take(const Regression& found, double at, Changes& changes) {
  const auto entry = open_.find(text_of(found.of));
  if (entry != open_.end()) {
    Entry& e = entry->second;
    // What ended before this look is told by look(), from the values of now.
    if (found.state == FindingState::resolved || found.since < e.regression.since) return;
    if (!same_way(e.regression, found) && way(e.regression, found.after) <= options_.back_share) {
      resolve(e, found.since, changes);
      open_.erase(entry);
      return;
    }
    further(e, found);
    changes.further = true;
    return;
  }
  // Both the end and what it was came to light at once: it is history.
  if (found.state == FindingState::resolved) {
    const bool known = std::any_of(resolved_.begin(), resolved_.end(),
                                   [&](const Regression& r) { return r.id == found.id; });
    if (!known) resolved_.push_back(found);
    while (resolved_.size() > options_.most) resolved_.pop_front();
    return;
  }
  if (!has_room_for(found)) {
    dropped_++;
    return;
  }
  const auto again = rejoined(found, at);
  open(again ? *again : found, changes);
}

void RegressionTracker::open(Regression regression, Changes& changes) {
  regression.state = FindingState::open;
  regression.until = 0;
  if (regression.events.size() > options_.most_events)
    regression.events.resize(options_.most_events);
  changes.opened.push_back(regression);
  const std::string key = text_of(regression.of);
  regression.state = FindingState::ongoing;
  open_[key] = Entry{std::move(regression), 0, 0};
}

void RegressionTracker::further(Entry& entry, const Regression& found) const {
  Regression& r = entry.regression;
  r.after = found.after;
  // In parts of the way: the quantiles' ratios are those against the first level.
  for (const auto& [quantile, ratio] : found.moved) {
    const auto known = std::find_if(r.moved.begin(), r.moved.end(),
                                    [q = quantile](const auto& m) { return m.first == q; });
    if (known == r.moved.end()) {
      r.moved.emplace_back(quantile, ratio);
    } else {
      known->second *= ratio;
    }
  }
  std::sort(r.moved.begin(), r.moved.end());
  for (const Event& event : found.events) {
    const bool known = std::any_of(r.events.begin(), r.events.end(), [&](const Event& e) {
      return e.at == event.at && e.kind == event.kind && e.target == event.target;
    });
    if (!known && r.events.size() < options_.most_events) r.events.push_back(event);
  }
  r.confidence = std::max(r.confidence, found.confidence);
}

// It came back: whoever was told that it ended has to hear that it did not.
std::optional<Regression> RegressionTracker::rejoined(const Regression& found, double at) {
  const auto back = std::find_if(resolved_.rbegin(), resolved_.rend(), [&](const Regression& r) {
    return text_of(r.of) == text_of(found.of) && same_way(r, found);
  });
  if (back == resolved_.rend() || at - back->until > options_.rejoin_seconds) return std::nullopt;
  Regression again = *back;
  again.after = found.after;
  resolved_.erase(std::next(back).base());
  return again;
}

// True when it is over.
bool RegressionTracker::look(Entry& entry, const std::optional<double>& value, double at) const {
  if (!value || !std::isfinite(*value)) return false;
  if (way(entry.regression, *value) > options_.back_share) {
    entry.back = 0;
    return false;
  }
  if (entry.back++ == 0) entry.back_since = at;
  return entry.back >= options_.back_looks && at - entry.back_since >= options_.back_seconds;
}

void RegressionTracker::resolve(Entry& entry, double until, Changes& changes) {
  Regression r = std::move(entry.regression);
  r.state = FindingState::resolved;
  r.until = std::max(until, r.since);
  changes.resolved.push_back(r);
  resolved_.push_back(std::move(r));
  while (resolved_.size() > options_.most) resolved_.pop_front();
}

void RegressionTracker::adopt(Entry& entry, double at) const {
  Event event;
  event.at = at;
  event.kind = "accepted";
  for (const auto& [key, value] : entry.regression.of.labels) {
    if (key == "target") event.target = value;
  }
  event.text = "the new level is taken as normal";
  if (entry.regression.events.size() >= options_.most_events) entry.regression.events.pop_back();
  entry.regression.events.push_back(std::move(event));
}

bool RegressionTracker::accept(const std::string& id, double at) {
  const auto entry = std::find_if(open_.begin(), open_.end(),
                                  [&](const auto& e) { return e.second.regression.id == id; });
  if (entry == open_.end()) return false;
  Changes ignored;  // whoever accepts knows it
  adopt(entry->second, at);
  resolve(entry->second, at, ignored);
  open_.erase(entry);
  return true;
}

// Full: the least sure one makes room, if it is less sure than this one.
bool RegressionTracker::has_room_for(const Regression& found) {
  if (open_.size() < options_.most) return true;
  const auto least = std::min_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
    return a.second.regression.confidence < b.second.regression.confidence;
  });
  if (least == open_.end() || least->second.regression.confidence >= found.confidence) return false;
  open_.erase(least);
  dropped_++;
  return true;
}

std::vector<Regression> RegressionTracker::regressions() const {
  std::vector<Regression> all;
  for (const auto& [key, entry] : open_) all.push_back(entry.regression);
  std::stable_sort(all.begin(), all.end(), [](const Regression& a, const Regression& b) {
    return a.confidence > b.confidence;
  });
  all.insert(all.end(), resolved_.rbegin(), resolved_.rend());
  return all;
}

void RegressionTracker::restore(const std::vector<Regression>& known) {
  for (const Regression& r : known) {
    if (r.state != FindingState::resolved) {
      if (open_.size() < options_.most) open_[text_of(r.of)] = Entry{r, 0, 0};
    } else if (resolved_.size() < options_.most) {
      resolved_.push_front(r);
    }
  }
}

}  // namespace nz::analysis
