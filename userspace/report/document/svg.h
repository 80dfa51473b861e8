// Charts as inline SVG: no script, no font, no colour of its own. Colours come from the page's
// style sheet by class (html_style.h), so that they follow its light or dark scheme.
#pragma once

#include <string>

#include "userspace/report/document/document.h"

namespace nz::report {

/// Lines that have a class (colour, dash) of their own; further ones share the last.
inline constexpr std::size_t kMostLines = 8;

/// Time to the right, values up, grid, units, numbered marks, legend; a picture without a value
/// says so.
std::string line_chart_svg(const LineChart& chart);

/// The class of a line: "l0" and on.
std::string line_class(std::size_t place);

/// A bar for each row, all on one scale; parts wide enough carry their share.
std::string share_bars_svg(const ShareBars& bars);
/// The class of a part, "c0" to "c9": components of the order path always have the same.
std::string part_class(const std::string& name, std::size_t place);

/// Shares by latency: bars for now, an outline for before.
std::string distribution_svg(const Distribution& distribution);

}  // namespace nz::report
