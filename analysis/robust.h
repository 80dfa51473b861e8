// Statistics that a few wild values cannot move.
#pragma once

#include <cstddef>
#include <vector>

namespace nz::analysis::robust {

/// 95 % of a normal distribution lie within so many standard deviations.
inline constexpr double kNormal95 = 1.959963984540054;
/// 99 % likewise.
inline constexpr double kNormal99 = 2.5758293035489004;
/// The MAD of a normal distribution times this is its standard deviation.
inline constexpr double kMadToSigma = 1.4826022185056018;

/// The k-th smallest, k from 0. Reorders `values`. Requires k < values.size() and no NaN.
double kth(std::vector<double>& values, std::size_t k);

/// The middle one, or the mean of the two in the middle; NaN where there is none. No NaN inside.
double median(std::vector<double> values);

/// The q-quantile with linear interpolation (type 7 of Hyndman & Fan 1996); NaN where there is no
/// value. No NaN inside; q is limited to [0, 1].
double quantile(std::vector<double> values, double q);

/// Median distance to `center`, scaled to the standard deviation of a normal distribution; NaN
/// where there is no value.
double sigma(std::vector<double> values, double center);

/// Two-sided p-value of a standard normal statistic.
double two_sided_p(double z);

/// The normal statistic that is as rare as Student's `t` with `freedom` degrees of freedom (Wallace
/// 1959: within 0.02 for 2 and more), and the way back.
double normal_of_t(double t, double freedom);
double t_of_normal(double z, double freedom);

}  // namespace nz::analysis::robust
