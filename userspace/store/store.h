// History on disk: what every series did over the last hours, weeks and months, and what other
// parts of the agent want to find again after a restart.
//
// One thread writes (nice 19); whoever adds hands over a pointer and never waits for a disk. Every
// 10 s an interval of all series is committed; minutes and hours are made of them with whole
// histograms, so that any quantile over any range is that of all its values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/event.h"
#include "analysis/window.h"
#include "userspace/base/result.h"
#include "userspace/history/history.h"
#include "userspace/metrics/family.h"

namespace nz::store {

struct Options {
  std::string path = "/var/lib/nearzero/history.db";
  double resolution = 10;                ///< seconds of a raw interval
  double keep_raw = 6 * 3600;            ///< seconds
  double keep_minutes = 30 * 86400.0;    ///< seconds
  double keep_hours = 400 * 86400.0;     ///< seconds; of events and reports, too
  std::uint64_t most_bytes = 1U << 30U;  ///< of the file; then the oldest goes, finest level first
  std::size_t most_series = 20'000;      ///< further ones are not kept, and counted
  std::string vfs = {};                  ///< of SQLite: tests inject faults with their own
};

/// A report as it was made.
struct Report {
  std::string id, title;
  double created = 0, from = 0, to = 0;  ///< Unix seconds
  std::size_t findings = 0;
  bool complete = false;
  std::string body;       ///< empty in lists
  std::size_t bytes = 0;  ///< read: as it is kept; those that still wait for the disk: unpacked
};

using Families = std::shared_ptr<const std::vector<metrics::Family>>;

class Store {
 public:
  /// Opens or makes the file and goes on where it ends. Error: another agent records to it
  /// (EWOULDBLOCK), a newer version has written it (EPROTONOSUPPORT), it is another program's
  /// database (EEXIST), no file (EISDIR). Everything else (no room, a read-only disk, a folder that
  /// is not there) is no error: observing goes on, what cannot be kept is counted, and every 10 s
  /// it is tried again. A damaged file is set aside, and a new one begun.
  static Result<std::unique_ptr<Store>> open(const Options& options);
  /// Writes what there is, and the interval in progress.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// The families as of now (cumulative), as of one drain; from one thread. Does not wait: where
  /// the writer is more than some drains behind, the newest takes the place of the one before it,
  /// by which no count is lost, only what a gauge was then; it is counted. `boot_seconds`:
  /// CLOCK_BOOTTIME, by which a clock that was set is told from time that went by.
  void add(double unix_seconds, Families families, double boot_seconds);
  /// The same, with the clock read here.
  void add(double unix_seconds, Families families);
  void add(double unix_seconds, const std::vector<metrics::Family>& families);

  /// All intervals whose middle lies between `from` and `to` (Unix seconds), taken from the level
  /// that is fine enough for a range of this length, and from another where that one has nothing.
  /// As history::History::window() otherwise. Empty where the file cannot be read (counted,
  /// logged).
  [[nodiscard]] analysis::Window window(double from, double to,
                                        const history::History::Filter& filter = {}) const;
  /// As history::History::trends(), over months. A rate is by the seconds that were observed.
  /// Series without a value in the range have no trend. Nothing (counted, logged) where all of them
  /// have more than two million points.
  [[nodiscard]] std::vector<history::Trend> trends(const history::Selector& selector, double from,
                                                   double to, double step) const;
  /// As history::History::family(), of whatever is on disk.
  [[nodiscard]] std::optional<metrics::Family> family(const std::string& name) const;
  /// Unix seconds of the first and the last moment on disk, at any level; nothing: it is empty.
  [[nodiscard]] std::optional<std::pair<double, double>> range() const;

  /// Kept from the next commit on, a second later at most; `text` is cut at 4 KB.
  void add_event(analysis::Event event);
  /// By time; at most 10,000, the newest.
  [[nodiscard]] std::vector<analysis::Event> events(double from, double to) const;

  /// Small blobs by name, that others want to find again. Seen by get_state() at once, on disk a
  /// second later at most (or after flush()). Error: larger than 16 MB, a name of more than 1 KB,
  /// or more than 64 MB wait for a disk that takes nothing. Beyond 10,000 names no new one is kept,
  /// which is counted and logged.
  Result<void> put_state(const std::string& key, std::string value);
  void remove_state(const std::string& key);
  [[nodiscard]] std::optional<std::string> get_state(const std::string& key) const;
  /// The same, where a file that cannot be read has to be told from a name that is not there.
  [[nodiscard]] Result<std::optional<std::string>> find_state(const std::string& key) const;
  /// All whose names begin with `prefix`, by name: one question to the file. Error: as
  /// find_state().
  [[nodiscard]] Result<std::map<std::string, std::string>> states(const std::string& prefix) const;

  /// As put_state(); the same id replaces. The newest 1,000 stay, at most 64 MB packed.
  Result<void> put_report(Report report);
  /// Newest first, without their bodies.
  [[nodiscard]] std::vector<Report> reports() const;
  [[nodiscard]] std::optional<Report> report(const std::string& id) const;

  /// Waits until everything that was handed over before is on the disk. Error: it could not be
  /// written; it will be tried again.
  Result<void> flush();

  /// The store about itself: nearzero_store_*.
  void collect(std::vector<metrics::Family>& out) const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nz::store
