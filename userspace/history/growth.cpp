#include "userspace/history/growth.h"

#include <algorithm>
#include <cmath>

namespace nz::history {

void bound_extremes(analysis::Histogram& h, const Extremes& told) {
  const auto used = [](std::uint64_t n) { return n != 0; };
  const auto first = std::find_if(h.buckets.begin(), h.buckets.end(), used);
  const auto last = std::find_if(h.buckets.rbegin(), h.buckets.rend(), used);
  const bool any = first != h.buckets.end();
  const std::uint64_t top = analysis::upper_bound_ns(NZ_BUCKETS - 1);
  const auto below = [](std::size_t i) {
    return i == 0 ? analysis::zero_threshold_ns() : analysis::upper_bound_ns(i - 1);
  };

  std::uint64_t least = top + 1, least_limit = UINT64_MAX;
  if (h.zero != 0) {
    least = 0;
    least_limit = analysis::zero_threshold_ns();
  } else if (any) {
    const auto i = static_cast<std::size_t>(first - h.buckets.begin());
    least = below(i) + 1;
    least_limit = analysis::upper_bound_ns(i);
  }
  std::uint64_t most = analysis::zero_threshold_ns(), most_limit = 0;
  if (h.overflow != 0) {
    most = std::max(told.most, top + 1);
    most_limit = top + 1;
  } else if (any) {
    const auto i = static_cast<std::size_t>(h.buckets.rend() - last) - 1;
    most = analysis::upper_bound_ns(i);
    most_limit = below(i) + 1;
  }
  const std::uint64_t told_least = told.least_plus_one - 1;  // huge where there is none
  h.min_ns = told_least >= least && told_least <= least_limit ? told_least : least;
  h.max_ns =
      told.least_plus_one != 0 && told.most >= most_limit && told.most <= most ? told.most : most;
}

void Growth::add(const State& state) {
  if (state.flat) {
    add_histogram(state);
  } else if (state.present) {
    change_ += state.value >= state.value_before ? state.value - state.value_before : state.value;
    // What is no number compares to nothing: it stays only where there is no other.
    least_ = seen_ && !std::isnan(least_) ? std::min(least_, state.value) : state.value;
    most_ = seen_ && !std::isnan(most_) ? std::max(most_, state.value) : state.value;
  }
  seen_ = seen_ || state.present;
}

void Growth::add_histogram(const State& state) {
  if (!state.present || state.deltas.empty()) return;
  if (!grown_) grown_ = std::make_unique<Flat>();
  bool counted = state.fell;
  if (state.fell) {
    for (std::size_t slot = 0; slot <= kSumSlot; slot++) (*grown_)[slot] += (*state.flat)[slot];
  } else {
    for (const auto& [slot, delta] : state.deltas) {
      if (slot > kSumSlot) continue;
      (*grown_)[slot] += static_cast<std::uint64_t>(delta);
      counted = counted || slot <= kOverflowSlot;
    }
  }
  if (counted) extremes_.merge({(*state.flat)[kLeastSlot], (*state.flat)[kMostSlot]});
}

analysis::Histogram Growth::histogram() const {
  analysis::Histogram h;
  if (!grown_) return h;
  std::copy(grown_->begin(), grown_->begin() + NZ_BUCKETS, h.buckets.begin());
  h.zero = (*grown_)[kZeroSlot];
  h.overflow = (*grown_)[kOverflowSlot];
  h.sum_ns = (*grown_)[kSumSlot];
  if (h.count() != 0) bound_extremes(h, extremes_);
  return h;
}

}  // namespace nz::history
