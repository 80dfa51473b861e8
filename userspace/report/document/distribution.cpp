#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/document/axis.h"
#include "userspace/report/document/drawing.h"
#include "userspace/report/document/svg.h"

namespace nz::report {
namespace {

constexpr Frame kBands{
    .width = 720, .height = 190, .left = 52, .right = 694, .top = 10, .bottom = 162};
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
  Drawing drawing(kBands.width, kBands.height, distribution.title);
  Bounds bounds;
  bounds.take(distribution.now);
  bounds.take(distribution.before);
  if (!(bounds.most > 0)) {
    drawing.text(kBands.width / 2, kBands.height / 2, "middle", "no values in this time");
    return drawing.take();
  }
  const Scale latency(bounds.low, bounds.high, true);
  const Scale share = scale_of({bounds.most}, "share");
  const auto x_of = [&](double seconds) {
    return kBands.left + latency.at(seconds) * (kBands.right - kBands.left);
  };
  const auto y_of = [&](double part) {
    return kBands.bottom - share.at(part) * (kBands.bottom - kBands.top);
  };
  for (const double tick : ticks(share, "share")) {
    drawing.line(kBands.left, y_of(tick), kBands.right, y_of(tick), "grid");
    drawing.text(kBands.left - 6, y_of(tick) + 4, "end", analysis::percent_text(tick));
  }
  for (const double tick : ticks(latency, "seconds")) {
    drawing.line(x_of(tick), kBands.bottom, x_of(tick), kBands.bottom + 4, "axis");
    drawing.text(x_of(tick), kBands.bottom + 18, "middle", analysis::seconds_text(tick));
  }
  for (const Band& b : distribution.now) {
    if (b.share <= 0) continue;
    const double left = x_of(b.low), right = x_of(b.high);
    const double height = std::max(kLeastHeight, kBands.bottom - y_of(b.share));
    drawing.rectangle(left + 0.5, kBands.bottom - height, std::max(0.5, right - left - 1), height,
                      "bar",
                      analysis::seconds_text(b.low) + " to " + analysis::seconds_text(b.high) +
                          ": " + analysis::percent_text(b.share));
  }
  std::string outline;
  for (const Band& b : distribution.before) {
    const double y =
        b.share > 0 ? std::min(y_of(b.share), kBands.bottom - kLeastHeight) : kBands.bottom;
    if (outline.empty()) outline = fmt::format("M{:.1f} {:.1f}", x_of(b.low), kBands.bottom);
    outline += fmt::format("L{:.1f} {:.1f}H{:.1f}", x_of(b.low), y, x_of(b.high));
  }
  if (!outline.empty()) outline += fmt::format("V{:.1f}", kBands.bottom);
  drawing.path(outline, "line ref");
  drawing.line(kBands.left, kBands.bottom, kBands.right, kBands.bottom, "axis");
  return drawing.take();
}

}  // namespace nz::report
