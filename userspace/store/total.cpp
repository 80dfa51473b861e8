#include "userspace/store/total.h"

#include <algorithm>
#include <cmath>

#include "userspace/history/growth.h"

namespace nz::store {
namespace {

using metrics::Type;

// The other one where one is no number.
double lesser(double a, double b) { return std::isnan(a) || b < a ? b : a; }
double greater(double a, double b) { return std::isnan(a) || b > a ? b : a; }

}  // namespace

void Total::add(const Interval& interval, const Cell& cell) {
  const std::int64_t length = std::max<std::int64_t>(interval.to - interval.from, 0);
  type_ = cell.type;
  if (!any_ || interval.to >= until_) {
    value_ = cell.value;
    until_ = interval.to;
  }
  milliseconds_ += length;
  growth_ += cell.growth;
  least_ = any_ ? lesser(least_, cell.least) : cell.least;
  most_ = any_ ? greater(most_, cell.most) : cell.most;
  if (!std::isnan(cell.mean)) {
    weighed_ += cell.mean * static_cast<double>(length);
    weight_ += length;
  }
  any_ = true;
  if (cell.slots.empty()) return;
  if (!counts_) counts_ = std::make_unique<history::Flat>();
  history::Extremes extremes;
  for (const auto& [slot, count] : cell.slots) {
    const auto n = static_cast<std::uint64_t>(count);
    if (slot == history::kLeastSlot) {
      extremes.least_plus_one = n;
    } else if (slot == history::kMostSlot) {
      extremes.most = n;
    } else {
      (*counts_)[slot] += n;
    }
  }
  extremes_.merge(extremes);
}

double Total::mean() const {
  return weight_ == 0 ? value_ : weighed_ / static_cast<double>(weight_);
}

analysis::Histogram Total::histogram() const {
  analysis::Histogram h;
  if (!counts_) return h;
  std::copy(counts_->begin(), counts_->begin() + NZ_BUCKETS, h.buckets.begin());
  h.zero = (*counts_)[history::kZeroSlot];
  h.overflow = (*counts_)[history::kOverflowSlot];
  h.sum_ns = (*counts_)[history::kSumSlot];
  if (h.count() != 0) history::bound_extremes(h, extremes_);
  return h;
}

Cell Total::cell() const {
  Cell cell;
  cell.type = type_;
  cell.value = value_;
  cell.growth = growth_;
  if (type_ == Type::gauge) {
    cell.least = least_;
    cell.most = most_;
    cell.mean = mean();
  }
  if (!counts_) return cell;
  history::Flat flat = *counts_;
  flat[history::kLeastSlot] = extremes_.least_plus_one;
  flat[history::kMostSlot] = extremes_.most;
  cell.slots = slots_of(flat);
  return cell;
}

}  // namespace nz::store
