// Statistics that a few wild values cannot move.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nz::analysis::robust {

/// 95 % of a normal distribution lie within so many standard deviations.
inline constexpr double kNormal95 = 1.959963984540054;
/// 99 % likewise.
inline constexpr double kNormal99 = 2.5758293035489004;
/// The MAD of a normal distribution times this is its standard deviation.
inline constexpr double kMadToSigma = 1.4826022185056018;

/// The k-th smallest, k from 0. Reorders `values`. Requires k < values.size() and no NaN.
double kth(std::span<double> values, std::size_t k);

/// The middle one, or the mean of the two in the middle; NaN where there is none. No NaN inside.
double median(std::vector<double> values);
/// The same without a copy: reorders `values`.
double median_in_place(std::span<double> values);

/// The q-quantile with linear interpolation (type 7 of Hyndman & Fan 1996); NaN where there is no
/// value. No NaN inside; q is limited to [0, 1].
double quantile(std::vector<double> values, double q);

/// Median distance to `center`, scaled to the standard deviation of a normal distribution; NaN
/// where there is no value.
double sigma(std::vector<double> values, double center);

/// Standard deviation of what is centred on 0, by Huber's proposal 2 in one step from the median
/// absolute value: 95 % as efficient as the plain one on normal noise, and bounded by wild values.
/// Where more than half of the values are 0 (a rounded quantity), the plain one; 0 where there is
/// no value. Reorders `values`.
double sigma_about_zero(std::span<double> values);

/// Two-sided p-value of a standard normal statistic.
double two_sided_p(double z);

/// The z >= 0 at which two_sided_p(z) is `p`, for p in (0, 1).
double z_of_two_sided_p(double p);

/// The normal statistic that is as rare as Student's `t` with `freedom` degrees of freedom (Wallace
/// 1959: within 0.02 for 2 and more), and the way back.
double normal_of_t(double t, double freedom);
double t_of_normal(double z, double freedom);

/// Hampel's filter (1974): what lies more than `limit` local standard deviations from the median of
/// `reach` neighbours on each side is replaced by that median, so that fewer than `reach` + 1 wild
/// values in a row leave no trace, and a step stays where it is. O(n * reach).
std::vector<double> without_spikes(std::span<const double> values, std::size_t reach, double limit);

}  // namespace nz::analysis::robust
