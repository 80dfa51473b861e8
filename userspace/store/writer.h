// The one that writes: from drains to rows, and what is given to keep, in one transaction each 10
// s. Of one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/store/accumulator.h"
#include "userspace/store/connection.h"
#include "userspace/store/inbox.h"
#include "userspace/store/pending.h"
#include "userspace/store/retention.h"
#include "userspace/store/rollup.h"
#include "userspace/store/series_table.h"
#include "userspace/store/stats.h"
#include "userspace/store/store.h"

namespace nz::store {

class Writer {
 public:
  /// `on_new_file` is called when the file at the path is another one than before, or can be
  /// written now: who reads it has to open it anew.
  Writer(const Options& options, Stats& stats, Inbox& inbox, std::function<void()> on_new_file);

  /// Error: what keeps Store::open() from going on; see there.
  Result<void> open();
  /// True: an interval has ended, there is something to save.
  bool add(const Moment& now, const std::vector<metrics::Family>& families);
  /// Somebody who reads has met damage: checks the whole file, once an hour at most, and sets it
  /// aside where there is some.
  void look_for_damage();
  /// Commits what is pending, and keeps it where that fails: the next call tries again.
  Result<void> save();
  /// The interval in progress, too.
  Result<void> close();

 private:
  Result<void> try_open();
  void load_catalogue();
  void recover();
  void set_file_aside();
  void begin_file_anew();
  void start_over();
  void look_at_file();
  Result<void> failure(const Error& error);

  [[nodiscard]] std::optional<std::uint32_t> id_of(const history::Series& series);
  void tell(analysis::Event event);
  void roll(Level level, const Row& row);
  void trim();

  Result<void> commit(std::size_t rows);
  void write(Connection& connection, std::size_t rows, const Inbox::Batch& batch);
  void write_rows(Connection& connection, std::size_t rows);
  void note_seen(Connection& connection, const Pending& row);
  void wrote(std::size_t rows);
  void forget_series();
  Result<void> maintain();

  const Options options_;
  Stats& stats_;
  Inbox& inbox_;
  const std::function<void()> on_new_file_;
  Fd lock_;
  std::unique_ptr<Connection> connection_;
  std::pair<std::uint64_t, std::uint64_t> identity_;  // device and inode of the file
  bool recovered_ = false;
  bool cannot_set_aside_ = false;
  std::string last_failure_;  // as it was logged; empty: all is well

  std::unordered_map<std::string, StoredSeries> catalogue_;  // by set_key_of
  std::unordered_map<std::uint32_t, const StoredSeries*> by_id_;
  std::uint32_t next_id_ = 1;
  std::vector<const StoredSeries*> to_enter_;  // not in the file yet
  std::vector<std::uint32_t> gone_;            // from the file: numbers to be forgotten
  std::size_t states_refused_ = 0;             // ever

  std::unique_ptr<Accumulator> accumulator_;
  std::unique_ptr<Rollup> minutes_, hours_;
  std::deque<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  std::int64_t now_ms_ = 0, boot_ms_ = 0;  // of the newest drain
  std::int64_t steady_since_ = -1;         // boot_ms since when the clock was not set by much
  std::int64_t last_try_ms_ = -1;          // boot_ms of the last attempt at a first file
  std::int64_t last_look_ms_ = -1;         // boot_ms of the last look for damage
  std::array<std::int64_t, kLevelCount> compacted_{-1, -1, -1};  // up to which part of a period
  std::array<std::int64_t, kLevelCount> newest_{-1, -1, -1};     // begin of the last row written
  Retention retention_;
};

}  // namespace nz::store
