#include "analysis/detect/change_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "analysis/detect/noise.h"
#include "analysis/detect/robust.h"
#include "analysis/detect/season.h"
#include "analysis/detect/segmentation.h"
#include "analysis/detect/stabilise.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kMostBlocks = std::size_t{1} << 20;
constexpr double kSpike = 4;  // standard deviations from its neighbours
// A split is the best of many that were looked at, at all scales: as if a point were so many
// independent tests. From series of noise alone (docs/detection.md).
constexpr double kTestsPerPoint = 15;

// Chance that noise of n points shows a step of `energy` somewhere; the spread is itself measured
// from the n points, as in Student's t.
double chance(double energy, std::size_t n) {
  const auto count = static_cast<double>(n);
  const double z = std::sqrt(count * std::log1p(energy / count));
  return std::min(1.0, kTestsPerPoint * count * detect::two_sided_p(z));
}

double least_energy(double false_alarms, std::size_t n) {
  const auto count = static_cast<double>(n);
  const double p = std::clamp(false_alarms / (kTestsPerPoint * count), 1e-300, 0.5);
  const double z = detect::z_of_two_sided_p(p);
  return count * std::expm1(z * z / count);
}

// The finite values of a series on the scale on which it is searched.
struct Prepared {
  std::vector<double> values;
  std::vector<std::size_t> index;  // of each value in the series; empty: none is missing
  detect::Stabiliser scale;

  [[nodiscard]] std::size_t place(std::size_t i) const { return index.empty() ? i : index[i]; }
};

Prepared prepare(std::span<const double> values, const ChangePointOptions& options) {
  Prepared p;
  std::vector<double> finite;
  for (const double v : values) {
    if (std::isfinite(v)) finite.push_back(v);
  }
  p.scale = detect::Stabiliser::of(finite);
  const bool whole = finite.size() == values.size();
  std::vector<double> all(values.size());
  for (std::size_t i = 0; i < values.size(); i++) {
    all[i] = std::isfinite(values[i]) ? p.scale.forward(values[i])
                                      : std::numeric_limits<double>::quiet_NaN();
  }
  detect::remove_seasons(all, options.periods);
  if (whole) {
    p.values = std::move(all);
  } else {
    for (std::size_t i = 0; i < all.size(); i++) {
      if (std::isnan(all[i])) continue;
      p.values.push_back(all[i]);
      p.index.push_back(i);
    }
  }
  return p;
}

// The best boundary between two levels among the points near one between two means.
std::size_t looked_up(std::span<const double> clean, std::size_t near, std::size_t block) {
  const std::size_t reach = 8 * block;
  const std::size_t from = near > reach ? near - reach : 0;
  const std::size_t to = std::min(clean.size(), near + reach);
  double all = 0;
  for (std::size_t i = from; i < to; i++) all += clean[i];
  const auto n = static_cast<double>(to - from);
  double left = 0, most = -1;
  std::size_t best = near;
  for (std::size_t i = from; i + 1 < to; i++) {
    left += clean[i];
    const auto count = static_cast<double>(i + 1 - from);
    const double change = (all - left) / (n - count) - left / count;
    const double gain = change * change * count * (n - count) / n;
    const bool close = i + 1 + block >= near && i + 1 <= near + block;
    if (close && gain > most) {
      most = gain;
      best = i + 1;
    }
  }
  return best;
}

double level(const Prepared& p, std::size_t from, std::size_t to) {
  std::vector<double> part(p.values.begin() + static_cast<std::ptrdiff_t>(from),
                           p.values.begin() + static_cast<std::ptrdiff_t>(to));
  return p.scale.backward(detect::median_in_place(part));
}

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> values,
                                       const ChangePointOptions& options) {
  std::vector<ChangePoint> changes;
  const Prepared p = prepare(values, options);
  const std::size_t n = p.values.size();
  if (n < 6) return changes;
  const std::size_t least =
      options.least > 0 ? options.least : std::clamp<std::size_t>(n / 40, 3, 12);
  const std::vector<double> clean = detect::without_spikes(p.values, least / 2, kSpike);

  const std::size_t block = (n + kMostBlocks - 1) / kMostBlocks;
  std::vector<double> means;
  for (std::size_t from = 0; from < n; from += block) {
    const std::size_t to = std::min(n, from + block);
    double sum = 0;
    for (std::size_t i = from; i < to; i++) sum += clean[i];
    means.push_back(sum / static_cast<double>(to - from));
  }
  // Small numbers keep the sums exact.
  std::vector<double> copy = means;
  const double middle = detect::median_in_place(copy);
  for (double& v : means) v -= middle;

  const detect::Noise noise(means);
  if (noise.none()) return changes;
  const std::size_t least_blocks = std::max<std::size_t>(2, (least + block - 1) / block);
  const detect::Stretches stretches(means, noise, least_blocks);
  const std::vector<std::size_t> found =
      detect::segment(stretches, least_blocks, least_energy(options.false_alarms, means.size()));

  for (std::size_t i = 0; i < found.size(); i++) {
    const std::size_t from = i > 0 ? found[i - 1] : 0;
    const std::size_t to = i + 1 < found.size() ? found[i + 1] : means.size();
    const detect::Split split = stretches.strongest(from, to);
    const auto [first, last] = stretches.place(from, {found[i], split.energy, split.size}, to);
    ChangePoint c;
    const std::size_t at = block > 1 ? looked_up(clean, found[i] * block, block) : found[i];
    c.index = p.place(at);
    c.earliest = std::min(c.index, p.place(first * block));
    c.latest = std::max(c.index, p.place(std::min(n - 1, last * block)));
    c.before = level(p, from * block, at);
    c.after = level(p, at, std::min(n, to * block));
    c.size = c.before != 0 ? c.after / c.before - 1 : std::numeric_limits<double>::quiet_NaN();
    c.confidence = 1 - chance(split.energy, means.size());
    changes.push_back(c);
  }
  return changes;
}

}  // namespace nz::analysis
