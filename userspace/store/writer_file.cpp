// The writer's file: opened, gone on with, set aside, begun anew.
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <iterator>

#include "userspace/store/compaction.h"
#include "userspace/store/database.h"
#include "userspace/store/schema.h"
#include "userspace/store/writer.h"

namespace nz::store {
namespace {

constexpr std::int64_t kBetweenLooks = 3'600'000;  // for damage

// What is damaged, in words; empty: nothing is. By a connection of its own: what ours has read
// before it would not read again.
Result<std::string> damage_of(const std::string& path, const std::string& vfs) {
  auto connection = open_to_read(path, vfs);
  Result<void> read;
  std::string found;
  if (connection) {
    {
      Rows rows = (*connection)->query("PRAGMA quick_check(1)");
      if (rows.next() && rows.bytes(0) != "ok") found = rows.bytes(0);
    }
    read = (*connection)->outcome();
  } else {
    read = tl::unexpected(connection.error());
  }
  if (read) return found;
  if (read.error().code != kDamaged) return tl::unexpected(read.error());
  return read.error().what;
}

bool is_refusal(int code) {
  return code == EWOULDBLOCK || code == EPROTONOSUPPORT || code == EEXIST || code == EISDIR;
}

std::pair<std::uint64_t, std::uint64_t> identity_of(const std::string& path) {
  struct stat s {};
  if (stat(path.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino};
}

}  // namespace

Result<void> Writer::open() {
  auto opened = try_open();
  if (opened || is_refusal(opened.error().code)) return opened;
  (void)failure(opened.error());
  return {};
}

Result<void> Writer::try_open() {
  if (!lock_.valid()) {
    auto lock = lock_for_recording(options_.path);
    if (!lock) return tl::unexpected(lock.error());
    lock_ = std::move(*lock);
  }
  for (int attempt = 0;; attempt++) {
    auto opened = open_to_write(options_.path, options_.vfs);
    Result<void> ready;
    if (opened) {
      connection_ = std::move(*opened);
      identity_ = identity_of(options_.path);
      load_catalogue();
      if (!recovered_) recover();
      ready = connection_->outcome();
    } else {
      ready = tl::unexpected(opened.error());
    }
    if (ready) break;
    connection_.reset();
    if (ready.error().code != kDamaged || attempt > 0) return ready;
    set_file_aside();
  }
  recovered_ = true;
  on_new_file_();  // a reader of a read-only one takes it for one that nobody writes
  look_at_file();
  return {};
}

void Writer::load_catalogue() {
  std::vector<StoredSeries> all = load_series(*connection_);
  // Where imports of older versions made a second one, with its labels in another order, the
  // agent's own goes on.
  std::sort(all.begin(), all.end(),
            [](const StoredSeries& a, const StoredSeries& b) { return a.id < b.id; });
  for (StoredSeries& s : all) {
    if (s.id < kFirstImportedId) next_id_ = std::max(next_id_, s.id + 1);
    std::string key = set_key_of(s.series);
    if (catalogue_.contains(key)) continue;  // opened again: numbers that are in use stay
    const StoredSeries& known = catalogue_[std::move(key)] = std::move(s);
    by_id_[known.id] = &known;
  }
  // Before others can take all numbers.
  (void)id_of(Accumulator::drains_series());
}

void Writer::recover() {
  std::deque<Pending> found = left_to_roll_up(*connection_);
  if (connection_->failed()) return;
  for (const Pending& row : found) pending_bytes_ += row.bytes;
  pending_.insert(pending_.begin(), std::make_move_iterator(found.begin()),
                  std::make_move_iterator(found.end()));
}

void Writer::set_file_aside() {
  connection_.reset();
  const auto now = static_cast<double>(std::time(nullptr));
  const auto name = set_aside(options_.path, now);
  if (!name) {
    if (!cannot_set_aside_)
      spdlog::error("history: {} is damaged and cannot be set aside: {}", options_.path,
                    name.error().text());
    cannot_set_aside_ = true;
    return;
  }
  cannot_set_aside_ = false;
  stats_.damaged();
  spdlog::error("history: {} is damaged; it is kept as {}, and a new one is begun", options_.path,
                *name);
  tell({now, "history_damaged", "host",
        "the history was damaged; it is kept as " + *name + ", and a new one is begun"});
  begin_file_anew();
}

void Writer::look_for_damage() {
  if (!connection_ || (last_look_ms_ >= 0 && boot_ms_ - last_look_ms_ < kBetweenLooks)) return;
  last_look_ms_ = boot_ms_;
  const auto damage = damage_of(options_.path, options_.vfs);
  if (!damage) {
    spdlog::error("history: {} seems damaged, but cannot be looked at: {}", options_.path,
                  damage.error().text());
  } else if (damage->empty()) {
    spdlog::warn("history: a question met damage, but {} has none in its structure", options_.path);
  } else {
    spdlog::error("history: {}", *damage);
    set_file_aside();
  }
}

// Everything that is known by number has to be entered again.
void Writer::begin_file_anew() {
  to_enter_.clear();
  for (const auto& [key, series] : catalogue_) to_enter_.push_back(&series);
  compacted_.fill(-1);
  on_new_file_();
}

// Numbers of series are those of a file.
void Writer::start_over() {
  stats_.dropped(Drop::disk, pending_.size());
  pending_.clear();
  pending_bytes_ = 0;
  to_enter_.clear();
  gone_.clear();
  by_id_.clear();
  catalogue_.clear();
  next_id_ = 1;
  accumulator_ = std::make_unique<Accumulator>(
      std::llround(options_.resolution * 1000),
      [this](const history::Series& series) { return id_of(series); });
  minutes_ = std::make_unique<Rollup>(Level::minute);
  hours_ = std::make_unique<Rollup>(Level::hour);
  recovered_ = false;
}

void Writer::look_at_file() {
  const auto identity = identity_of(options_.path);
  if (identity != identity_ || identity.second == 0) {
    const bool removed = identity.second == 0;
    spdlog::error("history: {} was {}", options_.path,
                  removed ? "removed; a new one is begun" : "replaced; the new one is used");
    connection_.reset();
    begin_file_anew();
    if (!removed) start_over();
    return;
  }
  stats_.available(true);
  stats_.size(sizes_of(options_.path), catalogue_.size());
  for (const Level level : kLevels) stats_.range(level, range_of(*connection_, level));
}

Result<void> Writer::failure(const Error& error) {
  stats_.failed();
  stats_.available(false);
  if (error.what != last_failure_) {
    last_failure_ = error.what;
    spdlog::error("history cannot be written, observing goes on: {}", error.text());
  }
  if (error.code == kDamaged && connection_) set_file_aside();
  trim();
  return tl::unexpected(error);
}

}  // namespace nz::store
