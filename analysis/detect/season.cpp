#include "analysis/detect/season.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "analysis/detect/robust.h"

namespace nz::analysis::detect {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kBins = 168;       // hour-of-week; 9 minutes of a day
constexpr std::size_t kBlocks = 4096;    // of one resolution, at most
constexpr std::size_t kLeastLag = 8;     // blocks: below, the next finer resolution sees it better
constexpr std::size_t kMostLag = 80;     // blocks: four times kLeastLag and room for the peak
constexpr double kLeastAgreement = 0.3;  // a shape that explains a tenth of its own noise
constexpr double kLeastZ = 4;            // of the agreement, against chance

// Means of stretches of `length` points, in the middle of the series where there are more than
// `most`; NaN where nothing was measured.
std::vector<double> block_means(std::span<const double> values, double length, std::size_t most) {
  const auto all = static_cast<std::size_t>(static_cast<double>(values.size()) / length);
  const std::size_t count = std::min(all, most);
  const auto first =
      static_cast<std::size_t>(static_cast<double>(all - count) / 2) * static_cast<std::size_t>(length);
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

// values - mean over `width` neighbours around each, NaN where that window is not whole and `whole`
// is asked for.
std::vector<double> without_level(std::span<const double> values, std::size_t width, bool whole) {
  const std::size_t n = values.size();
  std::vector<double> sum(n + 1, 0), seen(n + 1, 0);
  for (std::size_t i = 0; i < n; i++) {
    const bool here = !std::isnan(values[i]);
    sum[i + 1] = sum[i] + (here ? values[i] : 0);
    seen[i + 1] = seen[i] + (here ? 1 : 0);
  }
  std::vector<double> off(n, kMissing);
  const std::size_t half = width / 2;
  for (std::size_t i = 0; i < n; i++) {
    const bool fits = i >= half && i - half + width <= n;
    if (whole && !fits) continue;
    const std::size_t from = i >= half ? i - half : 0;
    const std::size_t to = std::min(n, i + width - half);
    const double count = seen[to] - seen[from];
    // Half a period that is missing would tilt the level.
    if (count < 0.6 * static_cast<double>(to - from)) continue;
    off[i] = values[i] - (sum[to] - sum[from]) / count;
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
  const auto last = static_cast<double>(r.size() - 1);
  double best = static_cast<double>(lag), most = -1;
  for (int step = -50; step <= 50; step++) {
    const double period = static_cast<double>(lag) + 0.02 * step;
    double sum = 0;
    for (double at = period; at < last; at += period) {
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

struct Candidate {
  double period = 0;  // points
  double strength = 0;
};

// Peaks of the autocorrelation, a resolution at a time, each four times coarser than the last.
std::vector<Candidate> candidates(std::span<const double> values) {
  std::vector<Candidate> found;
  for (std::size_t block = 1; values.size() / block >= 3 * kLeastLag; block *= 4) {
    std::vector<double> mean = block_means(values, static_cast<double>(block), kBlocks);
    mean = without_level(mean, std::min(2 * kMostLag, mean.size()), false);
    const std::size_t most = std::min(kMostLag, mean.size() / 3);
    const std::size_t least = block == 1 ? kLeastLag / 2 : kLeastLag;
    const std::vector<double> r = autocorrelation(mean, most + 1);
    const double chance =
        std::max(0.1, 3 / std::sqrt(static_cast<double>(mean.size()) / static_cast<double>(least)));
    std::vector<std::size_t> peaks;
    double highest = 0;
    for (std::size_t lag = least; lag + 1 < r.size(); lag++) {
      if (r[lag] < r[lag - 1] || r[lag] < r[lag + 1] || r[lag] < chance) continue;
      peaks.push_back(lag);
      highest = std::max(highest, r[lag]);
    }
    // Multiples of a period peak nearly as high as itself.
    const auto first = std::find_if(peaks.begin(), peaks.end(),
                                    [&](std::size_t lag) { return r[lag] >= 0.85 * highest; });
    if (first == peaks.end()) continue;
    found.push_back({sharpened(mean, *first) * static_cast<double>(block), r[*first]});
  }
  std::sort(found.begin(), found.end(),
            [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; });
  return found;
}

std::vector<double> median_by_bin(std::span<const double> off, std::size_t bins, int parity) {
  std::vector<double> profile(bins, kMissing), of_bin;
  for (std::size_t bin = 0; bin < bins; bin++) {
    of_bin.clear();
    for (std::size_t j = bin, cycle = 0; j < off.size(); j += bins, cycle++) {
      const bool wanted = parity < 0 || static_cast<int>(cycle % 2) == parity;
      if (wanted && !std::isnan(off[j])) of_bin.push_back(off[j]);
    }
    if (!of_bin.empty()) profile[bin] = median_in_place(of_bin);
  }
  return profile;
}

struct Agreement {
  double r = 0, z = 0;
};

Agreement agreement(std::span<const double> odd, std::span<const double> even) {
  double so = 0, se = 0, count = 0;
  for (std::size_t b = 0; b < odd.size(); b++) {
    if (std::isnan(odd[b]) || std::isnan(even[b])) continue;
    so += odd[b];
    se += even[b];
    count++;
  }
  if (count < 4) return {};
  so /= count;
  se /= count;
  double oo = 0, ee = 0, oe = 0, noise = 0, neighbours = 0, before = kMissing;
  for (std::size_t b = 0; b < odd.size(); b++) {
    if (std::isnan(odd[b]) || std::isnan(even[b])) continue;
    const double o = odd[b] - so, e = even[b] - se;
    oo += o * o;
    ee += e * e;
    oe += o * e;
    noise += (o - e) * (o - e);
    if (!std::isnan(before)) neighbours += (o - e) * before;
    before = o - e;
  }
  if (oo <= 0 || ee <= 0) return {};
  Agreement a;
  a.r = std::clamp(oe / std::sqrt(oo * ee), -0.999999, 0.999999);
  // Bins whose noise is alike count as fewer: the difference of both shapes is noise alone.
  const double alike = noise > 0 ? std::clamp(neighbours / noise, 0.0, 0.95) : 0;
  const double worth = std::max(4.0, count * (1 - alike) / (1 + alike));
  a.z = std::atanh(a.r) * std::sqrt(worth - 3);
  return a;
}

// The season of this length, with no profile where the evidence does not do.
Season season_of(std::span<const double> values, double period) {
  Season season;
  const auto cycles = static_cast<double>(values.size()) / period;
  const std::size_t bins = std::min(kBins, static_cast<std::size_t>(period + 1e-9));
  if (cycles < 3 || bins < 4) return season;
  std::vector<double> off = block_means(values, period / static_cast<double>(bins),
                                        std::numeric_limits<std::size_t>::max());
  off = without_level(off, bins, true);
  const Agreement same = agreement(median_by_bin(off, bins, 1), median_by_bin(off, bins, 0));
  if (same.r < kLeastAgreement || same.z < kLeastZ) return season;
  std::vector<double> profile = median_by_bin(off, bins, -1);
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
  return season;
}

}  // namespace

double Season::at(double index) const {
  if (profile.empty()) return 0;
  const auto bins = static_cast<double>(profile.size());
  // A bin's value stands in its middle.
  double place = std::fmod(index + 0.5, period) / period * bins - 0.5;
  if (place < 0) place += bins;
  const auto low = static_cast<std::size_t>(place) % profile.size();
  const double part = place - std::floor(place);
  return profile[low] + part * (profile[(low + 1) % profile.size()] - profile[low]);
}

std::vector<Season> remove_seasons(std::vector<double>& values, std::span<const double> periods,
                                   std::size_t most) {
  std::vector<Season> taken;
  const auto take = [&](double period) {
    Season season = season_of(values, period);
    if (season.profile.empty()) return false;
    for (std::size_t i = 0; i < values.size(); i++) values[i] -= season.at(static_cast<double>(i));
    taken.push_back(std::move(season));
    return true;
  };
  for (const double period : periods) {
    if (taken.size() < most) take(period);
  }
  if (!periods.empty()) return taken;
  while (taken.size() < most) {
    const std::vector<Candidate> all = candidates(values);
    const bool any =
        std::any_of(all.begin(), all.end(), [&](const Candidate& c) { return take(c.period); });
    if (!any) break;
  }
  return taken;
}

}  // namespace nz::analysis::detect
