// Days of an order path, minute by minute, and what is learnt of them.
#pragma once

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "userspace/baselines/usual.h"

namespace nz::baselines::testing {

inline constexpr double kMonday = 1'700'438'400;  // 2023-11-20T00:00:00Z
inline constexpr double kHour = 3600, kDay = 86400;
inline constexpr const char* kOrders = "nearzero_order_stage_duration_seconds";

inline double no_offset(double) { return 0; }

inline analysis::Quantity p99_of(const std::string& stage) {
  return {kOrders, {{"target", "demo"}, {"stage", stage}}, "p99", "seconds"};
}

/// 1 ms by day, more in the evening: the same on every day.
inline double usual_seconds(double at) {
  return 1e-3 * std::exp(0.3 * std::sin(2 * 3.14159265 * at / kDay));
}

class Days {
 public:
  using Value = std::function<double(double at)>;
  explicit Days(store::Store& store, std::size_t most_series = 100)
      : usual(store, {most_series, &no_offset}) {}

  /// Values of some stages, each five minutes, in the middle of their minute.
  void run(double from, double to, const Value& value = usual_seconds,
           const std::vector<std::string>& stages = {"risk"}, const Troubles& troubles = {}) {
    for (double at = from + 30; at < to; at += 300) {
      std::vector<analysis::Measured> minute;
      for (const std::string& stage : stages)
        minute.push_back({p99_of(stage), value(at) * std::exp(noise_(random_))});
      usual.take(at, minute);
      usual.hold_out(at + 30, troubles);
      usual.work(at + 30);
    }
  }

  Usual usual;

 private:
  std::mt19937_64 random_{1};
  std::normal_distribution<double> noise_{0, 0.02};
};

}  // namespace nz::baselines::testing
