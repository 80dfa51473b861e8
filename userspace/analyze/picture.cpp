#include "userspace/analyze/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "userspace/analyze/order.h"

namespace nz::analyze {
namespace {

constexpr std::size_t kMostMarks = 500;  // more are a red stripe

Plot plot_of(const CsvSeries& csv) {
  Plot plot;
  plot.unit = csv.value_name;
  plot.times = csv.times;
  plot.series = Ordered(csv).series();
  return plot;
}

std::string counted(std::size_t n, const char* one, const char* many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace

Plot picture_of(const CsvSeries& csv, const std::vector<Episode>& episodes) {
  Plot plot = plot_of(csv);
  plot.title = fmt::format("{}: {}", csv.name, counted(episodes.size(), "anomaly", "anomalies"));
  for (std::size_t i = 0; i < episodes.size() && i < kMostMarks; i++) {
    const std::size_t worst = episodes[i].worst;
    plot.points.emplace_back(csv.series.at[worst], csv.series.value[worst]);
  }
  if (episodes.size() > kMostMarks) plot.title += fmt::format(", {} marked", kMostMarks);
  return plot;
}

Plot picture_of(const CsvSeries& csv, const std::vector<Change>& changes) {
  Plot plot = plot_of(csv);
  plot.title = fmt::format("{}: {}", csv.name, counted(changes.size(), "change", "changes"));
  for (std::size_t i = 0; i < changes.size(); i++) {
    const double at = csv.series.at[changes[i].index];
    if (i == 0) plot.levels.push_back({plot.series.at.front(), at, changes[i].before});
    const double end =
        i + 1 < changes.size() ? csv.series.at[changes[i + 1].index] : plot.series.at.back();
    plot.levels.push_back({at, end, changes[i].after});
  }
  return plot;
}

Plot picture_of(const CsvSeries& csv, const TrendAnswer& answer) {
  Plot plot = plot_of(csv);
  const analysis::TrendFit& t = answer.forecast ? answer.forecast->trend : answer.trend;
  plot.title = fmt::format("{}: {}", csv.name, t.significant ? "trend" : "no significant trend");
  double to = t.to;
  if (answer.forecast) {
    plot.limit = answer.forecast->limit;
    const bool ahead = answer.forecast->outcome == analysis::Forecast::Outcome::ahead;
    if (ahead)
      to = std::min(answer.forecast->likeliest, t.to + (answer.trend.to - answer.trend.from));
  }
  if (t.points > 0) plot.line = Plot::Line{t.from, to, t.value_at(t.from), t.value_at(to)};
  return plot;
}

}  // namespace nz::analyze
