// A range of history cut into steps, each between the points nearest to its two ends.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "userspace/history/growth.h"
#include "userspace/history/scan.h"

namespace nz::history {

class Steps {
 public:
  /// Nothing where there are no points, `to` is not later than `from`, `step` is not above 0, or
  /// there are more than a million steps. `contents` must outlive it.
  static std::optional<Steps> of(const Contents& contents, double from, double to, double step);

  [[nodiscard]] std::size_t count() const { return count_; }
  /// Unix seconds at which step 1 to count() ends, or, for 0, the first begins.
  [[nodiscard]] double end_of(std::size_t number) const {
    return number == count_ ? to_ : from_ + static_cast<double>(number) * step_;
  }

  /// `states` at the end of a step and what each `growth` was within it. `seconds` between its two
  /// points; 0: there are no two.
  using Tell =
      std::function<void(std::size_t number, double seconds, const std::vector<State>& states,
                         const std::vector<Growth>& growths)>;
  /// Each step in order. The states of a later one may be more, never fewer.
  void run(Scan::Wanted wanted, const Tell& tell) const;

 private:
  Steps(const Contents& contents, double from, double to, double step, std::size_t count)
      : contents_(contents), from_(from), to_(to), step_(step), count_(count) {}

  const Contents& contents_;
  double from_, to_, step_;
  std::size_t count_;
};

}  // namespace nz::history
