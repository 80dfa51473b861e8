#include "userspace/store/openmetrics_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace nz::store {
namespace {

using Kind = OpenMetricsKind;
using metrics::Type;

constexpr double kMostCounted = 9007199254740992.0;  // 2^53: a double counts no further

std::optional<std::string> without(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  return name.substr(0, name.size() - suffix.size());
}

bool has_label(const metrics::Labels& labels, std::string_view wanted) {
  return std::any_of(labels.begin(), labels.end(),
                     [&](const auto& label) { return label.first == wanted; });
}

// Takes `le` out of the labels.
std::optional<double> take_bound(metrics::Labels& labels) {
  const auto le = std::find_if(labels.begin(), labels.end(),
                               [](const auto& label) { return label.first == "le"; });
  if (le == labels.end()) return std::nullopt;
  const auto bound = openmetrics_number(le->second);
  labels.erase(le);
  return bound;
}

// The whole nanoseconds that an export divided: divided again they give the same double, so that
// an export of what was imported is the same text.
std::optional<std::uint64_t> nanoseconds(double seconds) {
  if (!(seconds >= 0 && seconds < 1e10)) return std::nullopt;
  const double nearest = std::round(seconds * 1e9);
  const double next = std::nextafter(nearest, std::numeric_limits<double>::infinity());
  for (const double candidate :
       {nearest, nearest - 1, nearest + 1, std::nextafter(nearest, 0.0), next}) {
    const auto whole = static_cast<std::uint64_t>(std::max(candidate, 0.0));
    if (static_cast<double>(whole) / 1e9 == seconds) return whole;
  }
  return static_cast<std::uint64_t>(nearest);
}

}  // namespace

Result<void> OpenMetricsSamples::type(OpenMetricsType&& type) {
  leave_point();
  family_ = std::move(type);
  begun_ = false;
  created_.reset();
  return settle();
}

Result<void> OpenMetricsSamples::sample(OpenMetricsSample&& sample) {
  Role role = role_of(sample);
  if (role == Role::created) {
    if (family_.kind == Kind::histogram) note_whole();
    return take_created(sample);
  }
  if (auto done = settle(); !done) return done;
  if (role == Role::part) {
    const auto taken = take_part(sample);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken) {
      note_whole();
      return {};
    }
    point_.reset();
    take_by_bucket(family_.family);
    role = Role::counter;
  }
  if (role == Role::counter && sample.value < 0)
    return fail(fmt::format("the counter {} is negative", sample.name),
                "a counter begins at 0: is it of '# TYPE ... gauge'?");
  return hold({.series = {std::move(sample.name), std::move(sample.labels),
                          role == Role::counter ? Type::counter : Type::gauge},
               .at = sample.at,
               .value = sample.value});
}

Result<void> OpenMetricsSamples::end() {
  leave_point();
  return settle();
}

OpenMetricsSamples::Role OpenMetricsSamples::role_of(const OpenMetricsSample& sample) {
  const std::string_view name = sample.name;
  if (family_.family.empty() || !name.starts_with(family_.family)) return role_by_name(sample);
  const std::string_view rest = name.substr(family_.family.size());
  const bool counted = rest == "_bucket" || rest == "_count" || rest == "_sum";
  switch (family_.kind) {
    case Kind::counter:  // the older format gives the family the name of its samples
      if (rest == "_total" || rest.empty()) return Role::counter;
      if (rest == "_created") return Role::created;
      break;
    case Kind::histogram: {
      const bool ours = !by_bucket_.contains(family_.family);
      if (counted) return ours ? Role::part : Role::counter;
      if (rest == "_created") return ours ? Role::created : Role::gauge;
      break;
    }
    case Kind::summary:
      if (rest.empty() || rest == "_created") return Role::gauge;
      if (counted) return Role::counter;
      break;
    case Kind::gauge:
    case Kind::stateset:
      if (rest.empty()) return Role::gauge;
      break;
    case Kind::info:
      if (rest == "_info" || rest.empty()) return Role::gauge;
      break;
    case Kind::gaugehistogram:
      if (rest == "_bucket" || rest == "_gcount" || rest == "_gsum") return Role::gauge;
      break;
    case Kind::unknown:
      break;
  }
  return role_by_name(sample);
}

OpenMetricsSamples::Role OpenMetricsSamples::role_by_name(const OpenMetricsSample& sample) {
  if (sample.name.ends_with("_total")) return Role::counter;
  if (has_label(sample.labels, "quantile")) bases_.insert(sample.name);
  if (const auto base = without(sample.name, "_bucket"); base && has_label(sample.labels, "le")) {
    bases_.insert(*base);
    take_by_bucket(*base);
    return Role::counter;
  }
  for (const char* suffix : {"_count", "_sum"}) {
    const auto base = without(sample.name, suffix);
    if (base && bases_.contains(*base)) return Role::counter;
  }
  return Role::gauge;
}

// Gives what was held back for its `_created`.
Result<void> OpenMetricsSamples::settle() {
  if (!held_) return {};
  Measured measured = std::move(*held_);
  held_.reset();
  return take_(std::move(measured));
}

void OpenMetricsSamples::leave_point() {
  if (point_) take_by_bucket(family_.family);
  point_.reset();
}

void OpenMetricsSamples::note_whole() {
  if (!begun_) whole_.insert(family_.family);
  begun_ = true;
}

void OpenMetricsSamples::take_by_bucket(const std::string& family) {
  if (by_bucket_.insert(family).second && whole_.contains(family)) turned_ = true;
}

// It may stand before what it belongs to, or behind.
Result<void> OpenMetricsSamples::take_created(const OpenMetricsSample& sample) {
  const double ms = sample.value * 1000;
  if (!(ms >= 1 && std::isfinite(ms)))
    return fail(fmt::format("{} is no time of ours (Unix seconds)", sample.name),
                "leave the line out");
  // The clocks of who counts and who asks may differ: not later than it was seen.
  const std::int64_t created = std::llround(std::min(ms, static_cast<double>(sample.at)));
  if (held_ && held_->at == sample.at && held_->series.labels == sample.labels &&
      held_->series.name.starts_with(family_.family)) {
    held_->created = created;
    return settle();
  }
  created_ = {sample.labels, sample.at, created};
  return settle();
}

Result<bool> OpenMetricsSamples::take_part(const OpenMetricsSample& sample) {
  const std::string_view rest = std::string_view(sample.name).substr(family_.family.size());
  metrics::Labels labels = sample.labels;
  const auto bound = rest == "_bucket" ? take_bound(labels) : std::nullopt;
  if (!point_) {
    point_.emplace();
    point_->labels = std::move(labels);
    point_->at = sample.at;
  } else if (point_->at != sample.at || point_->labels != labels) {
    return false;
  }
  Point& p = *point_;
  if (rest == "_sum") {
    const auto sum = nanoseconds(sample.value);
    if (!sum || p.has_sum) return false;
    p.state.sum_ns = *sum;
    p.has_sum = true;
  } else {
    const double count = sample.value;
    if (!(count >= 0 && count <= kMostCounted && count == std::floor(count))) return false;
    if (rest == "_count") {
      if (p.count) return false;
      p.count = count;
    } else {
      const auto& bounds = analysis::classic_bounds();
      if (p.buckets > bounds.size() || !bound) return false;
      const double expected =
          p.buckets < bounds.size() ? bounds[p.buckets] : std::numeric_limits<double>::infinity();
      const auto whole = static_cast<std::uint64_t>(count);
      if (*bound != expected || (p.buckets != 0 && whole < p.state.cumulative[p.buckets - 1]))
        return false;
      p.state.cumulative[p.buckets++] = whole;
    }
  }
  if (p.buckets != p.state.cumulative.size() || !p.count || !p.has_sum) return true;
  if (*p.count != static_cast<double>(p.state.cumulative.back())) return false;
  Measured whole{.series = {family_.family, std::move(p.labels), Type::histogram},
                 .at = p.at,
                 .classic = std::make_shared<const ClassicState>(p.state)};
  point_.reset();
  if (auto done = hold(std::move(whole)); !done) return tl::unexpected(done.error());
  return true;
}

Result<void> OpenMetricsSamples::hold(Measured&& measured) {
  if (created_ && created_->at == measured.at && created_->labels == measured.series.labels)
    measured.created = created_->created;
  created_.reset();
  held_ = std::move(measured);
  return {};
}

}  // namespace nz::store
