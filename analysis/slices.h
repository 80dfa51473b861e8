// A ring of equal slices of time: where counts of "the last minute" go, and which of them are over.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace nz::analysis {

class Slices {
 public:
  Slices(double seconds, size_t count) : seconds_(seconds), count_(count) {}

  /// Moves on to `now`; calls `clear(slot)` for each slot that begins anew. Whether any does.
  template <class Clear>
  bool advance(double now, Clear clear) {
    const auto slice = static_cast<int64_t>(std::floor(now / seconds_));
    if (slice <= slice_) return false;
    const int64_t steps = slice - slice_;
    for (int64_t i = 0; i < steps && i < static_cast<int64_t>(count_); i++)
      clear(static_cast<size_t>((slice - i) % static_cast<int64_t>(count_)));
    slice_ = slice;
    return true;
  }
  /// The slot that `ago` slices ago was the running one; `ago` below count().
  [[nodiscard]] size_t slot(size_t ago = 0) const {
    return static_cast<size_t>(slice_ - static_cast<int64_t>(ago) + static_cast<int64_t>(count_)) %
           count_;
  }
  [[nodiscard]] size_t count() const { return count_; }

 private:
  double seconds_;
  size_t count_;
  int64_t slice_ = 0;
};

}  // namespace nz::analysis
