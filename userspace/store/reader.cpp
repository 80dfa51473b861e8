#include "userspace/store/reader.h"

#include <algorithm>
#include <cmath>

#include "userspace/store/block.h"
#include "userspace/store/compaction.h"
#include "userspace/store/database.h"
#include "userspace/store/milliseconds.h"
#include "userspace/store/pack.h"
#include "userspace/store/schema.h"
#include "userspace/store/tails.h"

namespace nz::store {
namespace {

using Starts = std::array<std::int64_t, kLevelCount>;

constexpr std::size_t kAtOnce = 256;  // series whose latest cells are in memory
constexpr std::int64_t kBefore = std::numeric_limits<std::int64_t>::min();

// Intervals of one series, from one level after the other: coarser ones first, because they reach
// further back; what a level has covered the next one leaves out.
class SeriesRead {
 public:
  SeriesRead(Connection& c, const Query& query, const Tails& tails, std::uint32_t id,
             std::size_t place)
      : c_(c), query_(query), tails_(tails), id_(id), place_(place) {}

  /// False: enough. `each` gets level, interval and cell.
  template <class Each>
  bool run(const Each& each, std::uint64_t& damaged) {
    std::int64_t covered = kBefore;
    for (const Level level : {Level::hour, Level::minute, Level::raw}) {
      if (query_.only_this_level && level != query_.level) continue;
      // A coarser level is asked only for what is older than all that finer ones have.
      const std::int64_t before = level > query_.level ? oldest_below(level) : kNever;
      if (before <= query_.from) continue;
      std::int64_t end = covered;
      const bool more = level_cells(
          level, covered,
          [&](const Interval& interval, const Cell& cell) {
            if (interval.from >= before || interval.from < covered) return true;
            end = std::max(end, interval.to);
            return each(level, interval, cell);
          },
          damaged);
      if (!more) return false;
      covered = end;
    }
    return true;
  }

 private:
  // Begin of the first interval of the asked level, and of those between it and `level`.
  std::int64_t oldest_below(Level level) {
    std::int64_t oldest = kNever;
    for (std::size_t i = index_of(query_.level); i < index_of(level); i++) {
      const auto finer = static_cast<Level>(i);
      const auto& cells = tails_.cells(place_, finer);
      if (!cells.empty()) oldest = std::min(oldest, cells.front().interval.from);
      const auto block =
          c_.number("SELECT from_ms FROM blocks WHERE key>=? AND key<? ORDER BY key LIMIT 1",
                    block_key(finer, id_, 0), block_key(finer, id_ + 1, 0));
      if (block) oldest = std::min(oldest, *block);
    }
    return oldest;
  }

  template <class Take>
  bool level_cells(Level level, std::int64_t covered, const Take& take, std::uint64_t& damaged) {
    bool more = true;
    const auto give = [&](const Interval& interval, const Cell& cell) {
      const std::int64_t middle = interval.middle();
      if (more && middle >= query_.from && middle < query_.to) more = take(interval, cell);
    };
    const auto& tail = tails_.cells(place_, level);
    std::size_t next = 0;
    const auto give_tail_until = [&](std::int64_t from) {
      for (; more && next < tail.size() && tail[next].interval.from < from; next++) {
        history::Bytes in(tails_.bytes(tail[next]));
        get_cell(in, 0, cell_);
        give(tail[next].interval, cell_);
      }
    };
    const std::int64_t since = std::max({query_.from, covered, std::int64_t{0}});
    if (query_.to > 0) {
      Rows blocks = blocks_over(c_, level, id_, {since, query_.to});
      while (more && blocks.next()) {
        const bool whole = read_block(blocks.bytes(0), [&](const Interval& i, const Cell& cell) {
          give_tail_until(i.from);
          give(i, cell);
        });
        if (!whole) damaged++;
      }
    }
    give_tail_until(kNever);
    return more;
  }

  Connection& c_;
  const Query& query_;
  const Tails& tails_;
  const std::uint32_t id_;
  const std::size_t place_;
  Cell cell_;
};

// From when on the rows of each level are to be read: of those finer than the asked one only what
// follows its last row.
Starts starts_of(Connection& c, const Query& query) {
  Starts starts;
  starts.fill(query.only_this_level ? kNever : query.from);
  starts[index_of(query.level)] = query.from;
  if (query.only_this_level) return starts;
  std::int64_t since = query.from;
  for (std::size_t i = index_of(query.level); i > 0; i--) {
    const auto last =
        c.number("SELECT max(to_ms) FROM intervals WHERE level=?", static_cast<Level>(i));
    since = std::max(since, last.value_or(since));
    starts[i - 1] = since;
  }
  return starts;
}

Report report_of(const Rows& rows) {
  Report r;
  r.id = rows.bytes(0);
  r.created = static_cast<double>(rows.integer(1)) / 1e3;
  r.from = static_cast<double>(rows.integer(2)) / 1e3;
  r.to = static_cast<double>(rows.integer(3)) / 1e3;
  r.title = rows.bytes(4);
  r.findings = static_cast<std::size_t>(rows.integer(5));
  r.complete = rows.integer(6) != 0;
  r.bytes = static_cast<std::size_t>(rows.integer(7));
  return r;
}

constexpr const char* kReport = "SELECT id,created_ms,from_ms,to_ms,title,findings,complete,bytes";

}  // namespace

template <class T>
Result<T> Reader::with_outcome(T value) {
  if (auto outcome = connection_->outcome(); !outcome) return tl::unexpected(outcome.error());
  return value;
}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path, const std::string& vfs) {
  auto connection = open_to_read(path, vfs);
  if (!connection) return tl::unexpected(connection.error());
  return std::unique_ptr<Reader>(new Reader(std::move(*connection)));
}

Result<std::vector<StoredSeries>> Reader::series(const std::string& name) {
  return with_outcome(load_series(*connection_, name));
}

Result<void> Reader::read(const std::vector<StoredSeries>& wanted, const Query& query,
                          const Each& each, const Done& done) {
  Connection& c = *connection_;
  Transaction transaction(c, Transaction::Kind::read);
  const Starts starts = starts_of(c, query);
  // Neighbours by number share their rows, whatever order was asked for.
  bool more = true;
  for (std::size_t begin = 0; more && begin < wanted.size() && !c.failed(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, wanted.size());
    std::unordered_map<std::uint32_t, std::size_t> place_of;
    for (std::size_t i = begin; i < end; i++) place_of[wanted[i].id] = i - begin;
    const Tails tails(c, place_of, end - begin, starts, query.to);
    for (std::size_t i = begin; more && i < end && !c.failed(); i++) {
      SeriesRead one(c, query, tails, wanted[i].id, i - begin);
      more = one.run([&](Level level, const Interval& interval,
                         const Cell& cell) { return each(i, level, interval, cell); },
                     damaged_blocks_);
      if (done && !c.failed()) done(i);
    }
  }
  return transaction.commit();
}

Result<std::vector<analysis::Event>> Reader::events(double from, double to, std::size_t most) {
  std::vector<analysis::Event> events;
  Rows rows = connection_->query(
      "SELECT at_ms,kind,target,text FROM (SELECT * FROM events WHERE at_ms>=? AND at_ms<=? "
      "ORDER BY at_ms DESC, id DESC LIMIT ?) ORDER BY at_ms, id",
      ms(from), ms(to), most);
  while (rows.next()) {
    events.push_back({static_cast<double>(rows.integer(0)) / 1e3, std::string(rows.bytes(1)),
                      std::string(rows.bytes(2)), std::string(rows.bytes(3))});
  }
  return with_outcome(std::move(events));
}

Result<std::optional<std::string>> Reader::state(const std::string& key) {
  std::optional<std::string> value;
  Rows rows = connection_->query("SELECT value FROM state WHERE key=?", key);
  if (rows.next()) value = std::string(rows.bytes(0));
  return with_outcome(std::move(value));
}

Result<std::vector<std::string>> Reader::state_keys(const std::string& prefix) {
  std::vector<std::string> keys;
  Rows rows = connection_->query("SELECT key FROM state WHERE key>=? ORDER BY key", prefix);
  while (rows.next()) {
    if (!rows.bytes(0).starts_with(prefix)) break;
    keys.emplace_back(rows.bytes(0));
  }
  return with_outcome(std::move(keys));
}

Result<std::map<std::string, std::string>> Reader::states(const std::string& prefix) {
  std::map<std::string, std::string> states;
  Rows rows = connection_->query("SELECT key,value FROM state WHERE key>=? ORDER BY key", prefix);
  while (rows.next()) {
    if (!rows.bytes(0).starts_with(prefix)) break;
    states.emplace_hint(states.end(), rows.bytes(0), rows.bytes(1));
  }
  return with_outcome(std::move(states));
}

Result<std::vector<Report>> Reader::reports() {
  std::vector<Report> reports;
  Rows rows =
      connection_->query(std::string(kReport) + " FROM reports ORDER BY created_ms DESC, id");
  while (rows.next()) reports.push_back(report_of(rows));
  return with_outcome(std::move(reports));
}

Result<std::optional<Report>> Reader::report(const std::string& id) {
  std::optional<Report> report;
  Rows rows = connection_->query(std::string(kReport) + ",body FROM reports WHERE id=?", id);
  if (rows.next()) {
    report = report_of(rows);
    auto body = unpack(rows.bytes(8));
    if (!body) return fail(path() + ": the report " + id + " is damaged", "", kDamaged);
    report->body = std::move(*body);
  }
  return with_outcome(std::move(report));
}

Result<std::array<LevelInfo, kLevelCount>> Reader::levels() {
  Connection& c = *connection_;
  std::array<LevelInfo, kLevelCount> levels;
  const auto number = [](std::optional<std::int64_t> n) {
    return static_cast<std::uint64_t>(n.value_or(0));
  };
  for (const Level level : kLevels) {
    LevelInfo& info = levels[index_of(level)];
    info.range = range_of(c, level);
    Rows blocks =
        c.query("SELECT count(*), sum(points), sum(bytes) FROM blocks WHERE level=?", level);
    if (blocks.next()) {
      info.blocks = number(blocks.integer(0));
      info.points = number(blocks.integer(1));
      info.bytes = info.block_bytes = number(blocks.integer(2));
    }
    info.intervals = number(c.number("SELECT count(*) FROM intervals WHERE level=?", level));
    info.bytes += number(c.number("SELECT sum(length(cells)) FROM recent WHERE key>=? AND key<=?",
                                  recent_key(level, 0, 0),
                                  recent_key(level, chunk_of(kMostSeriesId), kLastInterval)));
  }
  return with_outcome(std::move(levels));
}

Result<std::int64_t> Reader::count(const std::string& table) {
  return with_outcome(connection_->number("SELECT count(*) FROM " + table).value_or(0));
}

Result<std::vector<std::string>> Reader::check() {
  std::vector<std::string> problems;
  Rows rows = connection_->query("PRAGMA integrity_check(20)");
  while (rows.next()) {
    if (rows.bytes(0) != "ok") problems.emplace_back(rows.bytes(0));
  }
  return with_outcome(std::move(problems));
}

}  // namespace nz::store
