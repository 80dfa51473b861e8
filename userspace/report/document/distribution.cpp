#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/document/axis.h"
#include "userspace/report/document/drawing.h"
#include "userspace/report/document/svg.h"

namespace nz::report {
namespace {

constexpr double kWidth = 720, kHeight = 190;
constexpr double kLeft = 52, kRight = 694, kTop = 10, kBottom = 162;
// Below this share a band cannot be told from none: half a pixel.
constexpr double kLeastHeight = 1.5;

struct Bounds {
  double low = HUGE_VAL, high = 0, most = 0;
  void take(const std::vector<Band>& bands) {
    for (const Band& b : bands) {
      if (b.share <= 0) continue;
      low = std::min(low, std::max(b.low, b.high / std::sqrt(2.0)));
      high = std::max(high, b.high);
      most = std::max(most, b.share);
    }
  }
};

}  // namespace

std::string distribution_svg(const Distribution& distribution) {
  Drawing drawing(kWidth, kHeight, distribution.title);
  Bounds bounds;
  bounds.take(distribution.now);
  bounds.take(distribution.before);
  if (!(bounds.most > 0)) {
    drawing.text(kWidth / 2, kHeight / 2, "middle", "no values in this time");
    return drawing.take();
  }
  const Scale latency(bounds.low, bounds.high, true);
  const Scale share = scale_of({bounds.most}, "share");
  const auto x_of = [&](double seconds) { return kLeft + latency.at(seconds) * (kRight - kLeft); };
  const auto y_of = [&](double part) { return kBottom - share.at(part) * (kBottom - kTop); };
  for (const double tick : ticks(share, "share")) {
    drawing.line(kLeft, y_of(tick), kRight, y_of(tick), "grid");
    drawing.text(kLeft - 6, y_of(tick) + 4, "end", analysis::percent_text(tick));
  }
  for (const double tick : ticks(latency, "seconds")) {
    drawing.line(x_of(tick), kBottom, x_of(tick), kBottom + 4, "axis");
    drawing.text(x_of(tick), kBottom + 18, "middle", analysis::seconds_text(tick));
  }
  for (const Band& b : distribution.now) {
    if (b.share <= 0) continue;
    const double left = x_of(b.low), right = x_of(b.high);
    const double height = std::max(kLeastHeight, kBottom - y_of(b.share));
    drawing.rectangle(left + 0.5, kBottom - height, std::max(0.5, right - left - 1), height, "bar",
                      analysis::seconds_text(b.low) + " to " + analysis::seconds_text(b.high) +
                          ": " + analysis::percent_text(b.share));
  }
  std::string outline;
  for (const Band& b : distribution.before) {
    const double y = b.share > 0 ? std::min(y_of(b.share), kBottom - kLeastHeight) : kBottom;
    if (outline.empty()) outline = fmt::format("M{:.1f} {:.1f}", x_of(b.low), kBottom);
    outline += fmt::format("L{:.1f} {:.1f}H{:.1f}", x_of(b.low), y, x_of(b.high));
  }
  if (!outline.empty()) outline += fmt::format("V{:.1f}", kBottom);
  drawing.path(outline, "line ref");
  drawing.line(kLeft, kBottom, kRight, kBottom, "axis");
  return drawing.take();
}

}  // namespace nz::report
