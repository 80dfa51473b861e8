#include "userspace/store/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "userspace/store/compaction.h"

namespace nz::store {
namespace {

constexpr std::int64_t kRowsAtOnce = 32, kBlocksAtOnce = 64, kOthersAtOnce = 64;
constexpr std::int64_t kBlocksOverSize = 512;
constexpr std::int64_t kHour = 3'600'000;
// Where there is too much: finer levels keep at least this before a coarser one gives.
constexpr std::int64_t kRawAtLeast = kHour, kMinutesAtLeast = 24 * kHour,
                       kHoursAtLeast = 30 * 24 * kHour;
constexpr std::int64_t kMostReports = 1000, kMostReportBytes = std::int64_t{64} << 20U;
constexpr std::int64_t kMostEventsKept = 100'000, kEventsAtOnce = 1000;
constexpr std::int64_t kEventsAtLeast = 1000, kReportsAtLeast = 10, kReportsAtOnce = 16;
constexpr std::int64_t kOthersEvery = 60'000;
constexpr std::int64_t kAhead = 24 * kHour;  // of a clock: what is later is in the future

// The last raw interval that is part of a minute.
std::int64_t rolled_up(Connection& c) {
  const char* key = kRolledUp[index_of(Level::raw)];
  return c.number("SELECT value FROM meta WHERE key=?", key).value_or(0);
}

// Gives the number of intervals that went.
std::int64_t drop_raw_rows(Connection& c, std::int64_t before_ms, std::int64_t at_most) {
  const std::int64_t rolled = rolled_up(c);
  for (const char* table : {"recent", "intervals"}) {
    c.run(fmt::format("DELETE FROM {} WHERE seq IN (SELECT seq FROM intervals WHERE level=? AND "
                      "to_ms<? AND seq<=? ORDER BY to_ms,seq LIMIT ?)",
                      table),
          Level::raw, before_ms, rolled, at_most);
  }
  return c.failed() ? 0 : c.changes();
}

std::int64_t drop_blocks(Connection& c, Level level, std::int64_t before_ms, std::int64_t at_most) {
  c.run(
      "DELETE FROM blocks WHERE key IN (SELECT key FROM blocks WHERE level=? AND to_ms<? "
      "ORDER BY to_ms LIMIT ?)",
      level, before_ms, at_most);
  return c.failed() ? 0 : c.changes();
}

// The earliest end of all that is there, at any level.
std::optional<std::int64_t> first_end(Connection& c) {
  std::optional<std::int64_t> first;
  for (const char* table : {"blocks", "intervals"}) {
    for (const Level level : kLevels) {
      const auto end =
          c.number(fmt::format("SELECT min(to_ms) FROM {} WHERE level=?", table), level);
      if (end && (!first || *end < *first)) first = end;
    }
  }
  return first;
}

// Those that no level holds any more: by age, or because all of theirs went by its size. What was
// there within a day may have rows that `last_ms`, of the last hour, does not tell of.
std::vector<std::uint32_t> drop_series(Connection& c, std::int64_t now_ms, std::int64_t keep_ms) {
  std::int64_t before = now_ms - keep_ms;
  if (const auto first = first_end(c))
    before = std::max(before, std::min(*first, now_ms - 24 * kHour));
  std::vector<std::uint32_t> gone;
  {
    Rows rows = c.query("SELECT id FROM series WHERE last_ms<? LIMIT ?", before, kOthersAtOnce);
    while (rows.next()) gone.push_back(static_cast<std::uint32_t>(rows.integer(0)));
  }
  for (const std::uint32_t id : gone) c.run("DELETE FROM series WHERE id=?", id);
  return gone;
}

// The oldest of those that are more than `most`. Gives the number of those that went.
std::int64_t drop_events(Connection& c, std::int64_t most) {
  c.run(
      "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY at_ms,id LIMIT "
      "min(?,max(0,(SELECT count(*) FROM events)-?)))",
      kEventsAtOnce, most);
  return c.failed() ? 0 : c.changes();
}

std::int64_t drop_reports(Connection& c) {
  c.run(
      "DELETE FROM reports WHERE id IN (SELECT id FROM reports ORDER BY created_ms,id LIMIT "
      "min(?,max(0,(SELECT count(*) FROM reports)-?)))",
      kReportsAtOnce, kReportsAtLeast);
  return c.failed() ? 0 : c.changes();
}

// Of one level, what lies behind a moment.
constexpr const char* kRowsBehind =
    " FROM intervals WHERE level=?1 AND to_ms>?2 AND from_ms>?2 AND seq<=?3";
constexpr const char* kBlocksBehind = " FROM blocks WHERE level=?1 AND to_ms>?2 AND from_ms>?2";

bool has_future(Connection& c, std::int64_t after_ms) {
  const std::string row = std::string("SELECT 1") + kRowsBehind + " LIMIT 1";
  if (c.number(row, Level::raw, after_ms, rolled_up(c))) return true;
  const std::string block = std::string("SELECT 1") + kBlocksBehind + " LIMIT 1";
  return std::any_of(kLevels.begin(), kLevels.end(),
                     [&](Level level) { return c.number(block, level, after_ms).has_value(); });
}

// Gives the number of rows that went.
std::int64_t drop_future(Connection& c, std::int64_t after_ms, std::int64_t at_most) {
  const std::int64_t rolled = rolled_up(c);
  for (const char* table : {"recent", "intervals"}) {
    c.run(fmt::format("DELETE FROM {} WHERE seq IN (SELECT seq{} ORDER BY to_ms DESC,seq LIMIT ?4)",
                      table, kRowsBehind),
          Level::raw, after_ms, rolled, at_most);
  }
  if (c.failed()) return 0;
  std::int64_t gone = c.changes();
  for (const Level level : kLevels) {
    if (gone >= at_most) break;
    c.run(fmt::format("DELETE FROM blocks WHERE key IN (SELECT key{} ORDER BY to_ms DESC LIMIT ?3)",
                      kBlocksBehind),
          level, after_ms, at_most - gone);
    if (c.failed()) return gone;
    gone += c.changes();
  }
  return gone;
}

std::int64_t pages(Connection& c, const char* what) { return c.number(what).value_or(0); }

}  // namespace

std::vector<std::uint32_t> Retention::step(Connection& c, std::int64_t now_ms,
                                           bool sure_of_the_time) {
  std::vector<std::uint32_t> series;
  if (sure_of_the_time) series = by_age(c, now_ms);
  by_size(c, now_ms, sure_of_the_time);
  return series;
}

std::vector<std::uint32_t> Retention::by_age(Connection& c, std::int64_t now_ms) {
  drop_raw_rows(c, now_ms - limits_.keep_ms[index_of(Level::raw)], kRowsAtOnce);
  for (const Level level : kLevels)
    drop_blocks(c, level, now_ms - limits_.keep_ms[index_of(level)], kBlocksAtOnce);
  // The rest looks at whole tables.
  if (now_ms >= last_others_ && now_ms - last_others_ < kOthersEvery) return {};
  last_others_ = now_ms;
  const std::int64_t oldest = now_ms - limits_.keep_ms[index_of(Level::hour)];
  c.run("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at_ms<? LIMIT ?)", oldest,
        kOthersAtOnce);
  drop_events(c, kMostEventsKept);
  c.run("DELETE FROM reports WHERE created_ms<?", oldest);
  c.run(
      "DELETE FROM reports WHERE id IN (SELECT id FROM (SELECT id, count(*) OVER newest AS n, "
      "sum(bytes) OVER newest AS total FROM reports WINDOW newest AS (ORDER BY created_ms DESC)) "
      "WHERE n>1 AND (n>? OR total>?))",
      kMostReports, kMostReportBytes);
  return drop_series(c, now_ms,
                     *std::max_element(std::begin(limits_.keep_ms), std::end(limits_.keep_ms)));
}

void Retention::by_size(Connection& c, std::int64_t now_ms, bool sure_of_the_time) {
  const auto too_much = [&](std::int64_t times = 1) {
    const std::int64_t used = pages(c, "PRAGMA page_count") - pages(c, "PRAGMA freelist_count");
    return used * pages(c, "PRAGMA page_size") / times >
           static_cast<std::int64_t>(limits_.most_bytes);
  };
  if (!too_much()) return;
  // What the future holds was written by a clock that was ahead, or this one is behind: which of
  // them is known when it has stood for a while. Until then history goes only for want of room.
  const std::int64_t future = now_ms + kAhead;
  if (sure_of_the_time && drop_future(c, future, kBlocksOverSize) != 0) return;
  if (!sure_of_the_time && has_future(c, future) && !too_much(2)) return;
  // The finest first, each down to what the next rule needs; at last whatever is oldest. With every
  // commit a raw interval gets old enough: that it went is not enough to leave the others alone.
  const std::int64_t gone = drop_raw_rows(c, now_ms - kRawAtLeast, kBlocksOverSize);
  if (gone == kBlocksOverSize || !too_much()) return;
  if (drop_blocks(c, Level::raw, now_ms - kRawAtLeast, kBlocksOverSize) != 0) return;
  if (drop_blocks(c, Level::minute, now_ms - kMinutesAtLeast, kBlocksOverSize) != 0) return;
  if (drop_blocks(c, Level::hour, now_ms - kHoursAtLeast, kBlocksOverSize) != 0) return;
  if (drop_events(c, kEventsAtLeast) + drop_reports(c) != 0) return;
  if (drop_blocks(c, Level::minute, now_ms, kBlocksOverSize) != 0) return;
  drop_blocks(c, Level::hour, now_ms, kBlocksOverSize);
}

void Retention::shrink(Connection& c) const {
  constexpr std::int64_t kAtLeast = 1024;  // pages: what is written next needs some
  const std::int64_t all = pages(c, "PRAGMA page_count");
  const std::int64_t free = pages(c, "PRAGMA freelist_count");
  const bool too_large =
      all * pages(c, "PRAGMA page_size") > static_cast<std::int64_t>(limits_.most_bytes);
  if (free < kAtLeast || (free < all / 4 && !too_large)) return;
  c.script("PRAGMA incremental_vacuum(256)");
}

}  // namespace nz::store
