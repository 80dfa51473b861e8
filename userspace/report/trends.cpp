#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/text.h"
#include "analysis/trend/trend.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

constexpr std::size_t kMostPoints = 240, kMostMarks = 9, kMostForecasts = 20;
constexpr std::size_t kMostSlopes = 12;  // a fit of 1,024 points takes some 30 ms
constexpr std::size_t kLeastPoints = 8;  // fewer are never significant
constexpr const char* kOrderPath = "nearzero_order_stage_duration_seconds";

bool any_value(const std::vector<history::Point>& points) {
  return std::any_of(points.begin(), points.end(),
                     [](const history::Point& p) { return std::isfinite(p.value); });
}

std::string when(const std::optional<double>& at) {
  return at ? time_text(*at).substr(0, 16) : "not in sight";
}

Table forecast_table(const std::vector<Forecast>& forecasts) {
  Table table;
  table.title = "When limits are reached if it goes on so";
  table.columns = {{"what"},         {"now", true},       {"limit", true},
                   {"a day", true},  {"at the earliest"}, {"most likely"},
                   {"at the latest"}};
  for (const Forecast& f : forecasts) {
    if (table.rows.size() == kMostForecasts) {
      table.note = counted(static_cast<double>(forecasts.size() - kMostForecasts), "further one is",
                           "further ones are") +
                   " left out.";
      break;
    }
    const bool none = !f.earliest && !f.likeliest && !f.latest;
    table.rows.push_back(
        {{{shortened(f.what, 100)}, Tone::none},
         {{analysis::figure_text(f.value, f.of.unit)}, Tone::none},
         {{analysis::figure_text(f.limit, f.of.unit)}, Tone::none},
         {{none ? "no trend" : analysis::figure_text(f.per_day, f.of.unit)}, Tone::none},
         {{none ? "" : when(f.earliest)}, f.earliest ? Tone::warn : Tone::none},
         {{none ? "" : when(f.likeliest)}, Tone::none},
         {{none ? "" : when(f.latest)}, Tone::none}});
  }
  return table;
}

// Of the order path, by the fit that GET /performance/trends gives.
std::optional<Table> slope_table(const Facts& facts) {
  Table table;
  table.title = "Where the order path is heading";
  table.columns = {{"what"},          {"an hour", true}, {"at least", true},
                   {"at most", true}, {"p", true},       {"trend"}};
  for (const TrendLine& line : facts.in.trends) {
    if (line.of.name != kOrderPath) continue;
    analysis::Series series;
    for (const history::Point& p : line.now) {
      if (!std::isfinite(p.at) || !std::isfinite(p.value)) continue;
      if (!series.at.empty() && p.at <= series.at.back()) continue;
      series.at.push_back(p.at);
      series.value.push_back(p.value);
    }
    if (series.at.size() < kLeastPoints) continue;
    if (table.rows.size() == kMostSlopes) {
      table.note = "Further series are left out.";
      break;
    }
    const analysis::TrendFit fit = analysis::fit_trend(series);
    const auto per_hour = [&](double slope) {
      return std::isfinite(slope) ? analysis::figure_text(slope * 3600, line.of.unit)
                                  : std::string("not bounded");
    };
    const std::string trend = !fit.significant ? "none that is significant"
                              : fit.slope > 0  ? "rises"
                                               : "falls";
    table.rows.push_back({{code(shortened(analysis::text_of(line.of), 200)), Tone::none},
                          {{per_hour(fit.slope)}, Tone::none},
                          {{per_hour(fit.slope_least)}, Tone::none},
                          {{per_hour(fit.slope_most)}, Tone::none},
                          {{fit.p < 0.01 ? "< 0.01" : analysis::number_text(fit.p)}, Tone::none},
                          {{trend}, Tone::none}});
  }
  if (table.rows.empty()) return std::nullopt;
  return table;
}

// Titles for the quantities that are gathered (gather.cpp) beside the order path.
std::string title_of(const analysis::Quantity& of) {
  const auto label = [&](const char* key) {
    for (const auto& [name, value] : of.labels) {
      if (name == key) return shortened(value, 40);
    }
    return std::string();
  };
  const std::string target = label("target");
  if (of.name == "nearzero_runqueue_latency_seconds")
    return target + ": wait for a CPU, " + of.statistic;
  if (of.name == "nearzero_sqlite_wait_seconds")
    return target + ": SQLite's wait for " + label("kind") + ", " + of.statistic;
  if (of.name == "nearzero_target_memory_bytes") return target + ": resident memory";
  if (of.name == "nearzero_target_cpu_seconds_total") return target + ": CPUs used";
  if (of.name == "nearzero_host_cpu_seconds_total") return "Host: CPUs busy";
  if (of.name == "nearzero_disk_busy_seconds_total") return "Disk " + label("device") + ": busy";
  return shortened(analysis::text_of(of), 80);
}

}  // namespace

std::vector<Mark> marks_of(const Facts& facts, const std::string& target) {
  std::vector<Mark> marks;
  const auto add = [&](double at, const std::string& text) {
    if (at >= facts.in.from && at <= facts.in.to && marks.size() < kMostMarks)
      marks.push_back({at, shortened(text, 120)});
  };
  for (const Trouble& t : facts.troubles) {
    if (t.finding->target != target && t.finding->target != "host" && !target.empty()) continue;
    add(t.finding->since, t.finding->title);
    if (t.over) add(t.finding->until, "over: " + t.finding->title);
  }
  if (facts.in.extras.events) {
    for (const analysis::Event& e : *facts.in.extras.events) {
      if (e.target == target || e.target == "host" || target.empty()) add(e.at, e.text);
    }
  }
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.at < b.at; });
  return marks;
}

std::optional<LineChart> chart_of(const Facts& facts, const std::string& title,
                                  const std::vector<std::pair<std::string, const TrendLine*>>& of,
                                  const std::vector<Mark>& marks) {
  LineChart chart{title, "", facts.in.from, facts.in.to, {}, marks, std::nullopt};
  for (const auto& [name, line] : of) {
    if (line == nullptr || !any_value(line->now)) continue;
    chart.unit = line->of.unit;
    chart.lines.push_back({name, thinned(line->now, kMostPoints), false});
    if (any_value(line->before))
      chart.lines.push_back({of.size() == 1 ? facts.in.before_name : name + ", before",
                             thinned(line->before, kMostPoints), true});
  }
  if (chart.lines.empty()) return std::nullopt;
  return chart;
}

std::optional<Section> trends_section(const Facts& facts) {
  Section section{"trends", "Trends and forecasts", {}};
  Charts charts;
  constexpr std::size_t kMostCharts = 12;
  std::size_t left_out = 0;
  const std::vector<Mark> marks = marks_of(facts, "");
  for (const TrendLine& line : facts.in.trends) {
    // The order path has its own section.
    if (line.of.name == kOrderPath) continue;
    auto chart = chart_of(facts, title_of(line.of), {{"now", &line}}, marks);
    if (!chart) continue;
    if (charts.charts.size() == kMostCharts) {
      left_out++;
    } else {
      charts.charts.push_back(std::move(*chart));
    }
  }
  if (!charts.charts.empty()) section.blocks.emplace_back(std::move(charts));
  if (left_out > 0) {
    section.blocks.emplace_back(Paragraph{
        {counted(static_cast<double>(left_out), "further chart is", "further charts are") +
         " left out."},
        Tone::quiet});
  }
  if (auto slopes = slope_table(facts)) section.blocks.emplace_back(std::move(*slopes));
  if (facts.in.extras.forecasts) {
    if (facts.in.extras.forecasts->empty()) {
      section.blocks.emplace_back(Paragraph{{"No limit is in sight of a trend."}});
    } else {
      section.blocks.emplace_back(forecast_table(*facts.in.extras.forecasts));
    }
  }
  if (section.blocks.empty()) return std::nullopt;
  return section;
}

}  // namespace nz::report
