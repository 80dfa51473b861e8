// Published methods to compare with, written from their papers. Not part of the product.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

namespace nz::test {

/// Two-sided p of Student's t with `freedom` degrees of freedom.
double student_p(double t, double freedom);

struct EDivisiveOptions {
  std::size_t window = 50;
  double p = 0.001;  ///< of the final test; ten times that for weak change points
};

/// E-divisive means (Matteson and James, JASA 2014) with hierarchical segmentation of overlapping
/// windows and Student's t-test in place of permutations, weak change points first and a merge that
/// drops the weakest: the method of Hunter (Fleming et al., ICPE 2023), today Apache Otava, whose
/// defaults these are (minimum magnitude 0). Missing values are those before them, as there.
std::vector<std::size_t> e_divisive(std::span<const double> values,
                                    const EDivisiveOptions& options = {});

/// Streaming anomaly scores, larger is odder.
class EwmaZ {
 public:
  double score(double value);

 private:
  double mean_ = 0, variance_ = 0;
  std::size_t seen_ = 0;
};
class SlidingMad {
 public:
  double score(double value);

 private:
  std::deque<double> window_;
};
/// The windowed Gaussian of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015).
class WindowedGaussian {
 public:
  double score(double value);

 private:
  std::deque<double> window_;
  double sum_ = 0, square_ = 0;
};

}  // namespace nz::test
