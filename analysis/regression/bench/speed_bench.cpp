// What comparing, judging, baselines and trends cost. Not part of the tests: `ninja
// nz_regression_bench && analysis/regression/bench/nz_regression_bench`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <vector>

#include "analysis/baseline/hour_of_week.h"
#include "analysis/baseline/named.h"
#include "analysis/regression/compare.h"
#include "analysis/regression/judge.h"
#include "analysis/regression/test_slices.h"
#include "analysis/trend/forecast.h"

namespace {

using namespace nz::analysis;

// Median and slowest of 21 runs, in milliseconds.
void measure(const char* name, const std::function<void()>& run) {
  std::vector<double> ms;
  for (int i = 0; i < 21; i++) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                     .count());
  }
  std::sort(ms.begin(), ms.end());
  std::printf("%-58s median %8.3f ms  slowest %8.3f ms\n", name, ms[10], ms[20]);
}

Series month_of_minutes(std::size_t n) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise;
  Series s;
  for (std::size_t i = 0; i < n; i++) {
    s.at.push_back(1.7e9 + 60.0 * static_cast<double>(i));
    s.value.push_back(10 + 1e-5 * static_cast<double>(i) + noise(random));
  }
  return s;
}

HourOfWeek eight_weeks() {
  HourOfWeek baseline({Scale::log, 0, 14 * 86400.0});
  for (std::int64_t hour = 472344; hour < 472344 + 1344; hour++)
    baseline.add({hour, static_cast<float>(hour % 24), 0.1F, 60, false});
  return baseline;
}

}  // namespace

int main() {
  MadeSlices made(1);
  const auto slow = [](double at, double v) {
    return at >= MadeSlices::kStart + 1000 ? 1.5 * v : v;
  };
  const auto slices = made.make(200, 500, slow);
  const std::span<const Slice> all(slices);
  measure("compare 60 slices with 60", [&] { compare(all.first(60), all.subspan(110, 60)); });
  measure("judge 200 slices", [&] { judge({}, all, MadeSlices::kStart + 1000, {}); });
  const HourOfWeek baseline = eight_weeks();
  const std::string blob = baseline.blob();
  measure("hour of the week: what is expected",
          [&] { static_cast<void>(baseline.expected(472400 * 3600.0)); });
  measure("hour of the week: from its blob", [&] { HourOfWeek::from_blob(blob, {}); });
  const Series month = month_of_minutes(43'200), long_one = month_of_minutes(10'000'000);
  measure("trend of a month of minutes", [&] { fit_trend(month); });
  measure("forecast of a month of minutes", [&] { forecast(month, 100); });
  measure("trend of 10 million points", [&] { fit_trend(long_one); });
  std::printf(
      "state of a series: %zu B while it is watched (points of the hour %zu, expectation %zu), "
      "its baseline %zu B in the store\n",
      sizeof(HourPoints) + sizeof(Expected), sizeof(HourPoints), sizeof(Expected), blob.size());
  return 0;
}
