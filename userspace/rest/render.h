// What the answers of the interface have in common, as JSON.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "analysis/finding.h"
#include "analysis/window.h"
#include "userspace/rest/source.h"

namespace nz::rest {

using Json = nlohmann::ordered_json;

inline constexpr const char* kDrops = "nearzero_drops_total";

/// {from, to, seconds}
Json range_json(double from, double to);

/// What is missing in a range: events that were dropped in `window` by cause, probes that are not
/// attached now, and what history has no longer.
Json completeness(const Source& source, const View& view, const analysis::Window& window,
                  double from);
/// The same for a range that no window is at hand for.
Json completeness(const Source& source, const View& view, double from, double to);

/// One series of a window; `type` as the agent gave it.
Json series_json(const analysis::WindowSeries& series, metrics::Type type, double seconds);
Json labels_json(const analysis::Labels& labels);
Json finding_json(const analysis::Finding& finding);
Json slow_statement_json(const analysis::SlowStatement& statement);
Json hot_function_json(const analysis::HotFunction& function);

const char* name_of(analysis::Severity severity);
const char* name_of(analysis::FindingState state);
const char* name_of(metrics::Type type);

/// The type of a family: as in the view, otherwise as its name and series tell.
using TypeOf = std::function<metrics::Type(const analysis::WindowSeries&)>;
TypeOf types_of(const View& view);

/// Text that cannot be invalid UTF-8.
std::string dumped(const Json& json);

}  // namespace nz::rest
