#include "userspace/store/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "userspace/store/schema.h"

namespace nz::store {
namespace {

constexpr std::int64_t kAtATime = std::int64_t{4} << 20U;  // bytes of rows

// Rows that may go: of another period, and in the coarser level.
constexpr const char* kWhich =
    " FROM recent WHERE level=?1 AND (from_ms<?2 OR from_ms>=?3) AND seq<=?4";

std::int64_t rolled_up(Connection& c, Level level) {
  if (!coarser(level)) return std::numeric_limits<std::int64_t>::max();
  return c.number("SELECT value FROM meta WHERE key=?", kRolledUp[index_of(level)]).value_or(0);
}

using Key = std::pair<std::uint32_t, std::int64_t>;  // series, period

}  // namespace

void write_block(Connection& c, Level level, std::uint32_t series, std::int64_t period_ms,
                 const BlockWriter& block) {
  const std::int64_t key = block_key(level, series, period_ms);
  Points points;
  {
    Rows known = c.query("SELECT data FROM blocks WHERE key=?", key);
    if (known.next()) points = points_of(known.bytes(0));
  }
  const auto write = [&](const BlockWriter& b) {
    const std::string data = b.packed();
    c.run("INSERT OR REPLACE INTO blocks(key,level,from_ms,to_ms,points,bytes,data) "
          "VALUES(?,?,?,?,?,?,?)",
          key, level, b.range().from, b.range().to, b.points(), data.size(), Blob{data});
  };
  if (points.empty() && block.sorted()) return write(block);
  const Points fresh = points_of(block.packed());
  points.insert(points.end(), fresh.begin(), fresh.end());
  write(block_of(std::move(points)));
}

Result<std::size_t> compact(Connection& c, Level level, std::int64_t now_ms) {
  const std::int64_t begin = period_of(level, now_ms);
  const std::int64_t end = begin + block_ms(level);
  Transaction transaction(c, Transaction::Kind::write);
  const std::int64_t last = rolled_up(c, level);
  const std::int64_t bytes =
      c.number(std::string("SELECT sum(length(cells))") + kWhich, level, begin, end, last)
          .value_or(0);
  if (bytes == 0) {
    // Nothing, or nothing but rows without a cell.
    c.run(std::string("DELETE") + kWhich, level, begin, end, last);
    if (auto done = transaction.commit(); !done) return tl::unexpected(done.error());
    return 0;
  }
  const auto slices = static_cast<std::uint32_t>(bytes / kAtATime + 1);
  std::size_t written = 0;
  for (std::uint32_t slice = 0; slice < slices; slice++) {
    std::map<Key, BlockWriter> blocks;
    Cell cell;
    Rows rows = c.query(std::string("SELECT from_ms,to_ms,cells") + kWhich + " ORDER BY seq", level,
                        begin, end, last);
    while (rows.next()) {
      const Interval interval{rows.integer(0), rows.integer(1)};
      const std::int64_t period = period_of(level, interval.from);
      read_row(rows.bytes(2), [&](std::uint32_t series, std::string_view bytes_of_cell) {
        if (series % slices != slice) return;
        history::Bytes in(bytes_of_cell);
        get_cell(in, 0, cell);
        blocks[{series, period}].add(interval, cell);
      });
    }
    for (const auto& [key, block] : blocks) write_block(c, level, key.first, key.second, block);
    written += blocks.size();
  }
  c.run(std::string("DELETE") + kWhich, level, begin, end, last);
  if (auto done = transaction.commit(); !done) return tl::unexpected(done.error());
  return written;
}

std::optional<Interval> range_of(Connection& c, Level level) {
  std::optional<Interval> range;
  for (const char* table : {"blocks", "recent"}) {
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
