#include "userspace/store/pending.h"

#include "userspace/store/compaction.h"
#include "userspace/store/rollup.h"

namespace nz::store {
namespace {

// Feeds `rollup`, and calls `done` with what ends.
template <class Done>
void feed(Rollup& rollup, const Row& row, const Done& done) {
  if (const auto ended = rollup.end_before(row.interval)) done(*ended);
  rollup.add(row);
  if (const auto ended = rollup.end_if_complete()) done(*ended);
}

template <class Each>
void read(Connection& c, Level level, const Each& each) {
  const auto rolled = c.number("SELECT value FROM meta WHERE key=?", kRolledUp[index_of(level)]);
  Rows intervals =
      c.query("SELECT seq,from_ms,to_ms FROM intervals WHERE level=? AND seq>? ORDER BY seq", level,
              rolled.value_or(0));
  while (intervals.next()) {
    Row row{{intervals.integer(1), intervals.integer(2)}, {}};
    Rows chunks = c.query("SELECT cells FROM recent WHERE seq=?", intervals.integer(0));
    while (chunks.next()) decode(chunks.bytes(0), row);
    each(row);
  }
}

}  // namespace

Pending pending_of(Level level, const Row& row) {
  Pending pending{level, row.interval, encode(row), row.cells.size(), 0};
  for (const auto& [chunk, cells] : pending.chunks) pending.bytes += cells.size();
  return pending;
}

std::deque<Pending> left_to_roll_up(Connection& c) {
  std::deque<Pending> found;
  Rollup minutes(Level::minute);
  Rollup hours(Level::hour);
  const auto hour_done = [&](const Row& row) { found.push_back(pending_of(Level::hour, row)); };
  const auto minute_done = [&](const Row& row) {
    // An hour that ends before this minute must stand before it, too.
    if (const auto ended = hours.end_before(row.interval)) hour_done(*ended);
    found.push_back(pending_of(Level::minute, row));
    feed(hours, row, hour_done);
  };
  read(c, Level::minute, [&](const Row& row) { feed(hours, row, hour_done); });
  read(c, Level::raw, [&](const Row& row) { feed(minutes, row, minute_done); });
  if (const auto ended = minutes.finish()) minute_done(*ended);
  if (const auto ended = hours.finish()) hour_done(*ended);
  return found;
}

}  // namespace nz::store
