#include "analysis/detect/change_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "analysis/detect/noise.h"
#include "analysis/detect/season.h"
#include "analysis/detect/segmentation.h"
#include "analysis/detect/stabilise.h"
#include "analysis/robust.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kMostBlocks = std::size_t{1} << 20;
constexpr double kSpike = 4;       // standard deviations from its neighbours
constexpr double kLeastDrift = 9;  // energy of a slope: three standard errors
// A split is the best of many that were looked at, at all scales: as if a point were so many
// independent tests. From series of noise alone (docs/detection.md).
constexpr double kTestsPerPoint = 15;
// A large step bends the shape of the season that is taken out by some percent of itself.
constexpr double kLeastBesideLargest = 0.06;

// Chance that noise of n points shows a step of `energy` somewhere; the spread is itself measured
// from the n points, as in Student's t.
double chance(double energy, std::size_t n) {
  const auto count = static_cast<double>(n);
  const double z = std::sqrt(count * std::log1p(energy / count));
  return std::min(1.0, kTestsPerPoint * count * robust::two_sided_p(z));
}

double least_energy(double false_alarms, std::size_t n) {
  const auto count = static_cast<double>(n);
  const double p = std::clamp(false_alarms / (kTestsPerPoint * count), 1e-300, 0.5);
  const double z = robust::z_of_two_sided_p(p);
  return count * std::expm1(z * z / count);
}

// The finite values of a series on the scale on which it is searched.
struct Prepared {
  std::vector<double> values;
  std::vector<std::size_t> index;  // of each value in the series; empty: none is missing
  detect::Stabiliser scale;

  [[nodiscard]] std::size_t place(std::size_t i) const { return index.empty() ? i : index[i]; }
};

std::vector<double> stabilised(std::span<const double> values, const detect::Stabiliser& scale) {
  std::vector<double> all(values.size());
  for (std::size_t i = 0; i < values.size(); i++) {
    all[i] = std::isfinite(values[i]) ? scale.forward(values[i])
                                      : std::numeric_limits<double>::quiet_NaN();
  }
  return all;
}

void keep_finite(std::vector<double> all, Prepared& p) {
  p.values.clear();
  p.index.clear();
  if (std::none_of(all.begin(), all.end(), [](double v) { return std::isnan(v); })) {
    p.values = std::move(all);
    return;
  }
  for (std::size_t i = 0; i < all.size(); i++) {
    if (std::isnan(all[i])) continue;
    p.values.push_back(all[i]);
    p.index.push_back(i);
  }
}

detect::Stabiliser scale_of(std::span<const double> values) {
  std::vector<double> finite;
  for (const double v : values) {
    if (std::isfinite(v)) finite.push_back(v);
  }
  return detect::Stabiliser::of(finite);
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

// The series as it is searched, and what was found: both are needed to say how sure it is.
class Search {
 public:
  Search(const Prepared& p, const ChangePointOptions& options) : p_(p), n_(p.values.size()) {
    const std::size_t least =
        options.least > 0 ? options.least : std::clamp<std::size_t>(n_ / 40, 3, 12);
    clean_ = robust::without_spikes(p.values, least / 2, kSpike);
    block_ = (n_ + kMostBlocks - 1) / kMostBlocks;
    std::vector<double> means;
    for (std::size_t from = 0; from < n_; from += block_) {
      const std::size_t to = std::min(n_, from + block_);
      double sum = 0;
      for (std::size_t i = from; i < to; i++) sum += clean_[i];
      means.push_back(sum / static_cast<double>(to - from));
    }
    blocks_ = means.size();
    // Small numbers keep the sums exact.
    std::vector<double> copy = means;
    const double middle = robust::median_in_place(copy);
    for (double& v : means) v -= middle;
    noise_ = detect::Noise(means);
    if (noise_.none()) return;
    const std::size_t least_blocks = std::max<std::size_t>(2, (least + block_ - 1) / block_);
    const double energy = least_energy(options.false_alarms, blocks_);
    stretches_.emplace(means, noise_, least_blocks);
    found_ = detect::segment(*stretches_, least_blocks, energy);
    take_out_drift(means, least_blocks, energy);
  }

  [[nodiscard]] bool any() const { return !found_.empty(); }

  // Where a season was taken out: what may be a remnant of it beside a much larger step.
  void leave_out_remnants() {
    if (found_.size() < 2) return;
    std::vector<double> sizes;
    for (std::size_t i = 0; i < found_.size(); i++) {
      const std::size_t from = i > 0 ? found_[i - 1] * block_ : 0;
      sizes.push_back(std::fabs(middle(found_[i] * block_, end(i) * block_) -
                                middle(from, found_[i] * block_)));
    }
    const double least = kLeastBesideLargest * *std::max_element(sizes.begin(), sizes.end());
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < found_.size(); i++) {
      if (sizes[i] >= least) kept.push_back(found_[i]);
    }
    found_ = std::move(kept);
  }

  // What each value of the whole series lies above the first level.
  [[nodiscard]] std::vector<double> levels(std::size_t size) const {
    std::vector<double> all(size, 0);
    const double first = middle(0, found_[0] * block_);
    for (std::size_t i = 0; i < found_.size(); i++) {
      const double above = middle(found_[i] * block_, end(i) * block_) - first;
      const std::size_t from = p_.place(found_[i] * block_);
      const std::size_t to = i + 1 < found_.size() ? p_.place(found_[i + 1] * block_) : size;
      for (std::size_t k = from; k < to; k++) all[k] = above;
    }
    return all;
  }

  [[nodiscard]] std::vector<ChangePoint> change_points() const {
    std::vector<ChangePoint> changes;
    for (std::size_t i = 0; i < found_.size(); i++) {
      const std::size_t from = i > 0 ? found_[i - 1] : 0;
      const detect::Split split = stretches_->strongest(from, end(i));
      const auto [first, last] =
          stretches_->place(from, {found_[i], split.energy, split.size}, end(i));
      ChangePoint c;
      const std::size_t at = block_ > 1 ? looked_up(clean_, found_[i] * block_, block_) : found_[i];
      c.index = p_.place(at);
      c.earliest = std::min(c.index, p_.place(first * block_));
      c.latest = std::max(c.index, p_.place(std::min(n_ - 1, last * block_)));
      c.before = level(from * block_, at, at);
      c.after = level(at, end(i) * block_, at);
      c.size = c.before != 0 ? c.after / c.before - 1 : std::numeric_limits<double>::quiet_NaN();
      c.confidence = 1 - chance(split.energy, blocks_);
      changes.push_back(c);
    }
    return changes;
  }

 private:
  [[nodiscard]] std::size_t end(std::size_t i) const {
    return i + 1 < found_.size() ? found_[i + 1] : blocks_;
  }
  [[nodiscard]] double middle(std::size_t from, std::size_t to) const {
    std::vector<double> part(p_.values.begin() + static_cast<std::ptrdiff_t>(from),
                             p_.values.begin() + static_cast<std::ptrdiff_t>(std::min(n_, to)));
    return robust::median_in_place(part);
  }

  // With drift, a level is that at the step.
  [[nodiscard]] double level(std::size_t from, std::size_t to, std::size_t at) const {
    const double between = static_cast<double>(from + std::min(n_, to)) / 2;
    const double drift = slope_ / static_cast<double>(block_) * (static_cast<double>(at) - between);
    return p_.scale.backward(middle(from, to) + drift);
  }

  // What noise is left beside these levels and this slope, in standard errors of long means, and
  // what each of them has to be worth.
  [[nodiscard]] double cost(const std::vector<double>& straight,
                            const std::vector<std::size_t>& points, bool drift,
                            double energy) const {
    double sum = 0;
    for (std::size_t k = 0; k <= points.size(); k++) {
      const std::size_t from = k > 0 ? points[k - 1] : 0;
      const std::size_t to = k < points.size() ? points[k] : blocks_;
      double mean = 0;
      for (std::size_t i = from; i < to; i++) mean += straight[i] / static_cast<double>(to - from);
      for (std::size_t i = from; i < to; i++) {
        sum += (straight[i] - mean) * (straight[i] - mean) / noise_.variance(i);
      }
    }
    const double parts = static_cast<double>(points.size()) + (drift ? 1 : 0);
    return sum / noise_.growth(blocks_ / 2) + energy * parts;
  }

  // Steps may be a drift that goes on through the whole series, alone or with fewer steps. The
  // slope is tried with the strongest few as steps; the cheapest explanation is taken.
  void take_out_drift(const std::vector<double>& means, std::size_t least, double energy) {
    if (found_.empty()) return;
    const detect::Stretches& plain = *stretches_;
    double cheapest = cost(means, found_, false, energy);
    std::vector<std::size_t> best = found_;
    const auto without = [&](double slope) {
      std::vector<double> straight = means;
      const double middle = static_cast<double>(means.size()) / 2;
      for (std::size_t i = 0; i < straight.size(); i++) {
        straight[i] -= slope * (static_cast<double>(i) - middle);
      }
      return straight;
    };
    for (const std::size_t most : {0, 1, 2, 4}) {
      if (most > found_.size()) break;
      const detect::Slope slope = plain.slope(plain.strongest_of(found_, most));
      if (slope.energy < kLeastDrift) continue;
      std::vector<double> straight = without(slope.per_point);
      const std::vector<std::size_t> points =
          detect::segment(detect::Stretches(straight, noise_, least), least, energy);
      if (points.size() > found_.size()) continue;
      const double again = plain.slope(points).per_point;
      straight = without(again);
      const double price = cost(straight, points, true, energy);
      if (price >= cheapest) continue;
      cheapest = price;
      best = points;
      slope_ = again;
    }
    if (slope_ == 0) return;
    found_ = std::move(best);
    stretches_.emplace(without(slope_), noise_, least);
  }

  const Prepared& p_;
  double slope_ = 0;  // a block
  std::size_t n_, block_ = 1, blocks_ = 0;
  std::vector<double> clean_;
  detect::Noise noise_{std::span<const double>()};
  std::optional<detect::Stretches> stretches_;
  std::vector<std::size_t> found_;
};

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> values,
                                       const ChangePointOptions& options) {
  Prepared p;
  p.scale = scale_of(values);
  const std::vector<double> whole = stabilised(values, p.scale);
  std::vector<double> all = whole;
  const bool seasonal = !detect::remove_seasons(all, options.periods).empty();
  keep_finite(std::move(all), p);
  if (p.values.size() < 6) return {};
  const Search first(p, options);
  if (!first.any() || !seasonal) return first.change_points();

  // A season is known better without the steps, and the steps without the season.
  const std::vector<double> above = first.levels(values.size());
  std::vector<double> without = whole;
  for (std::size_t i = 0; i < without.size(); i++) without[i] -= above[i];
  all = whole;
  for (const detect::Season& season : detect::remove_seasons(without, options.periods)) {
    for (std::size_t i = 0; i < all.size(); i++) all[i] -= season.at(static_cast<double>(i));
  }
  Prepared again;
  again.scale = p.scale;
  keep_finite(std::move(all), again);
  Search second(again, options);
  second.leave_out_remnants();
  return second.change_points();
}

}  // namespace nz::analysis
