#include "userspace/trace/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "userspace/cli/terminal.h"

namespace nz::trace {
namespace {

// Lowest line first: what lies at or below the first boundary (59.6 ns); last: above the last one.
struct Line {
  double low, high;  // seconds
  uint64_t count;
};

std::vector<Line> lines_of(const analysis::Histogram& h, size_t buckets_per_line) {
  std::vector<Line> lines;
  const double first = analysis::upper_bound_seconds(0);
  const double step = analysis::upper_bound_seconds(1) / first;
  lines.push_back({0, first / step, h.zero});
  for (size_t i = 0; i < h.buckets.size(); i += buckets_per_line) {
    Line line{analysis::upper_bound_seconds(i) / step,
              analysis::upper_bound_seconds(std::min(i + buckets_per_line, h.buckets.size()) - 1),
              0};
    for (size_t j = i; j < i + buckets_per_line && j < h.buckets.size(); j++)
      line.count += h.buckets[j];
    lines.push_back(line);
  }
  lines.push_back({lines.back().high, -1, h.overflow});
  const auto holds = [](const Line& line) { return line.count != 0; };
  const auto begin = std::find_if(lines.begin(), lines.end(), holds);
  const auto end = std::find_if(lines.rbegin(), lines.rend(), holds).base();
  return begin < end ? std::vector<Line>(begin, end) : std::vector<Line>{};
}

}  // namespace

std::string picture(const analysis::Histogram& histogram, size_t width) {
  constexpr size_t kBesideBar = 36;
  std::vector<Line> lines = lines_of(histogram, NZ_BUCKETS_PER_OCTAVE);
  if (lines.size() <= 4) lines = lines_of(histogram, NZ_BUCKETS_PER_OCTAVE / 2);
  const size_t bar = std::clamp<size_t>(width > kBesideBar ? width - kBesideBar : 0, 10, 40);
  uint64_t most = 1;
  for (const Line& line : lines) most = std::max(most, line.count);
  std::string text;
  for (const Line& line : lines) {
    const auto filled = static_cast<size_t>(
        static_cast<double>(line.count) / static_cast<double>(most) * static_cast<double>(bar) +
        0.5);
    // What is there at all is seen.
    const std::string marks(std::max<size_t>(filled, line.count != 0 ? 1 : 0), '@');
    text += fmt::format("  {:>7} .. {:<7} {:>9} |{:<{}}|\n", cli::duration_text(line.low),
                        line.high < 0 ? "" : cli::duration_text(line.high), line.count, marks, bar);
  }
  return text;
}

}  // namespace nz::trace
