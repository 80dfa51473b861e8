#include "userspace/store/import.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>

#include "userspace/store/block.h"
#include "userspace/store/compaction.h"
#include "userspace/store/database.h"
#include "userspace/store/import_text.h"
#include "userspace/store/openmetrics_import.h"
#include "userspace/store/schema.h"
#include "userspace/store/series_table.h"
#include "userspace/store/tails.h"

namespace nz::store {
namespace {

constexpr std::size_t kMostHeld = 50'000;  // points in memory, some 20 MB; then they are written
constexpr std::size_t kMostEventsHeld = 10'000;
constexpr std::size_t kLongestLine = std::size_t{1} << 20U;

using Progress = std::function<bool(std::size_t, std::size_t)>;

class Lines {
 public:
  explicit Lines(std::FILE* file) : file_(file) {}
  /// False at the end. One that is too long ends behind kLongestLine.
  bool next(std::string& line) {
    line.clear();
    int c = EOF;
    while (line.size() <= kLongestLine && (c = getc_unlocked(file_)) != EOF) {
      read_++;
      if (c == '\n') return true;
      line.push_back(static_cast<char>(c));
    }
    return !line.empty();
  }
  [[nodiscard]] std::size_t read() const { return read_; }

 private:
  std::FILE* file_;
  std::size_t read_ = 0;
};

// Calls `take` with what each line tells. Error: with the name of the file and the place.
Result<void> each_line(std::FILE* file, const std::string& name, LineReader& reader,
                       const std::function<Result<void>(ImportedLine&&)>& take,
                       const std::function<bool(std::size_t)>& progress) {
  if (std::fseek(file, 0, SEEK_SET) != 0) return fail_errno("go back in " + name, errno);
  Lines lines(file);
  std::string line;
  std::vector<ImportedLine> told;
  std::size_t number = 1;
  const auto take_told = [&](const Result<void>& read) -> Result<void> {
    if (!read) {
      const Error& e = read.error();
      return fail(fmt::format("{}:{}:", name, number) +
                      (e.code != 0 ? fmt::format("{}: ", e.code) : " ") + e.what,
                  e.remedy);
    }
    for (ImportedLine& one : told) {
      if (auto taken = take(std::move(one)); !taken) return taken;
    }
    told.clear();
    return {};
  };
  for (; lines.next(line); number++) {
    if (line.size() > kLongestLine)
      return fail(fmt::format("{}:{}: the line is longer than 1 MB", name, number));
    if (auto taken = take_told(reader.read(line, told)); !taken) return taken;
    if (number % 1000 == 0 && !progress(lines.read())) return fail("interrupted", "", EINTR);
  }
  if (std::ferror(file) != 0) return fail_errno("read " + name, errno);
  return take_told(reader.end(told));
}

class Importer {
 public:
  Importer(Connection& connection, Imported& imported)
      : connection_(connection), imported_(imported) {}

  Result<void> take(ImportedPoint&& p) {
    std::string key = set_key_of(p.series);
    const auto known = series_.try_emplace(std::move(key), std::move(p.series)).first;
    const std::int64_t period = period_of(p.level, p.interval.from);
    groups_[{&*known, p.level, period}].emplace_back(p.interval, std::move(p.cell));
    return ++held_ >= kMostHeld ? write() : Result<void>();
  }
  Result<void> take(const analysis::Event& event) {
    events_.push_back(event);
    return events_.size() >= kMostEventsHeld ? write() : Result<void>();
  }

  /// One transaction.
  Result<void> write() {
    Transaction transaction(connection_, Transaction::Kind::write);
    Counts counts;
    for (const Level level : kLevels) write_level(level, counts);
    for (const analysis::Event& e : events_) write_event(e, counts);
    if (out_of_numbers_ && !connection_.failed())
      return fail(connection_.path() + ": there are too many series", "select some for the export");
    if (auto done = transaction.commit(); !done) return done;
    imported_.points += counts.points;
    imported_.known += counts.known;
    imported_.events += counts.events;
    imported_.damaged += counts.damaged;
    imported_.series = series_.size();
    groups_.clear();
    events_.clear();
    held_ = 0;
    return {};
  }

 private:
  using Named = std::pair<const std::string, history::Series>;
  using Group = std::tuple<Named*, Level, std::int64_t>;  // and the period
  struct Counts {
    std::size_t points = 0, known = 0, events = 0, damaged = 0;
  };

  void write_level(Level level, Counts& counts) {
    SeriesTable table(connection_);
    std::unordered_map<std::uint32_t, std::size_t> place_of;
    std::vector<std::tuple<std::uint32_t, std::int64_t, Points*>> all;
    Interval range{std::numeric_limits<std::int64_t>::max(), 0};
    for (auto& [group, points] : groups_) {
      const auto& [named, of_level, period] = group;
      if (of_level != level) continue;
      const Interval covers = range_covered(points);
      const std::int64_t end = std::max(period + block_ms(level), covers.to);
      const std::uint32_t id = table.find_or_enter(named->second, end);
      if (id == 0) {  // or the connection has failed, which the commit tells
        out_of_numbers_ = true;
        return;
      }
      place_of.emplace(id, place_of.size());
      all.emplace_back(id, period, &points);
      range = {std::min(range.from, covers.from), std::max(range.to, covers.to)};
    }
    if (all.empty()) return;
    std::array<std::int64_t, kLevelCount> from{kNever, kNever, kNever};
    from[index_of(level)] = range.from;
    const Tails tails(connection_, place_of, place_of.size(), from, range.to);
    for (const auto& [id, period, points] : all) {
      std::vector<Interval> taken = known_intervals(level, id, range_covered(*points));
      for (const TailCell& cell : tails.cells(place_of.at(id), level))
        taken.push_back(cell.interval);
      write_group(level, id, period, *points, std::move(taken), counts);
    }
  }

  static Interval range_covered(const Points& points) {
    Interval range = points.front().first;
    for (const auto& [interval, cell] : points)
      range = {std::min(range.from, interval.from), std::max(range.to, interval.to)};
    return range;
  }

  // Those that overlap the range.
  std::vector<Interval> known_intervals(Level level, std::uint32_t id, const Interval& range) {
    std::vector<Interval> known;
    Rows rows = blocks_over(connection_, level, id, range);
    while (rows.next()) {
      read_block(rows.bytes(0), [&](const Interval& i, const Cell&) {
        if (i.to > range.from && i.from < range.to) known.push_back(i);
      });
    }
    return known;
  }

  // What overlaps something that is there, or that came before it in the file, is left out.
  void write_group(Level level, std::uint32_t id, std::int64_t period, Points points,
                   std::vector<Interval> known, Counts& counts) {
    const auto by_begin = [](const Interval& a, const Interval& b) { return a.from < b.from; };
    std::sort(known.begin(), known.end(), by_begin);
    std::stable_sort(points.begin(), points.end(),
                     [&](const auto& a, const auto& b) { return by_begin(a.first, b.first); });
    BlockWriter block;
    std::size_t next = 0;
    std::int64_t covered = 0;  // end of all that begins before the point
    for (const auto& [interval, cell] : points) {
      for (; next < known.size() && known[next].from < interval.to; next++) {
        if (known[next].to > interval.from) covered = std::max(covered, known[next].to);
      }
      if (covered > interval.from) {
        counts.known++;
        continue;
      }
      block.add(interval, cell);
      counts.points++;
      covered = interval.to;
    }
    if (block.points() != 0 && !write_block(connection_, level, id, period, block))
      counts.damaged++;
  }

  void write_event(const analysis::Event& e, Counts& counts) {
    const auto at = static_cast<std::int64_t>(std::llround(e.at * 1000));
    connection_.run(
        "INSERT INTO events(at_ms,kind,target,text) SELECT ?1,?2,?3,?4 WHERE NOT EXISTS(SELECT 1 "
        "FROM events WHERE at_ms=?1 AND kind=?2 AND target=?3 AND text=?4)",
        at, e.kind, e.target, e.text);
    if (!connection_.failed() && connection_.changes() != 0) counts.events++;
  }

  Connection& connection_;
  Imported& imported_;
  std::map<std::string, history::Series> series_;  // by set_key_of
  std::map<Group, Points> groups_;
  std::vector<analysis::Event> events_;
  std::size_t held_ = 0;
  bool out_of_numbers_ = false;
};

void count(LeftOut cause, Imported& imported) {
  switch (cause) {
    case LeftOut::quantiles:
      imported.lines++;
      imported.left_out++;
      break;
    case LeftOut::not_a_number:
      imported.not_a_number++;
      break;
    case LeftOut::backward:
      imported.backward++;
      break;
    case LeftOut::exemplar:
      imported.exemplars++;
      break;
  }
}

Result<void> check_all(std::FILE* file, const std::string& name, LineReader& reader,
                       Imported& imported, const std::function<bool(std::size_t)>& progress) {
  return each_line(
      file, name, reader,
      [&](ImportedLine&& line) -> Result<void> {
        if (const auto* cause = std::get_if<LeftOut>(&line)) {
          count(*cause, imported);
        } else if (!std::holds_alternative<NoLine>(line)) {
          imported.lines++;
        }
        return {};
      },
      progress);
}

Result<void> write_all(std::FILE* file, const std::string& name, LineReader& reader,
                       Importer& importer, const std::function<bool(std::size_t)>& progress) {
  auto done = each_line(
      file, name, reader,
      [&](ImportedLine&& line) -> Result<void> {
        if (auto* point = std::get_if<ImportedPoint>(&line))
          return importer.take(std::move(*point));
        if (const auto* event = std::get_if<analysis::Event>(&line)) return importer.take(*event);
        return {};
      },
      progress);
  return done ? importer.write() : done;
}

}  // namespace

Result<Imported> import_history(const std::string& path, std::FILE* file, const std::string& name,
                                Format format, const Progress& progress,
                                std::optional<Level> level) {
  struct stat s {};
  const std::size_t size = fstat(fileno(file), &s) == 0 ? static_cast<std::size_t>(s.st_size) : 0;
  std::size_t pass = 0;
  std::size_t passes = 2;
  const auto so_far = [&](std::size_t read) {
    return !progress || progress(pass * size + read, passes * size);
  };
  const bool surveyed = format == Format::openmetrics;
  OpenMetricsSurvey survey;
  Imported imported;
  std::unique_ptr<LineReader> reader;
  do {
    imported = {};
    reader = surveyed ? openmetrics_survey(survey) : line_reader(format);
    if (auto checked = check_all(file, name, *reader, imported, so_far); !checked)
      return tl::unexpected(checked.error());
    pass++;
    passes += survey.again ? 1 : 0;
  } while (survey.again);
  imported.level = level.value_or(survey.level());
  reader = surveyed ? openmetrics_reader(survey, level) : line_reader(format);
  auto connection = open_to_write(path);
  if (!connection) return tl::unexpected(connection.error());
  Importer importer(**connection, imported);
  if (auto done = write_all(file, name, *reader, importer, so_far); !done)
    return tl::unexpected(done.error());
  imported.by_bucket.assign(survey.by_bucket.begin(), survey.by_bucket.end());
  return imported;
}

}  // namespace nz::store
