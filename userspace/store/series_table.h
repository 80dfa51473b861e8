// Numbers for series, in the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "userspace/history/series.h"
#include "userspace/store/connection.h"

namespace nz::store {

struct StoredSeries {
  std::uint32_t id = 0;
  history::Series series;
};

/// history::key_of() of the labels by name: the same for one series, in whatever order a text has
/// its labels. Prometheus sorts them, the agent does not.
std::string set_key_of(const history::Series& series);

/// `series.labels`: each text behind its length, in their order.
std::string pack_labels(const metrics::Labels& labels);
metrics::Labels unpack_labels(std::string_view packed);

/// Those of one family, or all where `name` is empty; by name and labels. A failure stays in the
/// connection.
std::vector<StoredSeries> load_series(Connection& connection, std::string_view name = {});

/// Enters and finds series within one transaction: it remembers what it has read of the table. Two
/// whose labels differ in their order alone are one. A failure stays in the connection.
class SeriesTable {
 public:
  explicit SeriesTable(Connection& connection) : c_(connection) {}

  /// Enters a series under a number of the agent's. Where an import has entered it under another
  /// one meanwhile, what it brought gets this number. The labels get the order of `series`.
  void enter(const StoredSeries& series, std::int64_t last_ms);

  /// The number of a series for an import, which is entered if it is not known. Its labels get the
  /// order that the file has. 0: no number is left, or the connection has failed.
  std::uint32_t find_or_enter(history::Series& series, std::int64_t last_ms);

 private:
  using Family = std::unordered_map<std::string, StoredSeries>;  // by set_key_of

  std::optional<StoredSeries> find(const history::Series& series);
  Family& family_of(const std::string& name);
  void insert(const StoredSeries& series, std::int64_t last_ms);
  void remember(const StoredSeries& series);

  Connection& c_;
  std::map<std::string, Family> families_;  // those that were asked for
};

}  // namespace nz::store
