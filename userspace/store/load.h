// A host's history as it could be, for measuring its size: latencies that differ from series to
// series and from minute to minute, counters, and gauges of every kind.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "userspace/metrics/family.h"

namespace nz::store::testing {

class Load {
 public:
  Load(int histograms, int scalars, unsigned seed = 1)
      : random_(seed),
        histograms_(static_cast<std::size_t>(histograms)),
        values_(static_cast<std::size_t>(scalars)) {}

  /// Cumulative, after `seconds` more. Latencies are lognormal with a heavier tail of 1 %; of ten
  /// series one has 500 values a second, four have 20, four have 1, and one has none.
  std::vector<metrics::Family> next(double seconds) {
    at_ += seconds;
    std::vector<metrics::Family> families(4);
    families[0] = {"load_latency_seconds", "", metrics::Type::histogram, {}};
    families[1] = {"load_events_total", "", metrics::Type::counter, {}};
    families[2] = {"load_seconds_total", "", metrics::Type::counter, {}};
    families[3] = {"load_level", "", metrics::Type::gauge, {}};
    for (std::size_t i = 0; i < histograms_.size(); i++)
      families[0].samples.push_back(latency(i, seconds));
    for (std::size_t i = 0; i < values_.size(); i++) scalar(families, i, seconds);
    return families;
  }

 private:
  static metrics::Labels label(std::size_t i) { return {{"i", std::to_string(i)}}; }

  metrics::Sample latency(std::size_t i, double seconds) {
    constexpr std::array<double, 10> kRates{500, 20, 20, 20, 20, 1, 1, 1, 1, 0};
    const double rate = kRates[i % kRates.size()];
    // A day's rhythm, and each series has its own middle.
    const double busy = 1 + 0.5 * std::sin(at_ / 86400 * 6.283 + static_cast<double>(i));
    std::poisson_distribution<int> count(rate * seconds * busy);
    std::lognormal_distribution<double> usual(
        std::log(2e4 * std::pow(1.02, static_cast<double>(i))), 0.4);
    std::lognormal_distribution<double> tail(std::log(1e6), 1.0);
    analysis::Histogram fresh;
    const int n = rate == 0 ? 0 : count(random_);
    // Of many values the shape is drawn from fewer: buckets matter, not the last digit of a count.
    const int drawn = std::min(n, 600);
    for (int k = 0; k < drawn; k++) {
      const double ns = random_() % 100 == 0 ? tail(random_) : usual(random_);
      add(fresh, static_cast<std::uint64_t>(ns),
          static_cast<std::uint64_t>(k < n % drawn ? n / drawn + 1 : n / drawn));
    }
    analysis::Histogram all = histograms_[i];
    all.merge(fresh);
    all.min_ns = fresh.min_ns;
    all.max_ns = fresh.max_ns;
    histograms_[i] = all;
    return {label(i), 0, std::make_shared<const analysis::Histogram>(all)};
  }
  static void add(analysis::Histogram& h, std::uint64_t ns, std::uint64_t n) {
    const std::size_t bucket = analysis::bucket_index(ns);
    (bucket == analysis::kZeroIndex       ? h.zero
     : bucket == analysis::kOverflowIndex ? h.overflow
                                          : h.buckets[bucket]) += n;
    h.sum_ns += n * ns;
    h.min_ns = h.min_ns == 0 ? ns : std::min(h.min_ns, ns);
    h.max_ns = std::max(h.max_ns, ns);
  }

  void scalar(std::vector<metrics::Family>& families, std::size_t i, double seconds) {
    double& value = values_[i];
    const double noise = static_cast<double>(random_() % 1000) / 1000;
    switch (i % 8) {
      case 0:  // events, many
        value += std::floor(seconds * 1000 * (0.5 + noise));
        break;
      case 1:  // events, few
        value += random_() % 4 == 0 ? 1 : 0;
        break;
      case 2:  // CPU time, in nanoseconds
        value += std::floor(seconds * 1e9 * noise * 0.3) / 1e9;
        break;
      case 3:  // a limit
        value = 1e9;
        break;
      case 4:  // bytes, in pages
        value = 4096 * std::floor(250'000 + 1000 * noise);
        break;
      case 5:  // a ratio of two digits, as of PSI
        value = std::floor(noise * 100) / 100;
        break;
      case 6:  // a small number
        value = std::floor(noise * 8);
        break;
      default:  // any double
        value = std::sqrt(noise + static_cast<double>(i));
        break;
    }
    families[i % 8 < 2 ? 1 : i % 8 == 2 ? 2 : 3].samples.push_back({label(i), value, nullptr});
  }

  std::mt19937 random_;
  double at_ = 0;
  std::vector<analysis::Histogram> histograms_;
  std::vector<double> values_;
};

}  // namespace nz::store::testing
