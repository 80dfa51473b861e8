// Windows and trends out of a file of history: what Store gives to those who ask.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/window.h"
#include "userspace/history/history.h"
#include "userspace/store/reader.h"

namespace nz::store {

/// See Store::window().
Result<analysis::Window> window(Reader& reader, double from, double to,
                                const history::History::Filter& filter);

/// See Store::trends().
Result<std::vector<history::Trend>> trends(Reader& reader, const history::Selector& selector,
                                           double from, double to, double step);

/// See Store::family().
Result<std::optional<metrics::Family>> family(Reader& reader, const std::string& name);

/// The level whose intervals are short enough for a range of which the ends should be right to
/// 1/60, or for steps of which they should be right to 1/10. Seconds.
Level level_for_range(double seconds);
Level level_for_step(double seconds);

}  // namespace nz::store
