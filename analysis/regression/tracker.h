// What regressions are over time: found once, told once, ended when the series is back. Has no
// clock; time is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/regression.h"

namespace nz::analysis {

class RegressionTracker {
 public:
  struct Options {
    double least_confidence = 0.99;
    /// Back means: of the way from before to after (on a log scale where both are above 0) at most
    /// this share is left ...
    double back_share = 1.0 / 3;
    /// ... in so many looks in a row ...
    int back_looks = 3;
    /// ... for so long.
    double back_seconds = 30;
    /// One that is found again so soon after its end has never ended.
    double rejoin_seconds = 300;
    /// What has lasted so long is the new normal: resolved with an event "accepted".
    double adopt_seconds = 14 * 86400.0;
    double keep_seconds = 7 * 86400.0;  ///< resolved ones are kept so long
    /// At most so many that are open, and as many resolved ones; some 1 KB each.
    std::size_t most = 256;
    std::size_t most_events = 8;
  };

  /// What one look changed, for logs and alerts.
  struct Changes {
    std::vector<Regression> opened, resolved;
    bool further = false;  ///< an open one went a further step: its figures are others
  };

  /// The present value of a quantity (its statistic over the last minute or so, in its unit);
  /// nothing where it has none: then nothing is concluded.
  using Now = std::function<std::optional<double>(const Quantity&)>;

  RegressionTracker() : RegressionTracker(Options{}) {}
  explicit RegressionTracker(const Options& options) : options_(options) {}

  /// One look, `at` Unix seconds, with what was found since the last one. A quantity has one open
  /// regression: a further step the same way updates it (since and before stay those of the first),
  /// a step that leads back ends it. Those found with too little confidence are left out. A clock
  /// that went back counts as standing still.
  Changes observe(const std::vector<Regression>& found, const Now& now, double at);

  /// The level is accepted as normal (an operator, a named baseline); false: none of that id.
  bool accept(const std::string& id, double at);

  /// Open ones, surest first; then the resolved ones, newest first.
  [[nodiscard]] std::vector<Regression> regressions() const;

  /// After a restart: what regressions() told before it. Open ones go on.
  void restore(const std::vector<Regression>& known);

  /// Regressions that did not fit.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    Regression regression;
    int back = 0;  // looks in a row
    double back_since = 0;
  };

  void take(const Regression& found, double at, Changes& changes);
  void open(Regression regression, Changes& changes);
  void further(Entry& entry, const Regression& found) const;
  std::optional<Regression> rejoined(const Regression& found, double at);
  bool look(Entry& entry, const std::optional<double>& value, double at) const;
  void resolve(Entry& entry, double until, Changes& changes);
  void adopt(Entry& entry, double at) const;
  bool has_room_for(const Regression& found);

  Options options_;
  std::map<std::string, Entry> open_;  // by text_of(quantity)
  std::deque<Regression> resolved_;    // oldest first
  std::uint64_t dropped_ = 0;
  double last_ = 0;
};

}  // namespace nz::analysis
