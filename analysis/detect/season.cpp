#include "analysis/detect/season.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "analysis/robust.h"

namespace nz::analysis::detect {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kBins = 168;              // hour-of-week; 9 minutes of a day
constexpr std::size_t kMostBlocksTried = 4096;  // of one resolution, at most
constexpr std::size_t kLeastLag = 8;  // blocks: below, the next finer resolution sees it better
constexpr std::size_t kMostLag = 80;  // blocks: four times kLeastLag and room for the peak
constexpr double kLeastCorrelation = 0.1;  // of the autocorrelation
constexpr double kLeastAgreement = 0.3;
// Of the agreement, against chance: days and weeks are likely, other lengths are not.
constexpr double kLeastZ = 3.5, kLeastZOfOthers = 5;
constexpr double kFewPoints = 4;                     // of a bin
constexpr std::size_t kReach = 6;                    // points of a spike, and one
constexpr double kSpikeOfSeason = 4;                 // standard deviations
constexpr double kLeastCycles = 3, kLeastWeeks = 2;  // weeks are too likely to wait for a third
constexpr std::size_t kGroups = 8;                   // of cycles, at most
constexpr double kAlike = 0.02;           // so much less agreement is a likelier period worth
constexpr std::size_t kFolded = 131'072;  // points that periods are judged from, at most
// Seconds that points are usually apart: their days and weeks are tried as well.
constexpr std::array<double, 14> kSpacings = {1,  2,   5,   10,  15,  20,    30,
                                              60, 120, 300, 600, 900, 1'800, 3'600};

// Means of stretches of `length` points, in the middle of the series where there are more than
// `most`; NaN where nothing was measured.
std::vector<double> block_means(std::span<const double> values, double length, std::size_t most) {
  const auto all = static_cast<std::size_t>(static_cast<double>(values.size()) / length);
  const std::size_t count = std::min(all, most);
  const auto first = static_cast<std::size_t>(static_cast<double>(all - count) / 2) *
                     static_cast<std::size_t>(length);
  std::vector<double> mean(count, kMissing);
  for (std::size_t j = 0; j < count; j++) {
    const auto from = first + static_cast<std::size_t>(static_cast<double>(j) * length);
    const auto to = std::min(values.size(),
                             first + static_cast<std::size_t>(static_cast<double>(j + 1) * length));
    double sum = 0;
    std::size_t seen = 0;
    for (std::size_t i = from; i < to; i++) {
      if (std::isnan(values[i])) continue;
      sum += values[i];
      seen++;
    }
    if (seen > 0) mean[j] = sum / static_cast<double>(seen);
  }
  return mean;
}

// values - mean over `width` neighbours around each; near the ends, that of the last whole window.
std::vector<double> without_level(std::span<const double> values, std::size_t width) {
  const std::size_t n = values.size();
  std::vector<double> sum(n + 1, 0), seen(n + 1, 0);
  for (std::size_t i = 0; i < n; i++) {
    const bool here = !std::isnan(values[i]);
    sum[i + 1] = sum[i] + (here ? values[i] : 0);
    seen[i + 1] = seen[i] + (here ? 1 : 0);
  }
  std::vector<double> off(n, kMissing);
  const std::size_t half = width / 2;
  if (n < width) return off;
  for (std::size_t i = 0; i < n; i++) {
    const std::size_t from = std::min(i >= half ? i - half : 0, n - width);
    const double count = seen[from + width] - seen[from];
    // Half a period that is missing would tilt the level.
    if (count < 0.6 * static_cast<double>(width)) continue;
    off[i] = values[i] - (sum[from + width] - sum[from]) / count;
  }
  return off;
}

std::vector<double> autocorrelation(std::span<const double> values, std::size_t most) {
  std::vector<double> x(values.begin(), values.end());
  double square = 0;
  for (double& v : x) {
    if (std::isnan(v)) v = 0;
    square += v * v;
  }
  std::vector<double> r(most + 1, 0);
  if (square <= 0) return r;
  for (std::size_t lag = 0; lag <= most; lag++) {
    double sum = 0;
    for (std::size_t i = lag; i < x.size(); i++) sum += x[i] * x[i - lag];
    r[lag] = sum / square;
  }
  return r;
}

// The length in blocks near `lag` at which the whole autocorrelation repeats best: many cycles fix
// it to a fraction of a block.
double sharpened(std::span<const double> off, std::size_t lag) {
  const std::vector<double> r = autocorrelation(off, off.size() / 2);
  const std::size_t multiples = std::max<std::size_t>(1, (r.size() - 2) / (lag + 1));
  double best = static_cast<double>(lag), most = -1;
  for (int step = -50; step <= 50; step++) {
    const double period = static_cast<double>(lag) + 0.02 * step;
    double sum = 0;
    for (std::size_t k = 1; k <= multiples; k++) {
      const double at = period * static_cast<double>(k);
      const double low = std::floor(at);
      const auto i = static_cast<std::size_t>(low);
      sum += r[i] + (at - low) * (r[i + 1] - r[i]);
    }
    if (sum > most) {
      most = sum;
      best = period;
    }
  }
  return best;
}

// Periods in points at which the series may repeat: peaks of the autocorrelation, a resolution at a
// time, each four times coarser than the last.
std::vector<double> peaks(std::span<const double> values) {
  std::vector<double> found;
  for (std::size_t block = 1; values.size() / block >= 3 * kLeastLag; block *= 4) {
    std::vector<double> mean = block_means(values, static_cast<double>(block), kMostBlocksTried);
    mean = without_level(mean, std::min(2 * kMostLag, mean.size()));
    const std::size_t most = std::min(kMostLag, mean.size() / 3);
    const std::size_t least = block == 1 ? kLeastLag / 2 : kLeastLag;
    const std::vector<double> r = autocorrelation(mean, most + 1);
    std::vector<std::size_t> lags;
    double highest = kLeastCorrelation;
    for (std::size_t lag = least; lag + 1 < r.size(); lag++) {
      if (r[lag] < r[lag - 1] || r[lag] < r[lag + 1] || r[lag] < kLeastCorrelation) continue;
      lags.push_back(lag);
      highest = std::max(highest, r[lag]);
    }
    // Multiples of a period peak nearly as high as itself.
    const auto first = std::find_if(lags.begin(), lags.end(),
                                    [&](std::size_t lag) { return r[lag] >= 0.85 * highest; });
    if (first == lags.end()) continue;
    found.push_back(sharpened(mean, *first) * static_cast<double>(block));
  }
  return found;
}

// Shape of the cycles whose number is `group` modulo `groups`: a median for each bin.
std::vector<double> shape_of(std::span<const double> off, std::size_t bins, std::size_t groups,
                             std::size_t group) {
  std::vector<double> shape(bins, kMissing), of_bin;
  for (std::size_t bin = 0; bin < bins; bin++) {
    of_bin.clear();
    for (std::size_t j = group * bins + bin; j < off.size(); j += groups * bins) {
      if (!std::isnan(off[j])) of_bin.push_back(off[j]);
    }
    if (!of_bin.empty()) shape[bin] = robust::median_in_place(of_bin);
  }
  return shape;
}

void take_out_ramp(std::vector<double>& shape) {
  const double middle = static_cast<double>(shape.size() - 1) / 2;
  double tt = 0, ty = 0;
  for (std::size_t b = 0; b < shape.size(); b++) {
    if (std::isnan(shape[b])) continue;
    const double t = static_cast<double>(b) - middle;
    tt += t * t;
    ty += t * shape[b];
  }
  for (std::size_t b = 0; b < shape.size() && tt > 0; b++) {
    shape[b] -= ty / tt * (static_cast<double>(b) - middle);
  }
}

// Correlation of two shapes, and for how many independent bins it stands.
struct Correlation {
  double r = 0, worth = 4;
};

Correlation correlation(std::span<const double> one, std::span<const double> other) {
  double so = 0, se = 0, count = 0;
  for (std::size_t b = 0; b < one.size(); b++) {
    if (std::isnan(one[b]) || std::isnan(other[b])) continue;
    so += one[b];
    se += other[b];
    count++;
  }
  if (count < 4) return {};
  so /= count;
  se /= count;
  double oo = 0, ee = 0, oe = 0, noise = 0, neighbours = 0, before = kMissing;
  for (std::size_t b = 0; b < one.size(); b++) {
    if (std::isnan(one[b]) || std::isnan(other[b])) continue;
    const double o = one[b] - so, e = other[b] - se;
    oo += o * o;
    ee += e * e;
    oe += o * e;
    noise += (o - e) * (o - e);
    if (!std::isnan(before)) neighbours += (o - e) * before;
    before = o - e;
  }
  if (oo <= 0 || ee <= 0) return {};
  // Bins whose noise is alike count as fewer: the difference of both shapes is noise alone.
  const double alike = noise > 0 ? std::clamp(neighbours / noise, 0.0, 0.95) : 0;
  return {std::clamp(oe / std::sqrt(oo * ee), -0.999999, 0.999999),
          std::max(4.0, count * (1 - alike) / (1 + alike))};
}

// Each group of cycles against all others.
struct Agreement {
  double r = 0;  // of the shape of all cycles with the true one (Spearman and Brown)
  double z = 0;  // against chance
};

Agreement agreement(const std::vector<std::vector<double>>& shapes) {
  const std::size_t groups = shapes.size(), bins = shapes[0].size();
  std::vector<Correlation> all;
  std::vector<double> others(bins), of_bin;
  for (std::size_t g = 0; g < groups; g++) {
    for (std::size_t b = 0; b < bins; b++) {
      of_bin.clear();
      for (std::size_t k = 0; k < groups; k++) {
        if (k != g && !std::isnan(shapes[k][b])) of_bin.push_back(shapes[k][b]);
      }
      others[b] = of_bin.empty() ? kMissing : robust::median_in_place(of_bin);
    }
    all.push_back(correlation(shapes[g], others));
  }
  // A step in the series spoils the cycle that it falls into and its neighbour: the upper median.
  std::sort(all.begin(), all.end(),
            [](const Correlation& a, const Correlation& b) { return a.r < b.r; });
  const Correlation usual = all[groups / 2];
  const auto count = static_cast<double>(groups);
  Agreement a;
  const double r = std::max(usual.r, 0.0);
  a.r = count * r / (1 + (count - 1) * r);
  a.z = std::atanh(r) * std::sqrt(usual.worth - 3) * std::sqrt(count) / 1.25;
  return a;
}

// The series as periods are judged from it: means of so many points that it is not too long, and
// the middle of it for periods that such means would blur.
class Folded {
 public:
  // `clean`: the same without spikes, which bend a mean.
  Folded(std::span<const double> values, std::span<const double> clean)
      : block_((values.size() + kFolded - 1) / kFolded) {
    coarse_ = block_means(clean, static_cast<double>(block_), kFolded);
    // A point's place in its cycle has to stay what it is.
    offset_ = block_ > 1 ? (values.size() - kFolded) / 2 : 0;
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(offset_);
    fine_.assign(first, first + static_cast<std::ptrdiff_t>(std::min(kFolded, values.size())));
  }

  // The season of this length, with no profile where the evidence does not do.
  [[nodiscard]] Season season_of(double period, double least_z, double least_cycles) const {
    // Short bins are medians over cycles only, and a spike that each cycle has is its shape.
    const bool fine = period < kFewPoints * static_cast<double>(kBins) ||
                      period < 24 * static_cast<double>(block_);
    const std::vector<double>& values = fine ? fine_ : coarse_;
    const double length = fine ? period : period / static_cast<double>(block_);
    Season season;
    const std::size_t bins = std::min(kBins, static_cast<std::size_t>(length + 1e-9));
    if (static_cast<double>(values.size()) / length < least_cycles || bins < 4) return season;
    std::vector<double> off = block_means(values, length / static_cast<double>(bins),
                                          std::numeric_limits<std::size_t>::max());
    off = without_level(off, bins);
    const std::size_t groups = std::min(kGroups, off.size() / bins);
    std::vector<std::vector<double>> shapes;
    for (std::size_t g = 0; g < groups; g++) shapes.push_back(shape_of(off, bins, groups, g));
    // A step between two cycles leaves the same ramp in both.
    if (groups == 2) std::for_each(shapes.begin(), shapes.end(), take_out_ramp);
    const Agreement same = agreement(shapes);
    if (same.r < kLeastAgreement || same.z < least_z) return season;
    std::vector<double> profile = shape_of(off, bins, 1, 0);
    double mean = 0, seen = 0;
    for (const double v : profile) {
      if (std::isnan(v)) continue;
      mean += v;
      seen++;
    }
    for (double& v : profile) v = std::isnan(v) ? 0 : v - mean / seen;
    season.period = period;
    season.agreement = same.r;
    season.profile = std::move(profile);
    season.first = fine ? static_cast<double>(offset_) : 0;
    return season;
  }

 private:
  std::size_t block_, offset_ = 0;
  std::vector<double> coarse_, fine_;
};

// Days and weeks of points at usual spacings, shortest first, then what the series itself shows.
// `day`: the length of a day, where it is known already; weeks are seven of it.
Season best_season(std::span<const double> values, std::span<const double> clean, double day) {
  const Folded folded(values, clean);
  Season best;
  const auto look = [&](double length, double least_z, double least_cycles) {
    Season season = folded.season_of(length, least_z, least_cycles);
    if (!season.profile.empty() && season.agreement > best.agreement + kAlike) {
      best = std::move(season);
    }
  };
  if (day > 0) {
    look(7 * day, kLeastZ, kLeastWeeks);
  } else {
    for (auto s = kSpacings.rbegin(); s != kSpacings.rend(); ++s) {
      look(86'400 / *s, kLeastZ, kLeastCycles);
    }
    for (auto s = kSpacings.rbegin(); s != kSpacings.rend(); ++s) {
      look(7 * 86'400 / *s, kLeastZ, kLeastWeeks);
    }
  }
  for (const double length : peaks(clean)) look(length, kLeastZOfOthers, kLeastCycles);
  return best;
}

bool is_day(double length) {
  return std::any_of(kSpacings.begin(), kSpacings.end(),
                     [&](double s) { return std::abs(length - 86'400 / s) < 1e-9; });
}

std::vector<double> cleaned(const std::vector<double>& values) {
  std::vector<double> finite;
  for (const double v : values) {
    if (!std::isnan(v)) finite.push_back(v);
  }
  finite = robust::without_spikes(finite, kReach, kSpikeOfSeason);
  std::vector<double> clean = values;
  std::size_t next = 0;
  for (double& v : clean) {
    if (!std::isnan(v)) v = finite[next++];
  }
  return clean;
}

}  // namespace

double Season::at(double index) const {
  if (profile.empty()) return 0;
  const auto bins = static_cast<double>(profile.size());
  // A bin's value stands in its middle.
  double place = std::fmod(index - first + 0.5, period) / period * bins - 0.5;
  while (place < 0) place += bins;
  const auto low = static_cast<std::size_t>(place) % profile.size();
  const double part = place - std::floor(place);
  return profile[low] + part * (profile[(low + 1) % profile.size()] - profile[low]);
}

std::vector<Season> remove_seasons(std::vector<double>& values, std::span<const double> periods,
                                   std::size_t most) {
  std::vector<double> clean = cleaned(values);
  std::vector<Season> taken;
  const auto take = [&](Season season) {
    if (season.profile.empty()) return false;
    for (std::size_t i = 0; i < values.size(); i++) {
      const double usual = season.at(static_cast<double>(i));
      values[i] -= usual;
      clean[i] -= usual;
    }
    taken.push_back(std::move(season));
    return true;
  };
  for (const double period : periods) {
    if (taken.size() < most) take(Folded(values, clean).season_of(period, kLeastZ, kLeastCycles));
  }
  double day = 0;
  while (periods.empty() && taken.size() < most && take(best_season(values, clean, day))) {
    if (is_day(taken.back().period)) day = taken.back().period;
  }
  return taken;
}

}  // namespace nz::analysis::detect
