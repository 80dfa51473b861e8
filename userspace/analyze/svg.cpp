#include "userspace/analyze/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "analysis/robust.h"
#include "userspace/analyze/svg_axis.h"

namespace nz::analyze {
namespace {

constexpr double kWidth = 1000, kHeight = 360;
constexpr double kLeft = 84, kRight = 984, kTop = 40, kBottom = 312;
constexpr std::size_t kMostPoints = 2000;

constexpr const char* kStyle =
    "text{font:12px system-ui,sans-serif;fill:#57606a}"
    ".title{font-size:14px;font-weight:600;fill:#24292f}"
    ".grid{stroke:#8b949e;stroke-opacity:.25}"
    ".series{fill:none;stroke:#2f7ebc;stroke-width:1.2}"
    ".point{fill:none;stroke:#d1242f;stroke-width:1.6}"
    ".level{stroke:#bc6c00;stroke-width:2}"
    ".change{stroke:#bc6c00;stroke-dasharray:4 3}"
    ".line{stroke:#1a7f37;stroke-width:2}"
    ".limit{stroke:#d1242f;stroke-dasharray:6 4}"
    "@media (prefers-color-scheme:dark){text{fill:#9aa4af}.title{fill:#e6edf3}"
    ".series{stroke:#58a6ff}.point,.limit{stroke:#ff7b72}.level,.change{stroke:#e3a03a}"
    ".line{stroke:#3fb950}}";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return out;
}

class Canvas {
 public:
  explicit Canvas(const Plot& plot) : plot_(plot) { scale(); }

  std::string text() {
    out_ = fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">)"
        "\n<style>{2}</style>\n<title>{3}</title>\n"
        R"(<text class="title" x="{4}" y="22">{3}</text>)"
        "\n",
        kWidth, kHeight, kStyle, escaped(plot_.title), kLeft);
    axes();
    series();
    levels();
    if (plot_.line) {
      segment("line", x(plot_.line->from), y(plot_.line->first), x(plot_.line->to),
              y(plot_.line->last));
    }
    if (plot_.limit) segment("limit", kLeft, y(*plot_.limit), kRight, y(*plot_.limit));
    for (const auto& [at, value] : plot_.points) {
      add(R"(<circle class="point" cx="{:.1f}" cy="{:.1f}" r="4"/>)", x(at), y(value));
    }
    return out_ + "</svg>\n";
  }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
    out_ += '\n';
  }

  void segment(const char* name, double x1, double y1, double x2, double y2) {
    add(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", name, x1, y1, x2,
        y2);
  }

  void scale() {
    std::vector<double> values;
    for (const double v : plot_.series.value) {
      if (std::isfinite(v)) values.push_back(v);
    }
    if (values.empty()) values.push_back(0);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    low_ = *least;
    high_ = *most;
    const double median = analysis::robust::median(values);
    log_ = low_ > 0 && high_ > 50 * median;
    if (plot_.limit) include(*plot_.limit);
    if (plot_.line) {
      include(plot_.line->first);
      include(plot_.line->last);
    }
    const double room = log_ ? 0 : (high_ - low_) * 0.05;
    low_ = low_ >= 0 && low_ - room < 0 ? 0 : low_ - room;
    high_ += room;
    if (!(high_ > low_)) {
      const double around = low_ == 0 ? 1 : std::fabs(low_) / 2;
      low_ -= around;
      high_ += around;
    }
    from_ = plot_.series.at.empty() ? 0 : plot_.series.at.front();
    to_ = plot_.series.at.empty() ? 1 : plot_.series.at.back();
    if (plot_.line) to_ = std::max(to_, plot_.line->to);
    if (!(to_ > from_)) to_ = from_ + 1;
  }

  void include(double value) {
    if (!std::isfinite(value) || (log_ && value <= 0)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }

  [[nodiscard]] double x(double at) const {
    return kLeft + (at - from_) / (to_ - from_) * (kRight - kLeft);
  }
  [[nodiscard]] double y(double value) const {
    if (!std::isfinite(value)) return value > 0 ? kTop : kBottom;
    const double part = log_ ? std::log(std::max(value, low_) / low_) / std::log(high_ / low_)
                             : (value - low_) / (high_ - low_);
    return kBottom - std::clamp(part, 0.0, 1.0) * (kBottom - kTop);
  }

  void axes() {
    const auto values = log_ ? log_ticks(low_, high_) : number_ticks(low_, high_, 6);
    for (const Tick& tick : values) {
      segment("grid", kLeft, y(tick.at), kRight, y(tick.at));
      add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft - 8, y(tick.at) + 4,
          tick.text);
    }
    for (const Tick& tick : time_ticks(plot_.times, from_, to_, 9)) {
      segment("grid", x(tick.at), kTop, x(tick.at), kBottom);
      add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", x(tick.at), kBottom + 18,
          tick.text);
      if (!tick.below.empty())
        add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", x(tick.at),
            kBottom + 34, tick.below);
    }
    add(R"~(<text transform="translate(16 {:.1f}) rotate(-90)" text-anchor="middle">{}{}</text>)~",
        (kTop + kBottom) / 2, escaped(plot_.unit), log_ ? " (log)" : "");
  }

  // `path` goes on or begins anew after a hole.
  void to(std::string& path, bool& begun, double px, double py) {
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", begun ? "L" : "M", px, py);
    begun = true;
  }

  void series() {
    const auto& at = plot_.series.at;
    const auto& value = plot_.series.value;
    std::string path;
    bool begun = false;
    if (at.size() <= kMostPoints) {
      for (std::size_t i = 0; i < at.size(); i++) {
        if (!std::isfinite(value[i])) {
          begun = false;
          continue;
        }
        to(path, begun, x(at[i]), y(value[i]));
      }
    } else {
      columns(path, begun);
    }
    add(R"(<path class="series" d="{}"/>)", path);
  }

  void columns(std::string& path, bool& begun) {
    const auto& at = plot_.series.at;
    double before = kLeft;
    for (std::size_t i = 0; i < at.size();) {
      const double column = std::floor(x(at[i]));
      double least = std::numeric_limits<double>::infinity(), most = -least;
      for (; i < at.size() && std::floor(x(at[i])) == column; i++) {
        const double v = plot_.series.value[i];
        if (!std::isfinite(v)) continue;
        least = std::min(least, v);
        most = std::max(most, v);
      }
      if (least > most) continue;
      if (column - before > 3) begun = false;  // a hole that can be seen
      before = column;
      to(path, begun, column + 0.5, y(least));
      if (most > least) to(path, begun, column + 0.5, y(most));
    }
  }

  void levels() {
    for (std::size_t i = 0; i < plot_.levels.size(); i++) {
      const Plot::Level& l = plot_.levels[i];
      segment("level", x(l.from), y(l.value), x(l.to), y(l.value));
      if (i > 0) segment("change", x(l.from), kTop, x(l.from), kBottom);
    }
  }

  const Plot& plot_;
  std::string out_;
  double low_ = 0, high_ = 1, from_ = 0, to_ = 1;
  bool log_ = false;
};

}  // namespace

std::string draw(const Plot& plot) { return Canvas(plot).text(); }

}  // namespace nz::analyze
