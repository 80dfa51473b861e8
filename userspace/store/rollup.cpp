#include "userspace/store/rollup.h"

#include <algorithm>

namespace nz::store {

std::optional<Row> Rollup::end_before(const Interval& next) {
  if (!open_ || open_->to == next.from) return std::nullopt;
  return end();
}

void Rollup::add(const Row& finer) {
  if (!open_) open_ = finer.interval;
  open_->to = finer.interval.to;
  for (const auto& [series, cell] : finer.cells) totals_[series].add(finer.interval, cell);
}

std::optional<Row> Rollup::end_if_complete() {
  if (!open_ || open_->to / step_ == open_->from / step_) return std::nullopt;
  return end();
}

std::optional<Row> Rollup::finish() { return open_ ? std::optional(end()) : std::nullopt; }

Row Rollup::end() {
  Row row{*open_, {}};
  row.cells.reserve(totals_.size());
  for (const auto& [series, total] : totals_) row.cells.emplace_back(series, total.cell());
  std::sort(row.cells.begin(), row.cells.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  totals_.clear();
  open_.reset();
  return row;
}

}  // namespace nz::store
