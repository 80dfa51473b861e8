#include "userspace/store/writer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "userspace/base/clock.h"
#include "userspace/store/compaction.h"
#include "userspace/store/milliseconds.h"
#include "userspace/store/pack.h"
#include "userspace/store/schema.h"

namespace nz::store {
namespace {

constexpr std::size_t kMostPending = std::size_t{16}
                                     << 20U;  // bytes of rows that wait for the disk
constexpr std::size_t kAfterFailure = 64;     // rows in a commit, once one has failed
constexpr std::size_t kKnownForEachLive = 5;  // series of the past that are remembered by number
constexpr std::int64_t kMostStates = 10'000;  // by name
// A clock that is wrong by a month must not cost a month: after a start, and after a clock that was
// set by so much, nothing goes by its age for so long.
constexpr std::int64_t kDoubtful = 3'600'000;
constexpr std::int64_t kBetweenTries = 10'000;  // to open a file

Retention::Limits limits_of(const Options& o) {
  return {{ms(o.keep_raw), ms(o.keep_minutes), ms(o.keep_hours)}, o.most_bytes};
}

}  // namespace

Writer::Writer(const Options& options, Stats& stats, Inbox& inbox,
               std::function<void()> on_new_file)
    : options_(options),
      stats_(stats),
      inbox_(inbox),
      on_new_file_(std::move(on_new_file)),
      retention_(limits_of(options)) {
  start_over();
}

// ---- from drains to rows

std::optional<std::uint32_t> Writer::id_of(const history::Series& series) {
  std::string key = set_key_of(series);
  const auto found = catalogue_.find(key);
  const bool is_new = found == catalogue_.end();
  // Those of the past are known, too, and may come back all at once.
  const bool full = accumulator_->series() >= options_.most_series ||
                    (is_new && catalogue_.size() >= options_.most_series * kKnownForEachLive);
  const bool ours = series.name == Accumulator::drains_series().name;
  if ((full && !ours) || (is_new && next_id_ >= kFirstImportedId)) {
    stats_.dropped(Drop::series_limit);
    return std::nullopt;
  }
  if (!is_new) {
    StoredSeries& known = found->second;
    if (known.series.labels != series.labels) {  // an import has entered it
      known.series.labels = series.labels;
      to_enter_.push_back(&known);
    }
    return known.id;
  }
  StoredSeries& known = catalogue_[std::move(key)];
  known = {next_id_++, series};
  by_id_[known.id] = &known;
  to_enter_.push_back(&known);
  return known.id;
}

bool Writer::add(const Moment& now, const std::vector<metrics::Family>& families) {
  now_ms_ = now.unix_ms;
  boot_ms_ = now.boot_ms;
  if (steady_since_ < 0) steady_since_ = boot_ms_;
  // Series have their numbers from the file: without one, ever, nothing can be kept.
  if (!recovered_) {
    stats_.dropped(Drop::disk);
    if (last_try_ms_ >= 0 && boot_ms_ - last_try_ms_ < kBetweenTries) return false;
    last_try_ms_ = boot_ms_;
    return true;
  }
  const auto row = accumulator_->add(now, families);
  if (const std::int64_t jump = accumulator_->take_jump(); jump != 0) {
    if (std::abs(jump) >= kDoubtful) steady_since_ = boot_ms_;
    tell({static_cast<double>(now.unix_ms) / 1e3, "clock_set", "host",
          fmt::format("the clock was set {} by {:.1f} s", jump < 0 ? "back" : "forward",
                      std::abs(static_cast<double>(jump)) / 1e3)});
  }
  if (const std::uint64_t n = accumulator_->take_left_out(); n != 0)
    stats_.dropped(Drop::not_a_number, n);
  if (!row) return false;
  roll(Level::raw, *row);
  return true;
}

void Writer::tell(analysis::Event event) {
  if (!inbox_.add(std::move(event))) stats_.dropped(Drop::disk);
}

void Writer::roll(Level level, const Row& row) {
  const auto next = coarser(level);
  Rollup* rollup = !next ? nullptr : *next == Level::minute ? minutes_.get() : hours_.get();
  if (rollup != nullptr) {
    if (const auto ended = rollup->end_before(row.interval)) roll(*next, *ended);
  }
  pending_.push_back(pending_of(level, row));
  pending_bytes_ += pending_.back().bytes;
  if (rollup == nullptr) return;
  rollup->add(row);
  if (const auto ended = rollup->end_if_complete()) roll(*next, *ended);
}

// Of a disk that takes nothing: the oldest go.
void Writer::trim() {
  while (pending_bytes_ > kMostPending) {
    pending_bytes_ -= pending_.front().bytes;
    pending_.pop_front();
    stats_.dropped(Drop::disk);
  }
}

// ---- to the disk

Result<void> Writer::save() {
  if (!connection_) {
    if (auto opened = try_open(); !opened) return failure(opened.error());
    // It went in between: look_at_file() has given it up.
    if (!connection_)
      return failure(Error{options_.path + " was removed or replaced while it was opened",
                           "stop the agent before its history is moved", ESTALE});
  }
  if (pending_.empty() && inbox_.empty()) return {};
  const bool rows = !pending_.empty();
  // A disk that took nothing the last time is not offered everything that waits at once.
  const std::size_t at_once = last_failure_.empty() ? pending_.size() : kAfterFailure;
  do {
    if (auto done = commit(std::min(at_once, pending_.size())); !done) return failure(done.error());
  } while (!pending_.empty());
  if (rows) {
    if (auto done = maintain(); !done) return failure(done.error());
  }
  if (!last_failure_.empty())
    spdlog::info("history: {} takes what is written again", options_.path);
  last_failure_.clear();
  stats_.available(true);
  return {};
}

// The first `rows` of what is pending, and all that others gave.
Result<void> Writer::commit(std::size_t rows) {
  const Inbox::Batch batch = inbox_.pending();
  const std::uint64_t begin = monotonic_ns();
  const std::size_t gone_before = gone_.size();
  const std::size_t refused_before = states_refused_;
  Transaction transaction(*connection_, Transaction::Kind::write);
  write(*connection_, rows, batch);
  if (auto done = transaction.commit(); !done) {
    gone_.resize(gone_before);
    states_refused_ = refused_before;
    return done;
  }
  stats_.wrote_in(monotonic_ns() - begin);
  inbox_.written(batch);
  if (const std::size_t refused = states_refused_ - refused_before; refused != 0) {
    stats_.dropped(Drop::disk, refused);
    if (refused_before == 0)
      spdlog::error("history: there are {} states, more are not kept: '{}' or another one of {}",
                    kMostStates, batch.states.begin()->first, batch.states.size());
  }
  wrote(rows);
  return {};
}

void Writer::write(Connection& c, std::size_t rows, const Inbox::Batch& batch) {
  SeriesTable table(c);
  for (const StoredSeries* series : to_enter_) table.enter(*series, now_ms_);
  write_rows(c, rows);
  for (const analysis::Event& e : batch.events)
    c.run("INSERT INTO events(at_ms,kind,target,text) VALUES(?,?,?,?)", ms(e.at), e.kind, e.target,
          e.text);
  for (const auto& [key, state] : batch.states) {
    if (state.value) {
      c.run(
          "INSERT INTO state(key,value) SELECT ?1,?2 WHERE EXISTS(SELECT 1 FROM state WHERE "
          "key=?1) OR (SELECT count(*) FROM state)<?3 "
          "ON CONFLICT(key) DO UPDATE SET value=excluded.value",
          key, Blob{*state.value}, kMostStates);
      if (!c.failed() && c.changes() == 0) states_refused_++;
    } else {
      c.run("DELETE FROM state WHERE key=?", key);
    }
  }
  for (const auto& [id, report] : batch.reports) {
    const Report& r = *report.value;
    const std::string body = pack(r.body);
    c.run(
        "INSERT OR REPLACE INTO reports(id,created_ms,from_ms,to_ms,title,findings,complete,bytes,"
        "body) VALUES(?,?,?,?,?,?,?,?,?)",
        id, ms(r.created), ms(r.from), ms(r.to), r.title, r.findings, r.complete, body.size(),
        Blob{body});
  }
  if (rows == 0) return;
  const bool sure_of_the_time = steady_since_ >= 0 && boot_ms_ - steady_since_ >= kDoubtful;
  const auto gone = retention_.step(c, now_ms_, sure_of_the_time);
  gone_.insert(gone_.end(), gone.begin(), gone.end());
}

void Writer::write_rows(Connection& c, std::size_t rows) {
  for (std::size_t i = 0; i < rows; i++) {
    const Pending& row = pending_[i];
    c.run("INSERT INTO intervals(level,from_ms,to_ms) VALUES(?,?,?)", row.level, row.interval.from,
          row.interval.to);
    const std::int64_t seq = c.last_id();
    for (const auto& [chunk, cells] : row.chunks)
      c.run("INSERT INTO recent(key,seq,cells) VALUES(?,?,?)", recent_key(row.level, chunk, seq),
            seq, Blob{cells});
    if (row.level == Level::raw) continue;
    // Everything finer that stands before it is in it, or in one before it.
    c.run("INSERT OR REPLACE INTO meta(key,value) VALUES(?,?)", kRolledUp[index_of(row.level) - 1],
          seq);
    if (row.level == Level::hour) note_seen(c, row);
  }
}

// Series that are not seen for as long as anything is kept are forgotten (retention.cpp); one that
// comes back after that is entered anew.
void Writer::note_seen(Connection& c, const Pending& row) {
  SeriesTable table(c);
  const auto seen = [&](std::uint32_t id, std::string_view) {
    c.run("UPDATE series SET last_ms=? WHERE id=?", row.interval.to, id);
    if (c.failed() || c.changes() != 0) return;
    if (const auto known = by_id_.find(id); known != by_id_.end())
      table.enter(*known->second, row.interval.to);
  };
  for (const auto& [chunk, cells] : row.chunks) read_row(cells, seen);
}

void Writer::wrote(std::size_t rows) {
  to_enter_.clear();
  for (; rows > 0; rows--) {
    const Pending& row = pending_.front();
    stats_.wrote(row.level, row.count);
    newest_[index_of(row.level)] = row.interval.from;
    pending_bytes_ -= row.bytes;
    pending_.pop_front();
  }
}

// Nothing waits: what does may have numbers of theirs.
void Writer::forget_series() {
  for (const std::uint32_t id : gone_) {
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) continue;
    const history::Series& s = known->second->series;
    // One that is there has its age from a clock that was set: its next hour enters it again.
    if (accumulator_->has(history::key_of(s.name, s.labels, s.type)) ||
        s.name == Accumulator::drains_series().name)
      continue;
    const std::string key = set_key_of(s);
    by_id_.erase(known);
    catalogue_.erase(key);
  }
  gone_.clear();
}

Result<void> Writer::maintain() {
  forget_series();
  for (const Level level : {Level::minute, Level::hour}) {
    const std::size_t i = index_of(level);
    const std::int64_t part = newest_[i] < 0 ? -1 : part_of(level, newest_[i]);
    if (part == compacted_[i]) continue;
    const auto done = compact(*connection_, level, newest_[i]);
    if (!done) return tl::unexpected(done.error());
    if (done->damaged != 0) {
      stats_.read_failed(done->damaged);
      spdlog::error("history: {} blocks of level {} were damaged; what could not be read is lost",
                    done->damaged, name_of(level));
    }
    compacted_[i] = part;
  }
  retention_.shrink(*connection_);
  if (auto done = connection_->outcome(); !done) return done;
  look_at_file();
  return connection_ ? connection_->outcome() : Result<void>();
}

Result<void> Writer::close() {
  if (const auto row = accumulator_->finish()) roll(Level::raw, *row);
  return save();
}

}  // namespace nz::store
