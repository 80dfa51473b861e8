// Families as probes make them, for the tests and the benchmark of this folder.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "userspace/metrics/family.h"

namespace nz::exposition::testing {

/// `n` values between 1 us and 100 ms, evenly over the exponents; the same for the same seed.
inline std::vector<std::uint64_t> latencies_ns(std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(std::log2(1e3), std::log2(1e8));
  std::vector<std::uint64_t> values(n);
  for (auto& v : values) v = static_cast<std::uint64_t>(std::exp2(exponent(random)));
  return values;
}

inline std::shared_ptr<analysis::Histogram> histogram_of(const std::vector<std::uint64_t>& values) {
  auto h = std::make_shared<analysis::Histogram>();
  for (const auto v : values) h->record(v);
  return h;
}

/// One histogram family with `n` samples of 2,000 values each.
inline metrics::Family histogram_family(std::size_t n) {
  metrics::Family family{"nearzero_order_stage_duration_seconds",
                         "Time from a stage's entry to its end, in seconds.",
                         metrics::Type::histogram,
                         {}};
  for (std::size_t i = 0; i < n; ++i) {
    family.samples.push_back({{{"target", "matching"}, {"stage", "stage-" + std::to_string(i)}},
                              0,
                              histogram_of(latencies_ns(2'000, static_cast<unsigned>(i)))});
  }
  return family;
}

/// A counter, a gauge and a histogram.
inline std::vector<metrics::Family> one_of_each() {
  return {{"nearzero_drops_total",
           "Events that could not be recorded, by cause.",
           metrics::Type::counter,
           {{{{"probe", "sched"}, {"cause", "map_full"}}, 3, nullptr}}},
          {"nearzero_probe_attached",
           "1 if the probe is attached, else 0.",
           metrics::Type::gauge,
           {{{{"probe", "sched"}}, 1, nullptr}}},
          histogram_family(1)};
}

}  // namespace nz::exposition::testing
