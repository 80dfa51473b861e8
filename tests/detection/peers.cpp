#include "tests/detection/peers.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nz::test {
namespace {

// Continued fraction of the incomplete beta function, by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double h = d;
  for (int m = 1; m < 300; m++) {
    const double e = m;
    for (const double term : {e * (b - e) * x / ((a + 2 * e - 1) * (a + 2 * e)),
                              -(a + e) * (a + b + e) * x / ((a + 2 * e) * (a + 2 * e + 1))}) {
      d = 1 + term * d;
      d = 1 / (std::abs(d) < kTiny ? kTiny : d);
      c = 1 + term / c;
      if (std::abs(c) < kTiny) c = kTiny;
      h *= d * c;
    }
    if (std::abs(d * c - 1) < 1e-12) break;
  }
  return h;
}

double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                   : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

class Sums {
 public:
  explicit Sums(std::span<const double> values)
      : sum_(values.size() + 1), square_(values.size() + 1) {
    for (std::size_t i = 0; i < values.size(); i++) {
      sum_[i + 1] = sum_[i] + values[i];
      square_[i + 1] = square_[i] + values[i] * values[i];
    }
  }
  // p of the t-test that [from, at) and [at, to) have the same mean.
  [[nodiscard]] double p(std::size_t from, std::size_t at, std::size_t to) const {
    const auto n = static_cast<double>(at - from), m = static_cast<double>(to - at);
    if (n + m < 3) return 1;
    const double left = (sum_[at] - sum_[from]) / n, right = (sum_[to] - sum_[at]) / m;
    const double around = square_[to] - square_[from] - n * left * left - m * right * right;
    const double variance = std::max(around, 0.0) / (n + m - 2);
    if (variance <= 0) return left == right ? 1 : 0;
    return student_p((right - left) / std::sqrt(variance * (1 / n + 1 / m)), n + m - 2);
  }

 private:
  std::vector<double> sum_, square_;
};

// Sums of distances between the points of one window.
class Distances {
 public:
  explicit Distances(std::span<const double> values)
      : size_(values.size()), sum_((size_ + 1) * (size_ + 1), 0) {
    for (std::size_t i = 0; i < size_; i++) {
      for (std::size_t j = 0; j < size_; j++) {
        at(i + 1, j + 1) = at(i, j + 1) + at(i + 1, j) - at(i, j) + std::abs(values[i] - values[j]);
      }
    }
  }
  struct Candidate {
    std::size_t at = 0;
    double divergence = 0;
  };
  [[nodiscard]] Candidate best(std::size_t from, std::size_t to) const {
    Candidate best;
    for (std::size_t tau = from + 1; tau < to; tau++) {
      const auto n = static_cast<double>(tau - from);
      const double left = between(from, tau, from, tau) / 2;
      for (std::size_t kappa = tau + 1; kappa <= to; kappa++) {
        const auto m = static_cast<double>(kappa - tau);
        double q = 2 / (m + n) * between(from, tau, tau, kappa);
        if (n > 1) q -= 2 * m / (m + n) / (n - 1) * left;
        if (m > 1) q -= n / (m + n) / (m - 1) * between(tau, kappa, tau, kappa);
        if (q > best.divergence) best = {tau, q};
      }
    }
    return best;
  }

 private:
  double& at(std::size_t i, std::size_t j) { return sum_[i * (size_ + 1) + j]; }
  [[nodiscard]] double get(std::size_t i, std::size_t j) const { return sum_[i * (size_ + 1) + j]; }
  [[nodiscard]] double between(std::size_t i, std::size_t i2, std::size_t j, std::size_t j2) const {
    return get(i2, j2) - get(i, j2) - get(i2, j) + get(i, j);
  }
  std::size_t size_;
  std::vector<double> sum_;
};

std::vector<std::size_t> in_window(std::span<const double> values, double p) {
  const Distances distances(values);
  const Sums sums(values);
  std::vector<std::size_t> found;
  while (true) {
    std::vector<std::size_t> bounds = {0};
    bounds.insert(bounds.end(), found.begin(), found.end());
    bounds.push_back(values.size());
    Distances::Candidate best;
    std::size_t from = 0, to = 0;
    for (std::size_t i = 0; i + 1 < bounds.size(); i++) {
      if (bounds[i + 1] - bounds[i] < 2) continue;
      const Distances::Candidate c = distances.best(bounds[i], bounds[i + 1]);
      if (c.divergence <= best.divergence) continue;
      best = c;
      from = bounds[i];
      to = bounds[i + 1];
    }
    if (best.at == 0 || sums.p(from, best.at, to) > p) return found;
    found.insert(std::upper_bound(found.begin(), found.end(), best.at), best.at);
  }
}

std::vector<std::size_t> merged(std::vector<std::size_t> points, const Sums& sums, std::size_t size,
                                double most) {
  const auto p_of = [&](std::size_t i) {
    const std::size_t from = i > 0 ? points[i - 1] : 0;
    const std::size_t to = i + 1 < points.size() ? points[i + 1] : size;
    return sums.p(from, points[i], to);
  };
  std::vector<double> p(points.size());
  for (std::size_t i = 0; i < points.size(); i++) p[i] = p_of(i);
  while (!points.empty()) {
    const auto weakest = std::max_element(p.begin(), p.end());
    if (*weakest < most) break;
    const auto i = static_cast<std::size_t>(weakest - p.begin());
    points.erase(points.begin() + static_cast<std::ptrdiff_t>(i));
    p.erase(weakest);
    if (i < points.size()) p[i] = p_of(i);
    if (i > 0) p[i - 1] = p_of(i - 1);
  }
  return points;
}

}  // namespace

double student_p(double t, double freedom) {
  return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

std::vector<std::size_t> e_divisive(std::span<const double> values,
                                    const EDivisiveOptions& options) {
  std::vector<double> filled(values.begin(), values.end());
  double known = std::numeric_limits<double>::quiet_NaN();
  for (double& v : filled) {
    if (std::isnan(v)) v = known;
    known = v;
  }
  for (std::size_t i = filled.size(); i-- > 1;) {
    if (std::isnan(filled[i - 1])) filled[i - 1] = filled[i];
  }
  if (filled.empty() || std::isnan(filled.front())) return {};
  const double weak = options.p < 0.05 ? 10 * options.p : options.p;
  std::vector<std::size_t> points;
  for (std::size_t start = 0; start < filled.size();) {
    const std::size_t end = std::min(filled.size(), start + options.window);
    const std::vector<std::size_t> found =
        in_window(std::span(filled).subspan(start, end - start), weak);
    for (const std::size_t i : found) points.push_back(start + i);
    start = std::max(found.empty() ? 0 : start + found.back(), start + options.window / 2);
  }
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  return merged(std::move(points), Sums(filled), filled.size(), options.p);
}

double EwmaZ::score(double value) {
  constexpr double kRate = 0.05;
  if (std::isnan(value)) return 0;
  if (seen_++ == 0) mean_ = value;
  const double off = value - mean_;
  const double score = variance_ > 0 ? std::abs(off) / std::sqrt(variance_) : 0;
  mean_ += kRate * off;
  variance_ = (1 - kRate) * (variance_ + kRate * off * off);
  return score;
}

double SlidingMad::score(double value) {
  constexpr std::size_t kWindow = 200;
  if (std::isnan(value)) return 0;
  double score = 0;
  if (window_.size() >= 20) {
    std::vector<double> sorted(window_.begin(), window_.end());
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const double median = *middle;
    for (double& v : sorted) v = std::abs(v - median);
    std::nth_element(sorted.begin(), middle, sorted.end());
    score = std::abs(value - median) / std::max(*middle, 1e-12);
  }
  window_.push_back(value);
  if (window_.size() > kWindow) window_.pop_front();
  return score;
}

double WindowedGaussian::score(double value) {
  constexpr std::size_t kWindow = 6400;
  if (std::isnan(value)) return 0;
  double score = 0;
  if (window_.size() >= 20) {
    const auto n = static_cast<double>(window_.size());
    const double mean = sum_ / n, variance = std::max(square_ / n - mean * mean, 1e-24);
    score = std::abs(value - mean) / std::sqrt(variance);
  }
  window_.push_back(value);
  sum_ += value;
  square_ += value * value;
  if (window_.size() > kWindow) {
    sum_ -= window_.front();
    square_ -= window_.front() * window_.front();
    window_.pop_front();
  }
  return score;
}

}  // namespace nz::test
