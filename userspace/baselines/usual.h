// What is usual for every watched quantity at each hour of the week: learnt minute by minute, kept
// in the store, foretold for the hours to come so that a rule never waits for a disk.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "analysis/baseline/against_usual.h"
#include "analysis/baseline/hour_of_week.h"
#include "analysis/watch/quantities.h"
#include "userspace/alerts/facts.h"
#include "userspace/baselines/group_blob.h"
#include "userspace/store/store.h"

namespace nz::baselines {

/// What went wrong lately, as detection and the rules of bottlenecks tell it.
struct Troubles {
  std::vector<analysis::Regression> regressions;
  std::vector<analysis::Incident> incidents;
  std::vector<analysis::Finding> findings;
};

/// Seconds that local time is ahead of UTC.
double local_utc_offset(double unix_seconds);

/// Any thread may ask; take() and work() are each of one thread.
class Usual {
 public:
  struct Options {
    /// Quantities; the others are told by left_out(). Each has some 1.5 KB in memory (640 B of
    /// hours foretold, 272 B of this hour's points, its name twice), and in the store the 11 KB of
    /// eight weeks.
    std::size_t most_series = 8192;
    /// Weeks are lived in local time.
    double (*utc_offset)(double unix_seconds) = &local_utc_offset;
  };

  /// `store` outlives it.
  explicit Usual(store::Store& store) : Usual(store, Options{}) {}
  Usual(store::Store& store, const Options& options) : store_(store), options_(options) {}

  /// What a minute around `at` (Unix seconds) was. Never waits. Until the first work() has read
  /// what is known, nothing is learnt.
  void take(double at, std::span<const analysis::Measured> minute);
  /// Hours that touch one of these do not teach. What was told more than a day ago is held already.
  void hold_out(double now, const Troubles& troubles);
  /// Reads what is known, at first; then keeps, once an hour, the hours that have ended, and brings
  /// one group of series at a time up to date, each every six hours. Waits for the disk. Once a
  /// minute.
  void work(double now);

  /// At this hour or one of the next; nothing where nothing is known.
  [[nodiscard]] std::optional<analysis::Expected> expected(const analysis::Quantity& of,
                                                           double at) const;
  /// For a rule: nothing, too, where fewer than three weeks of this hour are known, nor four days
  /// of the same kind (working day or weekend): a first Monday is not judged by a Sunday.
  [[nodiscard]] std::optional<alerts::BaselineValue> value(const analysis::Quantity& of,
                                                           double at) const;
  /// Of the order path, and of everything that is outside of what 99 % of its values are: the
  /// farthest, 40 at most. Takes some milliseconds.
  [[nodiscard]] std::vector<analysis::AgainstUsual> against_usual() const;

  [[nodiscard]] std::size_t series() const { return series_; }
  /// Quantities of the last minute that did not fit.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }
  /// Hours that were given up because the store took nothing for two days.
  [[nodiscard]] std::uint64_t lost_hours() const { return lost_hours_; }
  /// Rows that could not be read, or were damaged, or not be written.
  [[nodiscard]] std::uint64_t errors() const { return errors_; }

 private:
  static constexpr std::size_t kGroups = 64;

  struct Entry {
    explicit Entry(analysis::Quantity quantity);
    analysis::Quantity of;
    analysis::HourPoints points;
    double last = 0;                             // Unix seconds, of the newest value
    std::vector<analysis::HourSummary> waiting;  // not in the store's baseline yet
    std::set<std::int64_t> held;                 // hours of the last day that do not teach
    std::vector<analysis::Expected> ahead;       // hour by hour, from Group::folded on
  };
  struct Group {
    std::map<std::string, Entry> entries;  // by key_of()
    std::int64_t folded = -1;              // the hour in which it was brought up to date
  };
  struct Merged;

  bool load(double now);
  [[nodiscard]] std::optional<std::vector<KnownSeries>> read_group(std::size_t number);
  void adopt(std::size_t number, const std::vector<KnownSeries>& known, double now);
  bool load_waiting();
  void keep_waiting(std::int64_t hour);
  [[nodiscard]] bool is_due(std::size_t number, std::int64_t hour) const;
  void fold(std::size_t number, std::int64_t hour, double now);
  [[nodiscard]] std::map<std::string, Merged> to_merge(std::size_t number,
                                                       std::vector<KnownSeries> known) const;
  void publish(std::size_t number, std::int64_t hour, double now,
               std::map<std::string, Merged>& merged);
  [[nodiscard]] analysis::HourOfWeek hours_of(const analysis::Quantity& of, const std::string& blob,
                                              double now);
  Entry* entry_of(const analysis::Quantity& of);
  [[nodiscard]] const Entry* find(const analysis::Quantity& of, const Group** group) const;
  void wait(Entry& entry, const analysis::HourSummary& hour);
  void begin_hours_anew(double at);
  void note_error(const std::string& what);

  store::Store& store_;
  const Options options_;
  // Of the thread that works.
  std::size_t next_to_load_ = 0;
  std::int64_t kept_hour_ = -1;  // in which the waiting hours were put by
  std::string last_error_;       // as it was logged; empty: all is well

  mutable std::mutex mutex_;  // of the next three
  std::array<Group, kGroups> groups_;
  bool loaded_ = false;
  double newest_ = 0;  // Unix seconds

  // Each drain tells them: it does not wait for a lock that a thread at nice 19 may hold.
  std::atomic<std::size_t> series_ = 0, left_out_ = 0;
  std::atomic<std::uint64_t> lost_hours_ = 0, errors_ = 0;
};

}  // namespace nz::baselines
