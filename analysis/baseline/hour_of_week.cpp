#include "analysis/baseline/hour_of_week.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/baseline/blob.h"
#include "analysis/robust.h"

namespace nz::analysis {
namespace {

constexpr std::int64_t kHoursOfDay = 24, kHoursOfWeek = 168;
constexpr std::uint64_t kVersion = 1;

struct Rung {
  Basis basis;
  std::size_t least;  // hours
  double worth;
};
constexpr std::array<Rung, 4> kLadder{{{Basis::hour_of_week, 3, 1},
                                       {Basis::kind_of_day, 4, 0.8},
                                       {Basis::hour_of_day, 4, 0.6},
                                       {Basis::all, 12, 0.3}}};

std::int64_t modulo(std::int64_t a, std::int64_t b) { return ((a % b) + b) % b; }

// 1970 began on a Thursday.
bool weekend(std::int64_t local_hour) {
  const std::int64_t days = (local_hour - modulo(local_hour, kHoursOfDay)) / kHoursOfDay;
  const std::int64_t day = modulo(days + 4, 7);  // Sunday is 0
  return day == 0 || day == 6;
}

double begin_of(const HourSummary& hour) { return static_cast<double>(hour.hour) * 3600; }

bool touches(const HourSummary& hour, std::span<const TimeRange> ranges) {
  return overlaps(ranges, begin_of(hour), begin_of(hour) + 3600);
}

}  // namespace

double Expected::deviations(double value) const {
  if (basis == Basis::none) return 0;
  const double off = on_scale(scale, value) - on_scale(scale, median);
  return off / std::hypot(spread, error);
}

std::int64_t HourOfWeek::local(std::int64_t hour) const {
  return hour + static_cast<std::int64_t>(std::floor(options_.utc_offset / 3600));
}

void HourOfWeek::add(HourSummary hour, std::span<const TimeRange> held_out) {
  if (hour.hour < 0 || (!hours_.empty() && hour.hour < hours_.back().hour)) return;
  if (!hours_.empty() && hour.hour == hours_.back().hour) hours_.pop_back();
  hour.held = touches(hour, held_out);
  hours_.push_back(hour);
  const std::int64_t oldest = hour.hour - kWeeks * kHoursOfWeek;
  std::erase_if(hours_, [&](const HourSummary& h) { return h.hour <= oldest; });
  if (hour.held) adopt_what_lasts();
}

void HourOfWeek::hold_out(std::span<const TimeRange> ranges) {
  for (HourSummary& hour : hours_) hour.held = hour.held || touches(hour, ranges);
}

void HourOfWeek::accept(double since) {
  std::erase_if(hours_, [&](const HourSummary& h) { return begin_of(h) < since; });
  for (HourSummary& hour : hours_) hour.held = false;
}

void HourOfWeek::forget_after(double at) {
  std::erase_if(hours_, [&](const HourSummary& h) { return begin_of(h) > at; });
}

void HourOfWeek::adopt_what_lasts() {
  const auto free =
      std::find_if(hours_.rbegin(), hours_.rend(), [](const HourSummary& h) { return !h.held; });
  const HourSummary& first = *free.base();
  const double lasted = begin_of(hours_.back()) + 3600 - begin_of(first);
  if (lasted >= options_.adopt_seconds) accept(begin_of(first));
}

std::size_t HourOfWeek::held() const {
  return static_cast<std::size_t>(
      std::count_if(hours_.begin(), hours_.end(), [](const HourSummary& h) { return h.held; }));
}

std::vector<const HourSummary*> HourOfWeek::same_hour(std::int64_t hour, Basis basis) const {
  const std::int64_t wanted = local(hour);
  std::vector<const HourSummary*> same;
  for (const HourSummary& h : hours_) {
    if (h.held || h.hour == hour) continue;  // what is judged does not speak for itself
    const std::int64_t has = local(h.hour);
    const bool hour_of_day = modulo(has - wanted, kHoursOfDay) == 0;
    const bool fits =
        basis == Basis::all || (basis == Basis::hour_of_day && hour_of_day) ||
        (basis == Basis::kind_of_day && hour_of_day && weekend(has) == weekend(wanted)) ||
        (basis == Basis::hour_of_week && modulo(has - wanted, kHoursOfWeek) == 0);
    if (fits) same.push_back(&h);
  }
  return same;
}

// Standard deviation of the same hour from week to week (from day to day where there is no second
// week), over the whole week: three medians alone cannot tell it.
double HourOfWeek::between_weeks() const {
  for (const std::int64_t lag : {kHoursOfWeek, kHoursOfDay}) {
    std::vector<double> differences;
    auto earlier = hours_.begin();
    for (const HourSummary& h : hours_) {
      while (earlier->hour < h.hour - lag) ++earlier;
      if (earlier->hour == h.hour - lag && !h.held && !earlier->held)
        differences.push_back((h.median - earlier->median) / std::sqrt(2.0));
    }
    if (differences.size() >= 12) return robust::sigma(std::move(differences), 0);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Expected HourOfWeek::expected(double at) const {
  Expected e;
  e.scale = options_.scale;
  const auto hour = static_cast<std::int64_t>(std::floor(at / 3600));
  for (const Rung& rung : kLadder) {
    const auto same = same_hour(hour, rung.basis);
    if (same.size() < rung.least) continue;
    std::vector<double> medians, spreads;
    for (const HourSummary* h : same) {
      medians.push_back(h->median);
      spreads.push_back(h->spread);
    }
    const auto n = static_cast<double>(same.size());
    const double median = robust::median(medians);
    double between = robust::sigma(medians, median);
    const double usual = between_weeks();
    // Few hours say little about their spread: the rest of the week helps as three more would.
    if (std::isfinite(usual))
      between = std::sqrt((n * between * between + 3 * usual * usual) / (n + 3));
    const double within = robust::median(std::move(spreads));
    // What never varied is not infinitely sure: a thousandth of the level, or 0.1 %.
    const double least = options_.scale == Scale::log ? 1e-3 : 1e-3 * std::fabs(median);
    e.basis = rung.basis;
    e.hours = same.size();
    e.spread = std::max({std::hypot(between, within), least, 1e-12});
    e.error = 1.2533 * between / std::sqrt(n);
    e.sure = rung.worth * n / (n + 2);
    e.median = off_scale(options_.scale, median);
    const double reach = robust::kNormal99 * std::hypot(e.spread, e.error);
    e.low = off_scale(options_.scale, median - reach);
    e.high = off_scale(options_.scale, median + reach);
    return e;
  }
  return e;
}

std::string HourOfWeek::blob() const {
  BlobWriter out;
  out.varint(kVersion);
  out.varint(hours_.size());
  std::int64_t before = 0;
  for (const HourSummary& h : hours_) {
    out.varint(static_cast<std::uint64_t>(h.hour - before) << 1 | (h.held ? 1U : 0U));
    out.varint(h.points);
    out.number(h.median);
    out.half(h.spread);
    before = h.hour;
  }
  return out.take();
}

std::optional<HourOfWeek> HourOfWeek::from_blob(std::string_view blob, const Options& options) {
  BlobReader in(blob);
  HourOfWeek known(options);
  if (in.varint() != kVersion) return std::nullopt;
  const std::uint64_t n = in.count(8);
  if (n > static_cast<std::uint64_t>(kWeeks * kHoursOfWeek)) return std::nullopt;
  std::int64_t before = 0;
  for (std::uint64_t i = 0; i < n && in.ok(); i++) {
    HourSummary h;
    const std::uint64_t step = in.varint();
    h.held = (step & 1) != 0;
    h.hour = before + static_cast<std::int64_t>(step >> 1);
    h.points = static_cast<std::uint16_t>(in.varint());
    h.median = in.single();
    h.spread = in.half();
    const bool sound = std::isfinite(h.median) && std::isfinite(h.spread) && h.spread >= 0 &&
                       (i == 0 || h.hour > before);
    if (!sound) in.fail();
    before = h.hour;
    known.hours_.push_back(h);
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return known;
}

}  // namespace nz::analysis
