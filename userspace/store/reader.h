// Reads a file of history beside whoever writes to it. Of one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/event.h"
#include "userspace/base/result.h"
#include "userspace/store/cell.h"
#include "userspace/store/connection.h"
#include "userspace/store/series_table.h"
#include "userspace/store/store.h"

namespace nz::store {

/// What of a series is read: its intervals whose middle lies in [from, to), Unix milliseconds.
struct Query {
  std::int64_t from = 0, to = 0;
  /// Where this level has nothing, coarser ones before it and finer ones after it are read, so that
  /// no moment is read twice.
  Level level = Level::minute;
  bool only_this_level = false;
};

/// How a level lies on the disk.
struct LevelInfo {
  std::optional<Interval> range;
  std::uint64_t intervals = 0;  ///< that are not in blocks yet, or never will be
  std::uint64_t blocks = 0;
  std::uint64_t points = 0;  ///< intervals of single series, in blocks
  std::uint64_t bytes = 0;   ///< of both
  std::uint64_t block_bytes = 0;
};

class Reader {
 public:
  /// Error: see open_to_read().
  static Result<std::unique_ptr<Reader>> open(const std::string& path, const std::string& vfs = {});

  /// Those of one family, or all where `name` is empty.
  Result<std::vector<StoredSeries>> series(const std::string& name = {});

  /// Calls `each` with the intervals of one series after the other, those of a series in the order
  /// of time (of their begin, where a clock was set back), and `done` after the last of each.
  /// Series are numbered as in `wanted`. All of it is one state of the file. The cell is the same
  /// object every time. `each` may return false: enough, nothing more is read.
  using Each = std::function<bool(std::size_t series, Level level, const Interval& interval,
                                  const Cell& cell)>;
  using Done = std::function<void(std::size_t series)>;
  Result<void> read(const std::vector<StoredSeries>& wanted, const Query& query, const Each& each,
                    const Done& done = {});

  Result<std::vector<analysis::Event>> events(double from, double to, std::size_t most);
  Result<std::optional<std::string>> state(const std::string& key);
  Result<std::vector<std::string>> state_keys(const std::string& prefix);
  /// By name, those whose names begin so.
  Result<std::map<std::string, std::string>> states(const std::string& prefix);
  Result<std::vector<Report>> reports();
  Result<std::optional<Report>> report(const std::string& id);

  Result<std::array<LevelInfo, kLevelCount>> levels();
  Result<std::int64_t> count(const std::string& table);
  /// What `PRAGMA integrity_check` has to say; empty: all is well. Reads the whole file.
  Result<std::vector<std::string>> check();
  /// Blocks that could not be decoded since it was opened.
  [[nodiscard]] std::uint64_t damaged_blocks() const { return damaged_blocks_; }
  [[nodiscard]] const std::string& path() const { return connection_->path(); }

 private:
  explicit Reader(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  template <class T>
  Result<T> with_outcome(T value);

  std::unique_ptr<Connection> connection_;
  std::uint64_t damaged_blocks_ = 0;
};

}  // namespace nz::store
