#include "userspace/alerts/recording.h"

#include <cmath>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <streambuf>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/rule.h"

namespace nz::alerts {
namespace {

using nlohmann::json;

analysis::Histogram histogram_of(const json& in) {
  analysis::Histogram h;
  h.zero = in.value("zero", std::uint64_t{0});
  h.overflow = in.value("overflow", std::uint64_t{0});
  h.sum_ns = in.value("sum_ns", std::uint64_t{0});
  h.min_ns = in.value("window_min_ns", std::uint64_t{0});
  h.max_ns = in.value("window_max_ns", std::uint64_t{0});
  for (const json& pair : in.at("buckets"))
    h.buckets.at(pair.at(0).get<std::size_t>()) = pair.at(1).get<std::uint64_t>();
  return h;
}

metrics::Family family_of(const std::string& name, const json& samples) {
  metrics::Family family{name, "", metrics::Type::gauge, {}};
  if (name.ends_with("_total")) family.type = metrics::Type::counter;
  for (const json& sample : samples) {
    metrics::Sample out;
    if (sample.contains("labels")) out.labels = pairs_from_json(sample.at("labels"));
    if (sample.contains("buckets")) {
      family.type = metrics::Type::histogram;
      out.histogram = std::make_shared<const analysis::Histogram>(histogram_of(sample));
    } else {
      const json& value = sample.at("value");
      out.value = value.is_null() ? std::nan("") : value.get<double>();
    }
    family.samples.push_back(std::move(out));
  }
  return family;
}

analysis::Quantity quantity_of(const json& in) {
  analysis::Quantity of;
  of.name = in.at("name").get<std::string>();
  if (in.contains("labels")) of.labels = pairs_from_json(in.at("labels"));
  of.statistic = in.value("statistic", "");
  of.unit = in.value("unit", "");
  return of;
}

analysis::FindingState state_of(const json& in) {
  return in.value("state", "") == "resolved" ? analysis::FindingState::resolved
                                             : analysis::FindingState::open;
}

std::vector<analysis::Event> events_of(const json& in) {
  std::vector<analysis::Event> events;
  if (!in.contains("events")) return events;
  for (const json& one : in.at("events")) {
    events.push_back({one.at("at").get<double>(), one.value("kind", ""), one.value("target", ""),
                      one.value("text", "")});
  }
  return events;
}

analysis::Finding finding_of(const json& in) {
  analysis::Finding f;
  f.id = in.at("id").get<std::string>();
  f.kind = in.value("kind", "");
  f.target = in.value("target", "");
  f.where = in.value("where", "");
  f.title = in.value("title", "");
  f.severity = parse_severity(in.value("severity", "info")).value_or(Severity::info);
  f.impact = in.value("impact", 0.0);
  f.confidence = in.value("confidence", 0.0);
  f.recommendation = in.value("recommendation", "");
  f.state = state_of(in);
  f.since = in.value("since", 0.0);
  return f;
}

analysis::Regression regression_of(const json& in) {
  analysis::Regression r;
  r.id = in.at("id").get<std::string>();
  r.of = quantity_of(in.at("of"));
  r.worse = in.value("worse", true);
  r.before = in.value("before", 0.0);
  r.after = in.value("after", 0.0);
  r.since = in.value("since", 0.0);
  r.earliest = in.value("earliest", r.since);
  r.latest = in.value("latest", r.since);
  r.confidence = in.value("confidence", 0.0);
  r.state = state_of(in);
  r.events = events_of(in);
  return r;
}

analysis::Incident incident_of(const json& in) {
  analysis::Incident incident;
  incident.id = in.at("id").get<std::string>();
  incident.since = in.value("since", 0.0);
  incident.until = in.value("until", 0.0);
  for (const json& one : in.at("members")) {
    incident.members.push_back({quantity_of(one.at("of")), one.value("at", 0.0),
                                one.value("value", 0.0), one.value("expected", 0.0),
                                one.value("score", 0.0)});
  }
  incident.events = events_of(in);
  return incident;
}

RecordedBaseline baseline_of(const json& in) {
  return {quantity_of(in.at("of")),
          in.value("name", "hour_of_week"),
          {in.at("middle").get<double>(), in.value("spread", 0.0)}};
}

std::optional<double> time_of(const json& in, const char* key) {
  const auto found = in.find(key);
  return found == in.end() || found->is_null() ? std::nullopt : std::optional(found->get<double>());
}

analysis::LimitForecast forecast_of(const json& in) {
  analysis::LimitForecast f;
  f.of = quantity_of(in.at("of"));
  f.what = in.value("what", "");
  f.value = in.value("value", 0.0);
  f.limit = in.value("limit", 0.0);
  f.per_day = in.value("per_day", 0.0);
  f.earliest = time_of(in, "earliest");
  f.likeliest = time_of(in, "likeliest");
  f.latest = time_of(in, "latest");
  f.subject = in.at("subject").get<std::string>();
  return f;
}

template <class T, class Read>
void list(const json& in, const char* key, std::optional<std::vector<T>>& out, Read read) {
  if (!in.contains(key)) return;
  out.emplace();
  for (const json& one : in.at(key)) out->push_back(read(one));
}

Moment moment_of(const json& in) {
  Moment moment;
  moment.at = in.at("at").get<double>();
  if (in.contains("families")) {
    moment.families.emplace();
    for (const auto& [name, samples] : in.at("families").items())
      moment.families->push_back(family_of(name, samples));
  }
  list(in, "findings", moment.findings, finding_of);
  list(in, "regressions", moment.regressions, regression_of);
  list(in, "incidents", moment.incidents, incident_of);
  list(in, "baselines", moment.baselines, baseline_of);
  list(in, "forecasts", moment.forecasts, forecast_of);
  return moment;
}

}  // namespace

// Past a line that is too long without keeping it.
bool Recording::read_line(std::string& text) {
  text.clear();
  std::streambuf& in = *in_.rdbuf();
  constexpr int kEnd = std::char_traits<char>::eof();
  int c = in.sbumpc();
  if (c == kEnd) return false;
  for (; c != kEnd && c != '\n'; c = in.sbumpc()) {
    if (text.size() <= most_) text += static_cast<char>(c);
  }
  line_++;
  return true;
}

Result<std::optional<Moment>> Recording::next() {
  std::string text;
  while (!broken_) {
    try {
      if (!read_line(text)) break;
    } catch (const std::exception& e) {
      broken_ = true;
      return fail(name_ + ": cannot be read beyond line " + std::to_string(line_) + ": " + e.what(),
                  "is it a file, and its disk well?");
    }
    const std::string place = name_ + ":" + std::to_string(line_);
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (text.size() > most_)
      return fail(place + ": longer than " + std::to_string(most_ >> 20U) + " MB",
                  "one moment a line");
    try {
      return std::optional<Moment>(moment_of(json::parse(text)));
    } catch (const std::exception& e) {
      return fail(place + ": not a moment of a recording: " + e.what(),
                  "a line is {\"at\": SECONDS, \"families\": {...}}; docs/alerts.md");
    }
  }
  return std::optional<Moment>();
}

}  // namespace nz::alerts
