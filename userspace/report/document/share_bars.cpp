#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/document/drawing.h"
#include "userspace/report/document/svg.h"
#include "userspace/report/document/words.h"

namespace nz::report {
namespace {

constexpr Frame kBars{.width = 720, .left = 130, .right = 640};
constexpr double kRow = 26, kBar = 18;  ///< heights
constexpr double kNarrowest = 34;       ///< a part that carries its share

constexpr std::array<std::string_view, 10> kComponentNames = {
    "running", "runnable", "lock",       "idle", "disk",
    "network", "sleep",    "page_fault", "ipc",  "other"};

double total(const ShareBar& bar) {
  double sum = 0;
  for (const Part& part : bar.parts) sum += std::max(0.0, part.value);
  return sum;
}

}  // namespace

std::string part_class(const std::string& name, std::size_t place) {
  const auto known = std::find(kComponentNames.begin(), kComponentNames.end(), name);
  const std::size_t colour = known == kComponentNames.end()
                                 ? place % kComponentNames.size()
                                 : static_cast<std::size_t>(known - kComponentNames.begin());
  return fmt::format("c{}", colour);
}

std::string share_bars_svg(const ShareBars& bars) {
  double longest = 0;
  for (const ShareBar& bar : bars.bars) longest = std::max(longest, total(bar));
  Drawing drawing(kBars.width,
                  kRow * static_cast<double>(std::max<std::size_t>(bars.bars.size(), 1)),
                  bars.title);
  double y = 0;
  for (const ShareBar& bar : bars.bars) {
    drawing.text(kBars.left - 8, y + 17, "end", shortened(bar.label, 22));
    double x = kBars.left;
    const double sum = total(bar);
    std::size_t place = 0;
    for (const Part& part : bar.parts) {
      const double share = sum > 0 ? std::max(0.0, part.value) / sum : 0;
      const double width =
          longest > 0 ? std::max(0.0, part.value) / longest * (kBars.right - kBars.left) : 0;
      const std::string says = part.name + ": " + analysis::figure_text(part.value, bars.unit) +
                               ", " + analysis::percent_text(share);
      if (width > 0.05) {
        drawing.rectangle(x, y + 3, width, kBar,
                          part_class(part.name, place) + (bar.reference ? " faint" : ""), says);
      }
      if (width >= kNarrowest && share >= 0.01)
        drawing.text(x + width / 2, y + 16.5, "middle",
                     std::to_string(std::lround(share * 100)) + " %", "t in");
      x += width;
      place++;
    }
    drawing.text(x + 6, y + 17, "start", analysis::figure_text(sum, bars.unit));
    y += kRow;
  }
  return drawing.take();
}

}  // namespace nz::report
