// Histograms in the text format, written without prometheus-cpp: its serializer prints each of the
// 48 boundaries of each histogram through an ostream, 10.4 ms for a scrape of 200 where this
// takes 1.9 (bench/render_bench.cpp). Byte for byte the same text, which histogram_text_test.cpp
// holds it to.
#pragma once

#include <string>
#include <string_view>

#include "userspace/metrics/family.h"

namespace nz::exposition {

/// Appends a histogram family to `text`; nothing if no sample has a histogram.
void append_histogram_family(std::string& text, const metrics::Family& family);

/// name="value",name="value" without the braces, valid and escaped.
std::string label_list(const metrics::Labels& labels);

/// A help text with what would end its line escaped, and made valid UTF-8.
std::string help_text(std::string_view help);

}  // namespace nz::exposition
