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
  Rows rows = c.query(
      "SELECT from_ms,to_ms,cells FROM recent WHERE level=? AND seq>? ORDER BY seq", level,
      rolled.value_or(0));
  while (rows.next()) each(decode({rows.integer(0), rows.integer(1)}, rows.bytes(2)));
}

}  // namespace

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
