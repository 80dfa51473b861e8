#include "analysis/regression/locate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "analysis/regression/likeness.h"
#include "analysis/robust.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kLeastBefore = 3;
constexpr double kWild = 3;  // residuals count for so many standard deviations at most
constexpr double kBack = 9;  // log-likelihood ratio for being back, e^9 = 8,000 to 1

// How much of what follows the change is taken as its example, how many slices between both sides
// are of neither, and by how many standard errors both levels have to differ: the whole for what
// lasts, ever less for what came back, and the whole again for what is small and lasts.
struct Attempt {
  std::size_t guard, length;
  double contrast;
};
constexpr std::size_t kAll = static_cast<std::size_t>(-1);
constexpr std::array<Attempt, 5> kAttempts{
    {{2, kAll, 4}, {2, 10, 4}, {0, 3, 4}, {0, 1, 4}, {2, kAll, 2.5}}};

// The figures of the slices as two levels with noise.
struct Levels {
  std::vector<double> figure;
  std::size_t after_end = 0;  // of the example
  double before = 0, after = 0, sigma = 0, widening = 1;

  // Log-likelihood of slice i being before rather than after.
  [[nodiscard]] double before_rather(std::size_t i) const {
    const double most = kWild * sigma;
    const double b = std::min(std::fabs(figure[i] - before), most);
    const double a = std::min(std::fabs(figure[i] - after), most);
    return (a * a - b * b) / (2 * sigma * sigma * widening);
  }
};

double widening_of(const std::vector<double>& residuals, double sigma) {
  double power = 0, product = 0;
  const auto limited = [&](double x) { return std::clamp(x, -kWild * sigma, kWild * sigma); };
  for (std::size_t i = 0; i < residuals.size(); i++) {
    power += limited(residuals[i]) * limited(residuals[i]);
    if (i > 0) product += limited(residuals[i]) * limited(residuals[i - 1]);
  }
  if (residuals.size() < 8 || power <= 0) return 1;
  const double correlation = std::clamp(product / power, 0.0, 0.8);
  return (1 + correlation) / (1 - correlation);
}

Histogram every_second(std::span<const Slice> slices, std::size_t first) {
  Histogram all;
  for (std::size_t i = first; i < slices.size(); i += 2) all.merge(*slices[i].histogram);
  return all;
}

// How much each slice looks like `after` rather than like `before`. Slices that are examples
// themselves are judged by the other half of the examples: what they have in common by chance is no
// likeness. Few are judged by all.
std::vector<double> figures(std::span<const Slice> slices, std::span<const Slice> before,
                            std::span<const Slice> after) {
  std::vector<double> figure;
  if (before.size() < 4 || after.size() < 4) {
    const Likeness likeness(merged(before), merged(after));
    for (const Slice& slice : slices) figure.push_back(likeness.of(*slice.histogram));
    return figure;
  }
  // By the place in `slices`, even or odd.
  const auto offset = static_cast<std::size_t>(after.data() - slices.data());
  const std::array<Likeness, 2> by_others{
      Likeness(every_second(before, 1), every_second(after, (offset + 1) % 2)),
      Likeness(every_second(before, 0), every_second(after, offset % 2))};
  for (std::size_t i = 0; i < slices.size(); i++)
    figure.push_back(by_others[i % 2].of(*slices[i].histogram));
  return figure;
}

std::optional<Levels> levels_of(std::span<const Slice> slices, std::size_t rough, Attempt attempt) {
  const std::size_t guard = rough >= kLeastBefore + attempt.guard ? attempt.guard : 0;
  const std::size_t before_end = rough - guard;
  const std::size_t after_begin =
      rough + (rough + attempt.guard < slices.size() ? attempt.guard : 0);
  Levels l;
  l.after_end = after_begin + std::min(attempt.length, slices.size() - after_begin);
  const auto after = slices.subspan(after_begin, l.after_end - after_begin);
  if (before_end < kLeastBefore || after.empty()) return std::nullopt;
  l.figure = figures(slices, slices.first(before_end), after);

  const auto begin = l.figure.begin();
  const auto at = [&](std::size_t i) { return begin + static_cast<std::ptrdiff_t>(i); };
  l.before = robust::median({begin, at(before_end)});
  l.after = robust::median({at(after_begin), at(l.after_end)});
  std::vector<double> residuals;
  for (std::size_t i = 0; i < before_end; i++) residuals.push_back(l.figure[i] - l.before);
  for (std::size_t i = after_begin; i < l.after_end; i++)
    residuals.push_back(l.figure[i] - l.after);
  const double difference = l.after - l.before;
  // Figures without noise are as sure as a tenth of the difference allows.
  l.sigma = std::max(robust::sigma(residuals, 0), 0.1 * difference);
  l.widening = widening_of(residuals, l.sigma);
  const double error =
      l.sigma * std::sqrt(l.widening / static_cast<double>(before_end) +
                          l.widening / static_cast<double>(l.after_end - after_begin));
  if (!(difference > 0) || difference < attempt.contrast * error) return std::nullopt;
  return l;
}

struct Division {
  std::size_t likeliest = 0, least = 0, most = 0;  // first slice that is after
};

// The likeliest division near `rough`, and the shortest stretch around it that holds 95 %.
Division divide(const Levels& l, std::size_t rough) {
  const std::size_t n = l.figure.size(), reach = std::max<std::size_t>(10, n / 4);
  const std::size_t first = std::max<std::size_t>(1, rough > reach ? rough - reach : 1);
  const std::size_t last = std::min(l.after_end - 1, rough + reach);
  std::vector<double> likelihood{0};
  for (std::size_t t = first; t < last; t++)
    likelihood.push_back(likelihood.back() + l.before_rather(t));
  const auto best = std::max_element(likelihood.begin(), likelihood.end());
  const double top = *best;
  double all = 0;
  for (double& x : likelihood) all += x = std::exp(x - top);
  std::ptrdiff_t from = best - likelihood.begin(), to = from;
  double held = 1;
  const auto end = static_cast<std::ptrdiff_t>(likelihood.size());
  while (held < 0.95 * all && (from > 0 || to + 1 < end)) {
    const auto at = [&](std::ptrdiff_t i) { return likelihood[static_cast<std::size_t>(i)]; };
    const double left = from > 0 ? at(from - 1) : -1, right = to + 1 < end ? at(to + 1) : -1;
    held += left >= right ? at(--from) : at(++to);
  }
  return {first + static_cast<std::size_t>(best - likelihood.begin()),
          first + static_cast<std::size_t>(from), first + static_cast<std::size_t>(to)};
}

// A slice in which the change happened is a mixture, and its figure is linear in the mixture.
double moment(std::span<const Slice> slices, const Levels& l, std::size_t t) {
  const double off_after = std::fabs(l.figure[t] - l.after);
  const double off_before = std::fabs(l.figure[t - 1] - l.before);
  const std::size_t mixed = off_after > off_before ? t : t - 1;
  const double changed = std::clamp((l.figure[mixed] - l.before) / (l.after - l.before), 0.0, 1.0);
  return slices[mixed].to - changed * (slices[mixed].to - slices[mixed].from);
}

// First slice from `t` on that is as before again, by a cumulative sum of likelihood ratios (Page
// 1954); all of them where none is.
std::size_t return_after(const Levels& l, std::size_t t, std::size_t least) {
  double sum = 0;
  std::size_t begin = t;
  for (std::size_t i = t + 1; i < l.figure.size(); i++) {
    if (sum == 0) begin = i;
    sum = std::max(0.0, sum + l.before_rather(i));
    if (sum >= kBack && i + 1 - begin >= least) return begin;
  }
  return l.figure.size();
}

}  // namespace

std::optional<Located> locate_change(std::span<const Slice> all, double about,
                                     const LocateOptions& options) {
  std::vector<Slice> slices;
  std::vector<std::size_t> index;  // in `all`
  for (std::size_t i = 0; i < all.size(); i++) {
    if (!all[i].histogram || all[i].histogram->count() == 0) continue;
    slices.push_back(all[i]);
    index.push_back(i);
  }
  if (slices.size() < kLeastBefore + 1) return std::nullopt;
  const auto found = std::find_if(slices.begin(), slices.end(),
                                  [&](const Slice& slice) { return slice.to > about; });
  const auto rough =
      std::clamp(static_cast<std::size_t>(found - slices.begin()), kLeastBefore, slices.size() - 1);
  std::optional<Levels> levels;
  for (const Attempt& attempt : kAttempts) {
    levels = levels_of(slices, rough, attempt);
    if (levels) break;
  }
  if (!levels) return std::nullopt;

  const Division division = divide(*levels, rough);
  Located located;
  located.index = index[division.likeliest];
  located.at = moment(slices, *levels, division.likeliest);
  // Which of both slices at a division has the moment in it is not known either.
  located.earliest = slices[division.least - 1].from;
  located.latest = slices[division.most].to;
  const std::size_t back = return_after(*levels, division.likeliest, options.back_slices);
  if (back < slices.size()) {
    located.end = index[back];
    located.until = slices[back].from;
    located.shape =
        located.until - located.at <= options.spike_seconds ? Shape::spike : Shape::step;
  } else {
    located.end = all.size();
    const bool seen = slices.size() - division.likeliest >= options.least_after;
    located.shape = seen ? Shape::step : Shape::undecided;
  }
  return located;
}

}  // namespace nz::analysis
