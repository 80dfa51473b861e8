// Where a series of an answer is heading, as JSON.
#pragma once

#include "userspace/history/history.h"
#include "userspace/rest/render.h"

namespace nz::rest {

/// Slope of the points, its interval and its significance: see analysis::fit_trend().
Json slope_json(const history::Trend& trend);

}  // namespace nz::rest
