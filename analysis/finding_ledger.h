// What findings are over time: one window's findings come and go with noise, an incident opens,
// goes on and ends. Has no clock; time is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "analysis/finding.h"

namespace nz::analysis {

class FindingLedger {
 public:
  struct Options {
    /// Opens when it was there so many windows in a row: one window may be a stall.
    int open_windows = 2;
    /// ... or without a break for so many seconds, where windows are judged rarely.
    double open_seconds = 20;
    /// Ends when it was absent so many windows in a row: causes near their threshold flicker.
    int resolve_windows = 5;
    /// One that comes back so soon after its end has never ended.
    double rejoin_seconds = 60;
    /// Resolved ones are kept so long.
    double keep_seconds = 24 * 3600.0;
    /// At most so many that are open or about to open, and as many resolved ones. A finding is some
    /// 2 KB: 256 and 256 are 1 MB.
    std::size_t most = 256;
    /// Evidence kept of each.
    std::size_t most_evidence = 16;
  };

  /// What one window changed, for logs and alerts.
  struct Changes {
    std::vector<Finding> opened, resolved;
  };

  /// What has to be known of an open finding for it to go on after a restart.
  struct Open {
    Finding newest, worst;
    int missed = 0;           ///< newest windows in a row without it
    double missed_since = 0;  ///< Unix seconds of the first of them; of no meaning where none is
  };

  FindingLedger() : FindingLedger(Options{}) {}
  explicit FindingLedger(const Options& options) : options_(options) {}

  /// One judged window, `at` Unix seconds; windows that could not be judged are not observed. A
  /// clock that went back counts as standing still.
  Changes observe(const std::vector<Finding>& found, double at);

  /// Open and ongoing ones, most costly first, each with its newest evidence; behind them those
  /// that have been absent for as many windows as one takes to open (a symptom whose cause is found
  /// now, or what is about to end): their figures are of the past. Then the resolved ones, newest
  /// first, each with the evidence of its worst window. `since` is when it was first seen, before
  /// it opened; `until` when it was first seen to be gone.
  [[nodiscard]] std::vector<Finding> findings() const;

  /// Those that were seen and may open with the next window.
  [[nodiscard]] std::vector<Finding> pending() const;

  /// Those that have opened and not ended, by id; their `since` is in `newest`.
  [[nodiscard]] std::vector<Open> open() const;
  /// After a restart at `now`, before anything is observed: what open() gave after the window of
  /// `seen` (Unix seconds both). What had begun to be absent, or else was there, `rejoin_seconds`
  /// ago or less goes on: it ends when it is absent from as many windows in a row as ever, those
  /// before the restart among them, and not for the time in which nobody looked. Older ones have
  /// ended when they began to be absent, or at `seen`. Nothing opens. By a clock that was set back
  /// meanwhile nobody knows how long ago that was, so the windows decide.
  Changes restore(const std::vector<Open>& known, double seen, double now);

  /// Unix seconds of the newest window; 0: there was none.
  [[nodiscard]] double observed() const { return last_; }
  /// Findings that did not fit.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    Finding newest, worst;
    int seen = 0, missed = 0;  // windows in a row
    double since = 0, missed_since = 0;
    bool open = false;
  };

  void see(const Finding& finding, double at, Changes& changes);
  bool has_room_for(const Finding& finding);
  void resolve(Entry& entry, Changes& changes);
  void forget_old(double at);

  Options options_;
  std::map<std::string, Entry> entries_;  // pending and open, by id
  std::deque<Finding> resolved_;          // oldest first
  std::uint64_t dropped_ = 0;
  double last_ = 0;
};

}  // namespace nz::analysis
