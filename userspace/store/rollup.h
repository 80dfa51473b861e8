// Intervals of one level joined to one of the next.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "userspace/store/cell.h"
#include "userspace/store/total.h"

namespace nz::store {

/// An interval of a rollup holds finer ones without a hole, of one stretch of the nominal length
/// (step_ms). Where observing was interrupted it ends early, and another one begins behind the
/// hole.
class Rollup {
 public:
  explicit Rollup(Level level) : step_(step_ms(level)) {}

  /// What is in progress, where `next` does not begin at its end.
  std::optional<Row> end_before(const Interval& next);
  void add(const Row& finer);
  /// What is in progress, if its stretch of time is over.
  std::optional<Row> end_if_complete();
  /// What is in progress.
  std::optional<Row> finish();

 private:
  Row end();

  const std::int64_t step_;
  std::optional<Interval> open_;
  std::unordered_map<std::uint32_t, Total> totals_;
};

}  // namespace nz::store
