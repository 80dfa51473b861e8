#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/document/axis.h"
#include "userspace/report/document/drawing.h"
#include "userspace/report/document/svg.h"

namespace nz::report {
namespace {

// Small enough to stand two in a row, large enough to be read alone on a telephone.
constexpr Frame kLines{
    .width = 480, .height = 210, .left = 62, .right = 458, .top = 16, .bottom = 182};

std::string commands_of(const Line& line, const Scale& time, const Scale& value) {
  std::string commands;
  bool pen = false;  // on the paper
  for (const history::Point& p : line.points) {
    if (!std::isfinite(p.value) || !(p.at >= time.low() && p.at <= time.high())) {
      pen = false;
      continue;
    }
    const double x = kLines.left + time.at(p.at) * (kLines.right - kLines.left);
    const double y = kLines.bottom - value.at(p.value) * (kLines.bottom - kLines.top);
    // A point alone shows as the round cap of a line of no length.
    commands += pen ? fmt::format("L{:.1f} {:.1f}", x, y) : fmt::format("M{:.1f} {:.1f}h0", x, y);
    pen = true;
  }
  return commands;
}

}  // namespace

std::string line_class(std::size_t place) {
  return fmt::format("l{}", std::min(place, kMostLines - 1));
}

std::string line_chart_svg(const LineChart& chart) {
  Drawing drawing(kLines.width, kLines.height, chart.title);
  std::vector<double> values;
  for (const Line& line : chart.lines) {
    for (const history::Point& p : line.points) values.push_back(p.value);
  }
  const bool any =
      std::any_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  if (!any || !(chart.to > chart.from)) {
    drawing.text(kLines.width / 2, kLines.height / 2, "middle", "no values in this time");
    return drawing.take();
  }
  if (chart.limit) values.push_back(*chart.limit);
  const Scale value = scale_of(values, chart.unit);
  const Scale time(chart.from, chart.to, false);
  for (const double tick : ticks(value, chart.unit)) {
    const double y = kLines.bottom - value.at(tick) * (kLines.bottom - kLines.top);
    drawing.line(kLines.left, y, kLines.right, y, "grid");
    drawing.text(kLines.left - 6, y + 4, "end", analysis::figure_text(tick, chart.unit));
  }
  for (const double tick : time_ticks(chart.from, chart.to)) {
    const double x = kLines.left + time.at(tick) * (kLines.right - kLines.left);
    drawing.line(x, kLines.bottom, x, kLines.bottom + 4, "axis");
    drawing.text(x, kLines.bottom + 18, "middle", time_tick_text(tick, chart.from, chart.to));
  }
  drawing.line(kLines.left, kLines.bottom, kLines.right, kLines.bottom, "axis");
  if (value.log()) drawing.text(kLines.right, kLines.top - 5, "end", "log scale", "t small");
  if (chart.limit) {
    const double y = kLines.bottom - value.at(*chart.limit) * (kLines.bottom - kLines.top);
    drawing.line(kLines.left, y, kLines.right, y, "limit");
  }
  int number = 0;
  double last = -1e9;
  for (const Mark& mark : chart.marks) {
    number++;
    const double x = kLines.left + time.at(mark.at) * (kLines.right - kLines.left);
    drawing.line(x, kLines.top, x, kLines.bottom, "mark");
    // Numbers beside each other take turns in height.
    drawing.text(x + 2, x - last < 10 ? kLines.top + 18 : kLines.top + 8, "start",
                 std::to_string(number), "t num");
    last = x;
  }
  // What it is compared with lies behind.
  for (const bool reference : {true, false}) {
    std::size_t place = 0;
    for (const Line& line : chart.lines) {
      if (line.reference == reference) {
        drawing.path(commands_of(line, time, value),
                     reference ? "line ref" : "line " + line_class(place));
      }
      place += line.reference ? 0 : 1;
    }
  }
  return drawing.take();
}

}  // namespace nz::report
