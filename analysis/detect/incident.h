// Anomalies that belong together become one incident, with what likely caused the rest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/regression.h"

namespace nz::analysis {

/// How far from the cause a quantity stands: what a host has only so much of comes before the waits
/// for it, those before the calls and statements that wait, and those before the orders that
/// suffer.
enum class Layer { resource, wait, call, order };
Layer layer_of(const Quantity& quantity);

/// Sorts the members of one incident, the likely root first: by layer, then the earlier one, then
/// the one farther from what was expected, then by name. A resource or wait that became unusual
/// more than `tolerance` seconds after the first order or call did is no cause of it and stands
/// behind.
void order_by_cause(std::vector<Anomaly>& members, double tolerance = 30);

/// Why `first` stands before `second`, in plain words: "a resource, and resources come before the
/// orders that need them".
std::string why_before(const Anomaly& first, const Anomaly& second);

struct IncidentOptions {
  /// A series that becomes unusual so soon after another belongs to the same incident.
  double join_seconds = 120;
  /// Ends when no member was unusual for so long.
  double quiet_seconds = 180;
  /// One of the same series so soon after its end is the same incident.
  double rejoin_seconds = 300;
  /// It opens with so many observations: one unusual value of one series is none.
  std::uint32_t open_observations = 2;
  std::size_t most = 64;          ///< open ones, and as many resolved ones
  std::size_t most_members = 32;  ///< of each
};

class IncidentGrouper {
 public:
  /// What one call changed, for logs and alerts. An incident that comes back is opened again.
  struct Changes {
    std::vector<Incident> opened, resolved;
  };

  /// What has to be known of an open incident for it to go on after a restart.
  struct Open {
    Incident incident;
    double last_joined = 0, last_seen = 0;  ///< Unix seconds: of a new member, of any
  };

  IncidentGrouper() : IncidentGrouper(IncidentOptions{}) {}
  explicit IncidentGrouper(const IncidentOptions& options) : options_(options) {}

  /// The anomalies of one moment, `at` Unix seconds (a clock that goes back stands still); the
  /// caller decides which score makes one, 0.99 for instance. Call it also with none: that is how
  /// incidents end.
  Changes observe(double at, const std::vector<Anomaly>& anomalies);

  /// Open ones, newest first, then resolved ones, newest first. A member's `at` is when its series
  /// became unusual, value, expected and score are those of its highest score.
  [[nodiscard]] std::vector<Incident> incidents() const;

  /// Those that have opened and not ended, oldest first.
  [[nodiscard]] std::vector<Open> open() const;
  /// After a restart at `now`, before anything is observed: what open() gave. One that was seen
  /// `quiet_seconds` ago or more has ended when it was seen last, as it would have without the
  /// restart; the others go on. Nothing opens.
  Changes restore(const std::vector<Open>& known, double now);

  /// Anomalies and incidents that did not fit.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    Incident incident;
    std::vector<std::string> series;  // text_of() of each member
    double last_joined = 0, last_seen = 0;
    std::uint32_t observations = 0;
    bool open = false;
  };

  Entry* home_of(const std::string& series, double at);
  Entry* rejoined(const std::string& series, double at, Changes& changes);
  void add(Entry& entry, const std::string& series, const Anomaly& anomaly, double at);
  void close_quiet(double at, Changes& changes);

  IncidentOptions options_;
  std::vector<Entry> entries_;   // pending and open, oldest first
  std::vector<Entry> resolved_;  // oldest first
  std::uint64_t dropped_ = 0;
  double last_ = 0;
};

}  // namespace nz::analysis
