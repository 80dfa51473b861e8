#include "tests/detection/generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <utility>

namespace nz::test {
namespace {

constexpr double kDay = 86'400;
constexpr double kMonday = 1'704'067'200;  // 2024-01-01 00:00 UTC
constexpr double kBase = 0.001;            // seconds

// Distributions of the standard library differ from one library to the next; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed * 0x9E3779B97F4A7C15ULL + 1) {
    bits_.discard(8);
  }
  double uniform() { return (static_cast<double>(bits_() >> 11) + 0.5) * 0x1.0p-53; }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  std::size_t below(std::size_t n) {
    return std::min(n - 1, static_cast<std::size_t>(uniform() * static_cast<double>(n)));
  }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 bits_;
};

double day_shape(double at, double amplitude) {
  const double turn = 2 * std::numbers::pi * std::fmod(at, kDay) / kDay;
  return 1 + amplitude * (0.8 * std::sin(turn - 1.2) + 0.2 * std::sin(2 * turn));
}

// Saturday and Sunday are lower; it takes two hours around midnight to go down and up.
double week_shape(double at, double amplitude) {
  const double hours = std::fmod(at - kMonday, 7 * kDay) / 3600;
  double weekend = std::clamp((hours - 119) / 2, 0.0, 1.0);
  if (hours > 167) weekend = 1 - (hours - 167) / 2;
  if (hours < 1) weekend = 0.5 - hours / 2;
  return 1 - amplitude * weekend;
}

// Log of the p99 of `count` log-normal values, as many standard deviations from their median: the
// 0.99 quantile's sampling noise, by the normal limit of an order statistic.
double p99_deviation(Random& random, double sigma) {
  constexpr double kZ = 2.3263, kDensity = 0.02665, kCount = 500;
  return sigma * (kZ + std::sqrt(0.99 * 0.01 / kCount) / kDensity * random.normal());
}

double bucketed(double seconds) { return std::exp2((std::ceil(8 * std::log2(seconds)) - 0.5) / 8); }

}  // namespace

LabelledSeries make_series(const SeriesSpec& spec) {
  Random random(spec.seed);
  LabelledSeries s;
  s.spec = spec;
  s.at.resize(spec.points);
  s.value.resize(spec.points);
  const double sigma = std::sqrt(std::log1p(spec.cv * spec.cv));
  const double fresh = std::sqrt(1 - spec.phi * spec.phi);
  double noise = random.normal();
  std::size_t outlier = 0;
  double wild = 1;
  for (std::size_t i = 0; i < spec.points; i++) {
    const double at = kMonday + static_cast<double>(i) * spec.seconds;
    s.at[i] = at;
    noise = spec.phi * noise + fresh * random.normal();
    const double part = static_cast<double>(i) / static_cast<double>(spec.points);
    double v = kBase * day_shape(at, spec.day) * week_shape(at, spec.week) *
               (1 + spec.drift * part) * std::exp(sigma * noise);
    if (spec.step_at > 0 && i >= spec.step_at) v *= 1 + spec.step;
    if (spec.p99) v *= std::exp(p99_deviation(random, 0.5));
    if (outlier == 0 && random.uniform() < spec.outliers) {
      outlier = 1 + random.below(3);
      wild = random.between(3, 10);
    }
    if (outlier > 0) {
      v *= wild;
      outlier--;
    }
    if (spec.p99) v = bucketed(v);
    s.value[i] = random.uniform() < spec.missing ? std::numeric_limits<double>::quiet_NaN() : v;
  }
  const auto hour = static_cast<std::size_t>(3600 / spec.seconds);
  for (int gap = 0; gap < 2 && spec.missing > 0 && spec.points > 4 * hour; gap++) {
    const std::size_t from = random.below(spec.points - hour);
    for (std::size_t i = from; i < from + hour; i++) {
      s.value[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return s;
}

std::vector<SeriesSpec> step_specs(std::size_t count, std::size_t points, double seconds,
                                   std::uint64_t seed) {
  constexpr std::array<double, 4> kSteps = {0.05, 0.1, 0.2, 0.5};
  constexpr std::array<double, 5> kCv = {0.1, 0.2, 0.3, 0.4, 0.5};
  constexpr std::array<double, 3> kPhi = {0, 0.3, 0.6};
  std::vector<SeriesSpec> specs;
  Random random(seed);
  for (std::size_t i = 0; i < count; i++) {
    SeriesSpec s;
    s.seed = seed * 1'000'003 + i;
    s.points = points;
    s.seconds = seconds;
    const std::size_t kind = i % 10;
    s.cv = kCv[(i / 10) % kCv.size()];
    s.phi = kPhi[(i / 10 + i) % kPhi.size()];
    s.day = random.between(0, 0.3);
    s.week = random.between(0, 0.2);
    s.drift = random.between(-0.1, 0.1);
    s.p99 = kind >= 4 && kind < 8 ? true : kind == 9;
    const double place = random.between(0.25, 0.75);
    const bool down = random.uniform() < 1.0 / 3;
    if (kind < 8) {
      const double size = kSteps[kind % 4];
      s.step = down ? 1 / (1 + size) - 1 : size;
      s.step_at = static_cast<std::size_t>(place * static_cast<double>(points));
    }
    specs.push_back(s);
  }
  return specs;
}

const std::vector<std::string>& anomaly_kinds() {
  static const std::vector<std::string> kKinds = {"spike",    "dip",  "level", "contextual",
                                                  "variance", "flat", "shape", "trend"};
  return kKinds;
}

AnomalySeries make_anomaly_series(const std::string& kind, std::size_t points, std::uint64_t seed) {
  Random random(seed * 31 + kind.size() * 7 + static_cast<unsigned char>(kind[0]));
  AnomalySeries s;
  s.kind = kind;
  s.at.resize(points);
  s.value.resize(points);
  s.label.assign(points, 0);
  const double period = random.between(20, 200);
  const double amplitude = random.between(0.5, 2), noise = random.between(0.05, 0.3);
  const double phi = random.between(0, 0.6), level = random.between(5, 50);
  const double harmonic = random.between(0, 0.8);
  double ar = 0;
  // Places of five anomalies in the last three fifths.
  std::vector<std::pair<std::size_t, std::size_t>> places;
  const bool point = kind == "spike" || kind == "dip";
  for (std::size_t k = 0; k < 5 && kind != "none"; k++) {
    const std::size_t slot = points * 3 / 5 / 5;
    const std::size_t length = point ? 1 + random.below(3) : 20 + random.below(80);
    const std::size_t from = points * 2 / 5 + k * slot + random.below(slot - length);
    places.emplace_back(from, from + length);
    for (std::size_t i = from; i < from + length; i++) s.label[i] = 1;
  }
  std::size_t next = 0;
  double held = 0;
  for (std::size_t i = 0; i < points; i++) {
    while (next < places.size() && i >= places[next].second) next++;
    const bool odd = next < places.size() && i >= places[next].first;
    const auto t = static_cast<double>(i);
    const double since = odd ? t - static_cast<double>(places[next].first) : 0;
    double phase = 2 * std::numbers::pi * t / period;
    ar = phi * ar + std::sqrt(1 - phi * phi) * random.normal();
    double loud = noise;
    if (odd && kind == "variance") loud *= 5;
    if (odd && kind == "contextual") phase += std::numbers::pi;
    double shape = std::sin(phase) + harmonic * std::sin(2 * phase + 1);
    if (odd && kind == "shape") shape = std::sin(2 * phase) + harmonic * std::sin(phase);
    double v = level + amplitude * shape + loud * ar;
    const double size = amplitude * 1.6 + 6 * noise;
    if (odd && kind == "spike") v += size;
    if (odd && kind == "dip") v -= size;
    if (odd && kind == "level") v += 0.6 * size;
    if (odd && kind == "trend") v += 0.02 * size * since;
    if (odd && kind == "flat") v = held;
    held = v;
    s.at[i] = t;
    s.value[i] = v;
  }
  return s;
}

}  // namespace nz::test
