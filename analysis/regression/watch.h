// Regressions online: each series has a step detector, each step is judged on the histograms around
// it, and what is found is tracked until it ends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/detect/step_detector.h"
#include "analysis/event.h"
#include "analysis/regression.h"
#include "analysis/regression/judge.h"
#include "analysis/regression/tracker.h"

namespace nz::analysis {

class RegressionWatch {
 public:
  struct Options {
    JudgeOptions judge;
    RegressionTracker::Options tracker;
    StepOptions step;
    double history_seconds = 3600;  ///< before a step, for the judge
    double decide_seconds = 300;    ///< a step that cannot be decided by then is none
    /// A judge of a histogram asks for some hundred of them: so many are judged in a look, those
    /// first that were judged least often.
    std::size_t judged_a_look = 16;
    double forget_seconds = 86400;   ///< series that gave no value for so long
    std::size_t most_series = 8192;  ///< some 2 KB each
  };

  /// Slices of the histogram of a quantity between two times, in order; nothing where it has none.
  /// Of some 10 s: three whole ones have to follow a step before it can be told.
  using History = std::function<std::vector<Slice>(const Quantity&, double from, double to)>;

  RegressionWatch() : RegressionWatch(Options{}) {}
  explicit RegressionWatch(const Options& options) : options_(options), tracker_(options.tracker) {}

  /// The next value of a quantity, in order of time (each 10 s, say); NaN: none was measured.
  void add(const Quantity& of, double at, double value);

  /// After a round of add(): judges the steps that were seen, and looks whether what is open has
  /// ended. Two quantiles of one histogram that moved at once are one regression, unless the second
  /// moved much further: a rule that asks for a least change would not hear of it.
  RegressionTracker::Changes look(double at, const History& history, std::span<const Event> events);

  [[nodiscard]] RegressionTracker& tracker() { return tracker_; }
  [[nodiscard]] const RegressionTracker& tracker() const { return tracker_; }
  [[nodiscard]] std::size_t series() const { return watched_.size(); }
  /// Series that did not fit.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Step {
    double at = 0, earliest = 0, latest = 0, told_at = 0;
    std::uint32_t judged = 0;  // so often
    ChangePoint change;
  };
  struct Watched {
    Quantity of;
    StepDetector detector;
    std::uint64_t values = 0;
    double last_at = 0;
    std::array<float, 6> recent{};  // newest finite values, in a ring
    std::uint8_t recents = 0, next = 0;
    std::optional<Step> step;  // to be judged
  };

  static Step step_of(const ChangePoint& change, const StepDetector& detector, double at,
                      std::uint64_t values);
  std::vector<Watched*> waiting();
  std::optional<Regression> judged(Watched& watched, double at, const History& history,
                                   std::span<const Event> events);
  [[nodiscard]] bool told_already(const Regression& regression) const;
  [[nodiscard]] std::optional<double> now(const Quantity& of) const;

  Options options_;
  RegressionTracker tracker_;
  std::map<std::string, Watched> watched_;
  std::uint64_t dropped_ = 0;
};

/// Whether more (`up`) or less of a quantity is worse: latencies, pressure and errors suffer from
/// more; other rates are only told.
bool is_worse(const Quantity& of, bool up);

}  // namespace nz::analysis
