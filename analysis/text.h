// Figures in words for titles and evidence.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/finding.h"

namespace nz::analysis {

/// "4.2 ms", "60 us"; three digits at most.
std::string seconds_text(double seconds);
/// "42 %", "0.5 %".
std::string percent_text(double share);
/// "12.5k", "3.1", "48".
std::string number_text(double value);
/// "64 MiB".
std::string bytes_text(double bytes);
/// By unit: "seconds", "ratio", "bytes", "cores", "per second", "" (a number).
std::string figure_text(double value, std::string_view unit);

/// name{key="value",...} with values escaped as PromQL wants them.
std::string selector(std::string_view name, const Labels& labels = {});

/// "what: 4.2 ms (before: 60 us)"; "what: 4.2 ms" where nothing is known of before.
Evidence evidence(std::string_view name, const Labels& labels, std::string_view what, double value,
                  std::optional<double> before, std::string_view unit);

}  // namespace nz::analysis
