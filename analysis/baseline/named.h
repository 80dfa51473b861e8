// A time that others are compared with, kept whole under a name: "release-1.4".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/regression.h"
#include "analysis/regression/compare.h"
#include "analysis/window.h"

namespace nz::analysis {

/// One series, slice by slice: histograms whole, gauges as values, counters as rates.
struct NamedSeries {
  std::string name;
  Labels labels;
  std::vector<Slice> slices;   ///< of a histogram
  std::vector<double> values;  ///< of a gauge or a counter
};

struct NamedBaseline {
  std::string name;
  double from = 0, to = 0;  ///< Unix seconds
  std::vector<NamedSeries> series;
  std::size_t left_out = 0;  ///< series that did not fit
};

/// Of consecutive windows, six to sixty: as many samples as a comparison has. A histogram of twelve
/// slices takes some 2 KB as a blob.
NamedBaseline baseline_of(std::string name, std::span<const Window> slices,
                          std::size_t most_series = 4000);

std::string blob_of(const NamedBaseline& baseline);
/// Nothing for what blob_of() did not write.
std::optional<NamedBaseline> baseline_from(std::string_view blob);

/// One series now and then.
struct Comparison {
  Quantity of;                   ///< statistic "p50", "rate" or "value"
  double before = 0, after = 0;  ///< medians
  Shift shift;                   ///< of a histogram
  double confidence = 0;         ///< 0..1 that it moved at all
  bool moved = false;            ///< sure, and by 5 % or more
};

/// Every series of both, those that moved first, the furthest before the others. Gauges and
/// counters need three slices on both sides, as histograms do.
std::vector<Comparison> compare(std::span<const Window> now, const NamedBaseline& baseline,
                                const ShiftOptions& options = {});

}  // namespace nz::analysis
