#include "analysis/regression/judge.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace nz::analysis {
namespace {

// "p99.9" is 0.999; nothing for what is no quantile.
std::optional<double> quantile_named(const std::string& statistic) {
  if (statistic.size() < 2 || statistic[0] != 'p') return std::nullopt;
  char* end = nullptr;
  const double percent = std::strtod(statistic.c_str() + 1, &end);
  if (*end != '\0' || !(percent >= 0 && percent <= 100)) return std::nullopt;
  return percent / 100;
}

// The quantity itself; of what is no figure of a histogram the median.
double figure(const Histogram& histogram, const std::string& statistic) {
  if (statistic == "mean") return histogram.mean_seconds();
  return histogram.quantile_interpolated(quantile_named(statistic).value_or(0.5));
}

std::string id_of(const Quantity& of, double since) {
  return text_of(of) + '@' + std::to_string(std::llround(since));
}

double distance(double at, double earliest, double latest) {
  if (at < earliest) return earliest - at;
  return at > latest ? 2 * (at - latest) : 0;
}

bool concerns(const Event& event, const Labels& labels) {
  if (event.target.empty() || event.target == "host") return true;
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    return label.first != "target" || label.second == event.target;
  });
}

}  // namespace

std::vector<Event> events_near(std::span<const Event> events, const Labels& labels, double earliest,
                               double latest, double seconds, std::size_t most) {
  std::vector<Event> near;
  for (const Event& event : events) {
    const double apart = distance(event.at, earliest, latest);
    if (may_explain(event, apart, seconds) && concerns(event, labels)) near.push_back(event);
  }
  std::stable_sort(near.begin(), near.end(), [&](const Event& a, const Event& b) {
    return distance(a.at, earliest, latest) < distance(b.at, earliest, latest);
  });
  if (near.size() > most) near.resize(most);
  return near;
}

Regression regression_of(const Quantity& of, double before, double after, double at,
                         double earliest, double latest, double confidence,
                         std::span<const Event> events, const JudgeOptions& options) {
  Regression r;
  r.id = id_of(of, at);
  r.of = of;
  r.worse = after > before;
  r.before = before;
  r.after = after;
  r.since = at;
  r.earliest = earliest;
  r.latest = latest;
  r.confidence = confidence;
  r.events =
      events_near(events, of.labels, earliest, latest, options.event_seconds, options.most_events);
  return r;
}

std::optional<Verdict> judge(const Quantity& of, std::span<const Slice> slices, double about,
                             std::span<const Event> events, const JudgeOptions& options) {
  const auto located = locate_change(slices, about, options.locate);
  if (!located) return std::nullopt;
  Verdict verdict;
  verdict.located = *located;
  verdict.shape = located->shape;
  std::vector<Slice> before, after;
  for (std::size_t i = 0; i < slices.size(); i++) {
    if (slices[i].to <= located->earliest) before.push_back(slices[i]);
    if (slices[i].from >= located->latest && i < located->end) after.push_back(slices[i]);
  }
  verdict.shift = compare(before, after, options.shift);
  if (verdict.shape != Shape::step || verdict.shift.moved.empty()) return verdict;

  Regression r = regression_of(of, figure(merged(before), of.statistic),
                               figure(merged(after), of.statistic), located->at, located->earliest,
                               located->latest, verdict.shift.confidence, events, options);
  for (const QuantileShift& s : verdict.shift.moved) r.moved.emplace_back(s.quantile, s.ratio);
  const auto& surest = *std::min_element(verdict.shift.moved.begin(), verdict.shift.moved.end(),
                                         [](const auto& a, const auto& b) { return a.p < b.p; });
  // The quantity itself may stand still while another part of the distribution moved.
  r.worse = surest.ratio > 1;
  if (located->until > 0) {
    r.state = FindingState::resolved;
    r.until = located->until;
  }
  verdict.regression = std::move(r);
  return verdict;
}

}  // namespace nz::analysis
