// How often, how soon and how well regressions of histograms are told, and how often of nothing:
// the table of docs/regressions.md. Not part of the tests: `ninja nz_regression_quality &&
// analysis/regression/bench/nz_regression_quality [SERIES]`.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "analysis/regression/test_slices.h"
#include "analysis/regression/watch.h"

namespace {

using namespace nz::analysis;

constexpr std::size_t kBefore = 1080, kAfter = 360, kValues = 200;  // 3 h, 1 h; 20 orders a second
constexpr double kStepAt = MadeSlices::kStart + kBefore * MadeSlices::kSeconds + 4;

struct Told {
  double at;
  Regression regression;
};

// As the agent feeds it: p50 and p99 each 10 s, a look after each.
std::vector<Told> watched(const std::vector<Slice>& slices) {
  RegressionWatch watch;
  std::vector<Told> told;
  const Labels labels{{"target", "demo"}};
  std::size_t n = 0;
  const auto history = [&](const Quantity&, double from, double /*to*/) {
    const auto begin = std::find_if(slices.begin(), slices.begin() + static_cast<std::ptrdiff_t>(n),
                                    [&](const Slice& s) { return s.from >= from; });
    return std::vector<Slice>(begin, slices.begin() + static_cast<std::ptrdiff_t>(n));
  };
  for (const Slice& slice : slices) {
    n++;
    watch.add({"nearzero_order_duration_seconds", labels, "p50", "seconds"}, slice.to,
              slice.histogram->quantile_interpolated(0.5));
    watch.add({"nearzero_order_duration_seconds", labels, "p99", "seconds"}, slice.to,
              slice.histogram->quantile_interpolated(0.99));
    for (const Regression& r : watch.look(slice.to, history, {}).opened)
      told.push_back({slice.to, r});
  }
  return told;
}

double median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void row(const char* what, double crowding, int series, double size, bool tail) {
  int found = 0, held = 0, early = 0;
  std::vector<double> delays, off;
  for (int i = 0; i < series; i++) {
    MadeSlices made(static_cast<std::uint64_t>(i + 1), crowding, 0.5);
    int n = 0;
    const auto slices = made.make(kBefore + kAfter, kValues, [&](double at, double v) {
      if (at < kStepAt) return v;
      // The slowest three in a hundred, or all.
      return tail && ++n % 33 != 0 ? v : v * (1 + size);
    });
    bool hit = false;
    for (const Told& t : watched(slices)) {
      if (t.at < kStepAt) {
        early++;
        continue;
      }
      if (hit) continue;
      hit = true;
      found++;
      delays.push_back(t.at - kStepAt);
      off.push_back(std::fabs(t.regression.since - kStepAt));
      if (t.regression.earliest <= kStepAt && kStepAt <= t.regression.latest) held++;
    }
  }
  std::printf("| %s | %.2f | %d %% |", what, crowding, 100 * found / series);
  if (found > 0) {
    std::printf(" %.0f s | %.0f s | %d %%", median(delays), median(off), 100 * held / found);
  } else {
    std::printf(" - | - | -");
  }
  std::printf(" | %d |\n", early);
  std::fflush(stdout);
}

void alarms(double crowding, int series) {
  std::size_t told = 0;
  constexpr std::size_t kDay = 8640;
  for (int i = 0; i < series; i++) {
    MadeSlices made(static_cast<std::uint64_t>(1000 + i), crowding, 0.5);
    told += watched(made.make(kDay, kValues, MadeSlices::unchanged)).size();
  }
  std::printf("| %.2f | %d | %zu | %.2f |\n", crowding, series, told,
              static_cast<double>(told) * 30 / series);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int series = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50;
  std::printf(
      "| step | level noise | told | delay | off by | interval holds | alarms before |\n"
      "|---|---:|---:|---:|---:|---:|---:|\n");
  for (const double crowding : {0.05, 0.2}) {
    for (const double size : {0.05, 0.1, 0.2, 0.5}) {
      char what[32];
      std::snprintf(what, sizeof what, "all values +%.0f %%", 100 * size);
      row(what, crowding, series, size, false);
    }
    row("3 of 100 values x 4", crowding, series, 3, true);
  }
  std::printf("\n| level noise | series-days | alarms | a series-month |\n|---:|---:|---:|---:|\n");
  for (const double crowding : {0.05, 0.2}) alarms(crowding, series);
  return 0;
}
