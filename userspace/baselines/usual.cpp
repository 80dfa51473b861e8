#include "userspace/baselines/usual.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string_view>
#include <utility>

#include "userspace/baselines/keys.h"

namespace nz::baselines {
namespace {

using analysis::Expected;
using analysis::HourOfWeek;
using analysis::HourPoints;
using analysis::HourSummary;
using analysis::Quantity;
using analysis::Scale;
using analysis::TimeRange;

constexpr double kHour = 3600;
constexpr double kSettle = 120;           // seconds, until the last minute of an hour has come
constexpr std::int64_t kFoldEvery = 6;    // hours
constexpr std::int64_t kAhead = 8;        // hours foretold: a group may be late by two
constexpr std::int64_t kRemember = 24;    // hours that may turn out to be held
constexpr std::size_t kMostWaiting = 48;  // hours of a series
constexpr double kForgetAfterSeconds = 28 * 86400.0;  // series that gave no value for so long
constexpr std::size_t kMostCompared = 40;
constexpr std::string_view kOrderPath = "nearzero_order_stage_duration_seconds";

std::int64_t hour_of(double at) { return static_cast<std::int64_t>(std::floor(at / kHour)); }
double begin_of(std::int64_t hour) { return static_cast<double>(hour) * kHour; }

/// The same for the same series, in whatever order its labels come.
std::string key_of(const Quantity& of) {
  Quantity sorted = of;
  std::sort(sorted.labels.begin(), sorted.labels.end());
  return analysis::text_of(sorted);
}

/// FNV-1a: the same in every version, because it says where on the disk a series is.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211U;
  }
  return hash;
}

Scale scale_of(const Quantity& of) { return of.unit == "seconds" ? Scale::log : Scale::linear; }

std::vector<Expected> outlook(const HourOfWeek& hours, std::int64_t from) {
  std::vector<Expected> ahead;
  for (std::int64_t i = 0; i < kAhead; i++)
    ahead.push_back(hours.expected(begin_of(from + i) + kHour / 2));
  return ahead;
}

}  // namespace

double local_utc_offset(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm local{};
  return localtime_r(&seconds, &local) == nullptr ? 0 : static_cast<double>(local.tm_gmtoff);
}

struct Usual::Merged {
  Quantity of;
  double last = 0;
  std::string before;  // its baseline as it was
  std::vector<HourSummary> waiting;
  std::vector<TimeRange> held;
  std::int64_t newest = -1;     // of the waiting hours that are in it now
  std::vector<Expected> ahead;  // empty: nothing is known of it
};

Usual::Entry::Entry(Quantity quantity) : of(std::move(quantity)), points(scale_of(of)) {}

// ---- of the thread that drains

Usual::Entry* Usual::entry_of(const Quantity& of) {
  std::string key = key_of(of);
  Group& group = groups_[hash_of(key) % kGroups];
  const auto found = group.entries.find(key);
  if (found != group.entries.end()) return &found->second;
  if (series_ >= options_.most_series) return nullptr;
  series_++;
  return &group.entries.try_emplace(std::move(key), of).first->second;
}

void Usual::take(double at, std::span<const analysis::Measured> minute) {
  const std::lock_guard lock(mutex_);
  if (!loaded_) return;
  if (at < newest_ - kHour) begin_hours_anew(at);
  newest_ = at;
  std::size_t left_out = 0;
  for (const analysis::Measured& measured : minute) {
    Entry* entry = entry_of(measured.of);
    if (entry == nullptr) {
      left_out++;
      continue;
    }
    if (const auto over = entry->points.add(at, measured.value)) wait(*entry, *over);
    entry->last = at;
  }
  left_out_ = left_out;
}

// A clock that was set back by hours: what is of later ones would keep all values out.
void Usual::begin_hours_anew(double at) {
  for (Group& group : groups_) {
    for (auto& [key, entry] : group.entries) {
      entry.points = HourPoints(scale_of(entry.of));
      entry.last = std::min(entry.last, at);
    }
  }
}

void Usual::wait(Entry& entry, const HourSummary& hour) {
  auto& waiting = entry.waiting;
  while (!waiting.empty() && waiting.back().hour > hour.hour) waiting.pop_back();
  if (!waiting.empty() && waiting.back().hour == hour.hour) {  // a restart lay in it
    if (hour.points > waiting.back().points) waiting.back() = hour;
    return;
  }
  if (waiting.size() >= kMostWaiting) {
    waiting.erase(waiting.begin());
    lost_hours_++;
  }
  waiting.push_back(hour);
}

// ---- of the thread that works

void Usual::hold_out(double now, const Troubles& troubles) {
  if (troubles.regressions.empty() && troubles.incidents.empty() && troubles.findings.empty())
    return;
  const std::int64_t present = hour_of(now);
  const double oldest = begin_of(present - kRemember);
  for (Group& group : groups_) {
    const std::lock_guard lock(mutex_);  // for each by itself: a drain may ask in between
    for (auto& [key, entry] : group.entries) {
      for (const TimeRange& range :
           analysis::held_out(entry.of.name, entry.of.labels, troubles.regressions,
                              troubles.incidents, troubles.findings)) {
        const double from = std::max(range.from, oldest);
        const double to = std::min(range.to, now);
        if (!(from < to)) continue;
        for (std::int64_t hour = hour_of(from); begin_of(hour) < to; hour++)
          entry.held.insert(hour);
      }
    }
  }
}

void Usual::work(double now) {
  if (!load(now)) return;
  const std::int64_t hour = hour_of(now);
  if (now - begin_of(hour) < kSettle) return;
  if (kept_hour_ != hour) keep_waiting(hour);
  for (std::size_t number = 0; number < kGroups; number++) {
    if (!is_due(number, hour)) continue;
    {
      const std::lock_guard lock(mutex_);
      Group& group = groups_[number];
      if (group.entries.empty()) {
        group.folded = hour;
        continue;
      }
    }
    fold(number, hour, now);
    return;
  }
}

void Usual::note_error(const std::string& what) {
  errors_++;
  // Each minute tries again: one line for each kind of failure is enough.
  if (what == last_error_) return;
  last_error_ = what;
  spdlog::warn("baselines: {}", what);
}

std::optional<std::vector<KnownSeries>> Usual::read_group(std::size_t number) {
  const std::string key = group_key(number);
  const auto blob = store_.find_state(key);
  if (!blob) {
    note_error(key + " cannot be read: " + blob.error().text());
    return std::nullopt;
  }
  if (!*blob) return std::vector<KnownSeries>{};
  auto known = group_from(**blob);
  if (known) return known;
  note_error(key + " is damaged: what was usual for its series is learnt anew");
  return std::vector<KnownSeries>{};
}

HourOfWeek Usual::hours_of(const Quantity& of, const std::string& blob, double now) {
  HourOfWeek::Options options;
  options.scale = scale_of(of);
  options.utc_offset = options_.utc_offset(now);
  if (blob.empty()) return HourOfWeek(options);
  auto known = HourOfWeek::from_blob(blob, options);
  if (!known) {
    note_error("the hours of " + analysis::text_of(of) + " are damaged: they are learnt anew");
    return HourOfWeek(options);
  }
  known->forget_after(now);
  return std::move(*known);
}

// ---- after a start

bool Usual::load(double now) {
  for (; next_to_load_ < kGroups; next_to_load_++) {
    const auto known = read_group(next_to_load_);
    if (!known) return false;
    adopt(next_to_load_, *known, now);
  }
  if (next_to_load_ > kGroups) return true;
  if (!load_waiting()) return false;
  next_to_load_++;
  kept_hour_ = hour_of(now);
  const std::lock_guard lock(mutex_);
  loaded_ = true;
  return true;
}

void Usual::adopt(std::size_t number, const std::vector<KnownSeries>& known, double now) {
  const std::int64_t hour = hour_of(now);
  for (const KnownSeries& series : known) {
    auto ahead = outlook(hours_of(series.of, series.hours, now), hour);
    const std::lock_guard lock(mutex_);
    Entry* entry = entry_of(series.of);
    if (entry == nullptr) continue;  // it stays on disk until it is forgotten
    entry->last = std::min(series.last, now);
    entry->ahead = std::move(ahead);
  }
  const std::lock_guard lock(mutex_);
  groups_[number].folded = hour;
}

bool Usual::load_waiting() {
  const auto blob = store_.find_state(kWaitingKey);
  if (!blob) {
    note_error(std::string(kWaitingKey) + " cannot be read: " + blob.error().text());
    return false;
  }
  if (!*blob) return true;
  const auto all = waiting_from(**blob);
  if (!all) {
    note_error(std::string(kWaitingKey) + " is damaged: some hours are lost");
    return true;
  }
  for (const WaitingHours& series : *all) {
    const std::lock_guard lock(mutex_);
    Entry* entry = entry_of(series.of);
    if (entry == nullptr) continue;
    for (const HourSummary& hour : series.hours) {
      wait(*entry, hour);
      if (hour.held) entry->held.insert(hour.hour);
      entry->last = std::max(entry->last, begin_of(hour.hour));
    }
  }
  return true;
}

// ---- once an hour, and every six hours

void Usual::keep_waiting(std::int64_t hour) {
  std::vector<WaitingHours> all;
  for (const Group& group : groups_) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, entry] : group.entries) {
      if (entry.waiting.empty()) continue;
      all.push_back({entry.of, entry.waiting});
      for (HourSummary& h : all.back().hours) h.held = entry.held.contains(h.hour);
    }
  }
  if (!all.empty()) {
    if (const auto put = store_.put_state(kWaitingKey, blob_of(all)); !put) {
      note_error("the last hours would not outlive a restart: " + put.error().text());
      return;
    }
  }
  kept_hour_ = hour;
}

// Groups take turns, so that no hour reads and writes all of them.
bool Usual::is_due(std::size_t number, std::int64_t hour) const {
  const std::int64_t folded = groups_[number].folded;
  if (folded == hour) return false;
  const bool its_turn = (hour + static_cast<std::int64_t>(number)) % kFoldEvery == 0;
  return its_turn || folded > hour || hour - folded >= kFoldEvery;
}

std::map<std::string, Usual::Merged> Usual::to_merge(std::size_t number,
                                                     std::vector<KnownSeries> known) const {
  std::map<std::string, Merged> merged;
  for (KnownSeries& series : known) {
    Merged& one = merged[key_of(series.of)];
    one.of = std::move(series.of);
    one.last = series.last;
    one.before = std::move(series.hours);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : groups_[number].entries) {
    Merged& one = merged[key];
    one.of = entry.of;
    one.last = entry.last;
    one.waiting = entry.waiting;
    for (const std::int64_t hour : entry.held)
      one.held.push_back({begin_of(hour), begin_of(hour + 1)});
  }
  return merged;
}

void Usual::fold(std::size_t number, std::int64_t hour, double now) {
  auto known = read_group(number);
  if (!known) return;
  const bool was_kept = !known->empty();
  auto merged = to_merge(number, std::move(*known));
  std::vector<KnownSeries> next;
  for (auto& [key, series] : merged) {
    HourOfWeek hours = hours_of(series.of, series.before, now);
    for (const HourSummary& waits : series.waiting) {
      if (waits.hour > hour) continue;
      hours.add(waits, series.held);
      series.newest = waits.hour;
    }
    hours.hold_out(series.held);
    if (hours.hours() == 0 || now - series.last > kForgetAfterSeconds) continue;
    next.push_back({series.of, series.last, hours.blob()});
    series.ahead = outlook(hours, hour);
  }
  if (was_kept || !next.empty()) {
    if (const auto put = store_.put_state(group_key(number), blob_of(next)); !put) {
      note_error(group_key(number) + " cannot be kept: " + put.error().text());
      return;
    }
  }
  last_error_.clear();
  publish(number, hour, now, merged);
}

void Usual::publish(std::size_t number, std::int64_t hour, double now,
                    std::map<std::string, Merged>& merged) {
  const std::lock_guard lock(mutex_);
  Group& group = groups_[number];
  for (auto at = group.entries.begin(); at != group.entries.end();) {
    Entry& entry = at->second;
    const auto found = merged.find(at->first);  // none: it came in between
    const bool known = found != merged.end() && !found->second.ahead.empty();
    entry.ahead.clear();
    if (known) {
      const std::int64_t newest = found->second.newest;
      entry.ahead = std::move(found->second.ahead);
      std::erase_if(entry.waiting, [&](const HourSummary& h) { return h.hour <= newest; });
      std::erase_if(entry.held, [&](std::int64_t h) { return h < hour - kRemember; });
    }
    if (!known && entry.waiting.empty() && now - entry.last > kHour) {
      at = group.entries.erase(at);
      series_--;
    } else {
      ++at;
    }
  }
  group.folded = hour;
}

// ---- of any thread

const Usual::Entry* Usual::find(const Quantity& of, const Group** group) const {
  const std::string key = key_of(of);
  *group = &groups_[hash_of(key) % kGroups];
  const auto found = (*group)->entries.find(key);
  return found == (*group)->entries.end() ? nullptr : &found->second;
}

std::optional<Expected> Usual::expected(const Quantity& of, double at) const {
  const std::lock_guard lock(mutex_);
  const Group* group = nullptr;
  const Entry* entry = find(of, &group);
  if (entry == nullptr) return std::nullopt;
  const std::int64_t index = hour_of(at) - group->folded;
  if (index < 0 || index >= static_cast<std::int64_t>(entry->ahead.size())) return std::nullopt;
  const Expected& expected = entry->ahead[static_cast<std::size_t>(index)];
  if (expected.basis == analysis::Basis::none) return std::nullopt;
  return expected;
}

std::optional<alerts::BaselineValue> Usual::value(const Quantity& of, double at) const {
  const auto known = expected(of, at);
  if (!known || known->basis < analysis::Basis::kind_of_day) return std::nullopt;
  const double spread = std::hypot(known->spread, known->error);
  return alerts::BaselineValue{
      known->median, known->scale == Scale::log ? known->median * std::expm1(spread) : spread};
}

std::vector<analysis::AgainstUsual> Usual::against_usual() const {
  std::vector<analysis::AgainstUsual> all;
  for (const Group& group : groups_) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, entry] : group.entries) {
      if (entry.ahead.empty()) continue;
      const auto hour = entry.points.summary();
      if (!hour) continue;
      const std::int64_t index = hour->hour - group.folded;
      if (index < 0 || index >= static_cast<std::int64_t>(entry.ahead.size())) continue;
      const Expected& usual = entry.ahead[static_cast<std::size_t>(index)];
      if (usual.basis == analysis::Basis::none) continue;
      const double value = analysis::off_scale(usual.scale, static_cast<double>(hour->median));
      if (entry.of.name != kOrderPath && value >= usual.low && value <= usual.high) continue;
      all.push_back({entry.of, entry.last, value, usual});
    }
  }
  const auto rank = [](const analysis::AgainstUsual& a) {
    return std::pair(a.of.name != kOrderPath, -std::fabs(a.usual.deviations(a.value)));
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  if (all.size() > kMostCompared) all.resize(kMostCompared);
  return all;
}

}  // namespace nz::baselines
