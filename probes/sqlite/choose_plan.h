// Step or boundary? Decided by what is observed, because the cheaper plan depends on it.
#pragma once

#include <cstdint>
#include <string>

namespace nz::probes {

enum class SqlitePlan {
  none,
  step,      ///< entry and return of sqlite3_step: exact, costs per row
  boundary,  ///< statement boundaries: costs per statement, time inside of reads is sampled
};

inline const char* plan_name(SqlitePlan plan) {
  switch (plan) {
    case SqlitePlan::step:
      return "step";
    case SqlitePlan::boundary:
      return "boundary";
    default:
      return "none";
  }
}

/// What was seen since the last decision.
struct SqliteObserved {
  uint64_t steps = 0;       ///< sqlite3_step calls (boundary plan: in sampling windows)
  uint64_t statements = 0;  ///< statements that ended meanwhile
  double seconds = 0;       ///< how long it was looked at (boundary plan: sum of the windows)
};

/// Above this many steps for each statement the boundary plan is the cheaper one by far; below the
/// other the step plan costs about as much and is exact. Between them a mixed load does not flap.
inline constexpr double kStepsToBoundary = 8;
inline constexpr double kStepsToStep = 3;
/// Fewer steps a second than the first cost too little (1.7 us each: 0.4 % of a core) to give up
/// exactness; so few as the second are worth going back for.
inline constexpr double kDearStepsPerSecond = 2000;
inline constexpr double kCheapStepsPerSecond = 1000;
/// What a decision to return to the step plan needs: so many steps, or to have looked so long.
inline constexpr uint64_t kEnoughSteps = 50;
inline constexpr double kEnoughSeconds = 0.030;

/// `wanted` is the configuration's word: "auto", "step" or "boundary". The caller starts anew to
/// collect `seen` when is_enough().
inline bool is_enough(SqlitePlan now, const SqliteObserved& seen) {
  return now != SqlitePlan::boundary || seen.steps >= kEnoughSteps ||
         seen.seconds >= kEnoughSeconds;
}

inline SqlitePlan choose_plan(SqlitePlan now, const std::string& wanted, bool can_step,
                              bool can_boundary, const SqliteObserved& seen) {
  if (!can_step && !can_boundary) return SqlitePlan::none;
  if (!can_boundary || (wanted == "step" && can_step)) return SqlitePlan::step;
  if (!can_step || wanted == "boundary") return SqlitePlan::boundary;
  // Exact until the rows make it dear.
  if (now == SqlitePlan::none) return SqlitePlan::step;
  if (seen.seconds <= 0 || !is_enough(now, seen)) return now;
  const auto steps = static_cast<double>(seen.steps);
  const double per_statement =
      steps / static_cast<double>(seen.statements == 0 ? 1 : seen.statements);
  const double per_second = steps / seen.seconds;
  if (now == SqlitePlan::step) {
    return per_statement > kStepsToBoundary && per_second > kDearStepsPerSecond
               ? SqlitePlan::boundary
               : now;
  }
  // A window without a step says nothing about the rows of a statement, but much about the cost.
  if (seen.steps >= kEnoughSteps && per_statement < kStepsToStep) return SqlitePlan::step;
  if (seen.seconds >= kEnoughSeconds && per_second < kCheapStepsPerSecond) return SqlitePlan::step;
  return now;
}

}  // namespace nz::probes
