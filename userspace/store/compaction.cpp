#include "userspace/store/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "userspace/store/recent.h"
#include "userspace/store/schema.h"

namespace nz::store {
namespace {

// Intervals that may go: of another part of a period, and in the coarser level.
constexpr const char* kWhich =
    " FROM intervals WHERE level=?1 AND (from_ms<?2 OR from_ms>=?3) AND seq<=?4";

std::int64_t rolled_up(Connection& c, Level level) {
  if (!coarser(level)) return std::numeric_limits<std::int64_t>::max();
  return c.number("SELECT value FROM meta WHERE key=?", kRolledUp[index_of(level)]).value_or(0);
}

// Blocks of the series of one chunk.
Compacted compact_chunk(Connection& c, Level level, std::uint32_t chunk,
                        const Intervals& intervals) {
  std::map<std::pair<std::uint32_t, std::int64_t>, BlockWriter> blocks;  // by series and period
  Cell cell;
  const auto add = [&](const Interval& interval, std::uint32_t series, std::string_view bytes) {
    history::Bytes in(bytes);
    get_cell(in, 0, cell);
    blocks[{series, period_of(level, interval.from)}].add(interval, cell);
  };
  read_recent(c, level, chunk, intervals, add);
  Compacted written{blocks.size(), 0};
  for (const auto& [key, block] : blocks)
    written.damaged += write_block(c, level, key.first, key.second, block) ? 0 : 1;
  return written;
}

}  // namespace

bool write_block(Connection& c, Level level, std::uint32_t series, std::int64_t period_ms,
                 const BlockWriter& block) {
  const std::int64_t key = block_key(level, series, period_ms);
  Points points;
  bool whole = true;
  {
    Rows known = c.query("SELECT data FROM blocks WHERE key=?", key);
    if (known.next())
      whole = read_block(known.bytes(0), [&](const Interval& interval, const Cell& cell) {
        points.emplace_back(interval, cell);
      });
  }
  const auto write = [&](const BlockWriter& b) {
    const std::string data = b.packed();
    c.run(
        "INSERT OR REPLACE INTO blocks(key,level,from_ms,to_ms,points,bytes,data) "
        "VALUES(?,?,?,?,?,?,?)",
        key, level, b.range().from, b.range().to, b.points(), data.size(), Blob{data});
  };
  if (points.empty() && block.sorted()) {
    write(block);
    return whole;
  }
  const Points fresh = points_of(block.packed());
  points.insert(points.end(), fresh.begin(), fresh.end());
  write(block_of(std::move(points)));
  return whole;
}

Rows blocks_over(Connection& c, Level level, std::uint32_t series, const Interval& range) {
  constexpr std::int64_t kLast = kLastSecond * 1000;
  return c.query(
      "SELECT data FROM blocks WHERE key>=coalesce((SELECT key FROM blocks WHERE key>=?1 AND "
      "key<?2 ORDER BY key DESC LIMIT 1),?2) AND key<=?3 AND to_ms>?4 AND from_ms<?5 ORDER BY key",
      block_key(level, series, 0),
      block_key(level, series, period_of(level, std::min(range.from, kLast))),
      block_key(level, series, std::min(range.to, kLast)), range.from, range.to);
}

Result<Compacted> compact(Connection& c, Level level, std::int64_t now_ms) {
  const std::int64_t begin = part_of(level, now_ms);
  const std::int64_t end = begin + part_ms(level);
  Transaction transaction(c, Transaction::Kind::write);
  const std::int64_t last = rolled_up(c, level);
  const auto intervals = intervals_of(c, kWhich, level, begin, end, last);
  Compacted written;
  if (!intervals.empty()) {
    for (const std::uint32_t chunk : chunks_of(c, level)) {
      const Compacted some = compact_chunk(c, level, chunk, intervals);
      written.blocks += some.blocks;
      written.damaged += some.damaged;
    }
    c.run(std::string("DELETE FROM recent WHERE seq IN (SELECT seq") + kWhich + ")", level, begin,
          end, last);
    c.run(std::string("DELETE") + kWhich, level, begin, end, last);
  }
  if (auto done = transaction.commit(); !done) return tl::unexpected(done.error());
  return written;
}

std::vector<std::uint32_t> chunks_of(Connection& c, Level level) {
  std::vector<std::uint32_t> chunks;
  constexpr std::uint32_t kEnd = chunk_of(kMostSeriesId) + 1;
  for (std::uint32_t next = 0; next < kEnd;) {
    const auto key =
        c.number("SELECT key FROM recent WHERE key>=? AND key<=? ORDER BY key LIMIT 1",
                 recent_key(level, next, 0), recent_key(level, kEnd - 1, kLastInterval));
    if (!key) break;
    chunks.push_back(static_cast<std::uint32_t>(*key >> 41U) & (kEnd - 1));
    next = chunks.back() + 1;
  }
  return chunks;
}

std::optional<Interval> range_of(Connection& c, Level level) {
  std::optional<Interval> range;
  for (const char* table : {"blocks", "intervals"}) {
    const auto end = [&](const char* column, const char* order) {
      return c.number(fmt::format("SELECT {} FROM {} WHERE level=? ORDER BY to_ms {} LIMIT 1",
                                  column, table, order),
                      level);
    };
    const auto from = end("from_ms", "ASC");
    const auto to = end("to_ms", "DESC");
    if (!from || !to) continue;
    range = range ? Interval{std::min(range->from, *from), std::max(range->to, *to)}
                  : Interval{*from, *to};
  }
  return range;
}

}  // namespace nz::store
