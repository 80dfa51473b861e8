#include "userspace/analyze/trend_output.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "userspace/analyze/figures.h"
#include "userspace/analyze/order.h"

namespace nz::analyze {
namespace {

using analysis::Forecast;
using analysis::TrendFit;

struct Per {
  double seconds;
  const char* name;
};
Per per(const Times& times) {
  if (times.clock()) return {86400, "day"};
  return {1, times.kind() == Times::Kind::index ? "point" : "unit of time"};
}

const char* outcome_name(Forecast::Outcome outcome) {
  switch (outcome) {
    case Forecast::Outcome::reached:
      return "reached";
    case Forecast::Outcome::ahead:
      return "ahead";
    case Forecast::Outcome::away:
      return "away";
    case Forecast::Outcome::no_trend:
      break;
  }
  return "no_trend";
}

std::string length_text(const Times& times, double seconds) {
  if (!times.clock()) return fmt::format("{:.5g} {}s", seconds, per(times).name);
  if (seconds >= 2 * 86400) return fmt::format("{:.4g} days", seconds / 86400);
  if (seconds >= 2 * 3600) return fmt::format("{:.4g} hours", seconds / 3600);
  if (seconds >= 120) return fmt::format("{:.4g} minutes", seconds / 60);
  return fmt::format("{:.4g} seconds", seconds);
}

std::string p_text(double p) { return p < 0.0001 ? "< 0.0001" : fmt::format("{:.4f}", p); }

std::string time_or_never(const Times& times, double at) {
  return std::isfinite(at) ? times.readable(at) : "never";
}

std::string forecast_text(const Times& times, const Forecast& f) {
  const std::string limit = cell(f.limit);
  switch (f.outcome) {
    case Forecast::Outcome::reached:
      return fmt::format("{} is reached: the level is {}", limit, cell(f.level));
    case Forecast::Outcome::away:
      return fmt::format("the trend leads away from {}", limit);
    case Forecast::Outcome::no_trend:
      return fmt::format("none: without a significant trend nothing leads to {}", limit);
    case Forecast::Outcome::ahead:
      break;
  }
  return fmt::format(
      "{} is reached at {}, between {} and {}{}", limit, times.readable(f.likeliest),
      times.readable(f.earliest), time_or_never(times, f.latest),
      f.bent ? fmt::format("\n{:<12}(by what it did since {}: before, it went another way)", "",
                           times.readable(f.trend.from))
             : "");
}

std::string forecast_json(const Times& times, const Forecast& f) {
  const bool ahead = f.outcome == Forecast::Outcome::ahead;
  const auto time = [&](double at) {
    return ahead && std::isfinite(at) ? json_time(times, at) : "null";
  };
  return fmt::format(
      "{{\"limit\": {}, \"outcome\": \"{}\", \"level\": {}, \"earliest\": {}, \"likeliest\": {}, "
      "\"latest\": {}, \"rests_on_from\": {}}}",
      json_number(f.limit), outcome_name(f.outcome), json_number(f.level), time(f.earliest),
      time(f.likeliest), time(f.latest), json_time(times, f.trend.from));
}

}  // namespace

TrendAnswer find_trend(const CsvSeries& csv, const TrendQuestion& question) {
  const Ordered ordered(csv);
  analysis::TrendOptions options;
  options.clock = csv.times.clock();
  options.season = question.season;
  TrendAnswer answer;
  answer.trend = analysis::fit_trend(ordered.series(), options);
  if (question.limit)
    answer.forecast =
        analysis::forecast(ordered.series(), *question.limit, question.bound, options);
  return answer;
}

std::string trend_json(const CsvSeries& csv, const TrendAnswer& answer) {
  const TrendFit& t = answer.trend;
  const Per unit = per(csv.times);
  const std::vector<std::pair<const char*, std::string>> fields{
      {"file", json_text(csv.name)},
      {"column", json_text(csv.value_name)},
      {"points", std::to_string(t.points)},
      {"from", json_time(csv.times, t.from)},
      {"to", json_time(csv.times, t.to)},
      {"slope", json_number(t.slope * unit.seconds)},
      {"slope_low", json_number(t.slope_least * unit.seconds)},
      {"slope_high", json_number(t.slope_most * unit.seconds)},
      {"slope_per", json_text(unit.name)},
      {"p", json_number(t.p)},
      {"tau", json_number(t.tau)},
      {"significant", t.significant ? "true" : "false"},
      {"season", t.season > 0 ? json_number(t.season) : "null"},
      {"season_share", json_number(t.season_gain)},
      {"level_first", json_number(t.value_at(t.from))},
      {"level_last", json_number(t.value_at(t.to))},
      {"spread", json_number(t.spread)},
      {"note", t.note.empty() ? "null" : json_text(t.note)},
      {"forecast", answer.forecast ? forecast_json(csv.times, *answer.forecast) : "null"}};
  std::string text = "{";
  for (const auto& [name, value] : fields)
    text += fmt::format("{}\n  \"{}\": {}", text.size() == 1 ? "" : ",", name, value);
  return text + "\n}\n";
}

std::string trend_text(const CsvSeries& csv, const TrendAnswer& answer) {
  const TrendFit& t = answer.trend;
  const Per unit = per(csv.times);
  const auto slope = [&](double s) {
    return std::isfinite(s) ? fmt::format("{:+.5g}", s * unit.seconds) : "any";
  };
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  line("series", fmt::format("{} of {}, {} values from {} to {}", csv.value_name, csv.name,
                             t.points, csv.times.readable(t.from), csv.times.readable(t.to)));
  if (!t.note.empty() && !(t.slope != 0)) {
    line("trend", "none: " + t.note);
  } else {
    line("trend", fmt::format("{} per {} (95 %: {} to {})", slope(t.slope), unit.name,
                              slope(t.slope_least), slope(t.slope_most)));
    line("significant", fmt::format("{}, p {}, tau {:.2f}{}", t.significant ? "yes" : "no",
                                    p_text(t.p), t.tau, t.note.empty() ? "" : "; " + t.note));
  }
  if (t.season > 0)
    line("season", fmt::format("{}, {:.0f} % of the spread", length_text(csv.times, t.season),
                               100 * t.season_gain));
  line("level", fmt::format("{} at the beginning, {} at the end; spread {}",
                            cell(t.value_at(t.from)), cell(t.value_at(t.to)), cell(t.spread)));
  if (answer.forecast) line("forecast", forecast_text(csv.times, *answer.forecast));
  return text;
}

}  // namespace nz::analyze
