// Draws the live table; apart from top.cpp so that a test can read it.
#pragma once

#include <string>

#include "userspace/cli/live_data.h"

namespace nz::cli {

struct TableStyle {
  size_t width = 100;
  bool colour = false;
  size_t rows_per_section = 12;
};

/// `window`: what happened during the last `seconds`; `now`: the cumulative state (gauges).
std::string top_table(const LiveData& window, const LiveData& now, double seconds,
                      const TableStyle& style);

/// Whether a target is observed part of the time only: a short window can lie in a pause.
bool has_pauses(const LiveData& now);

}  // namespace nz::cli
