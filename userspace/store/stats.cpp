#include "userspace/store/stats.h"

#include <algorithm>
#include <memory>
#include <string_view>

namespace nz::store {
namespace {

using metrics::Family;
using metrics::Type;

constexpr std::array<std::string_view, kDropCauses> kCauses{"queue", "disk", "series_limit",
                                                            "not_a_number", "time"};

metrics::Sample sample(metrics::Labels labels, double value) {
  return {std::move(labels), value, nullptr};
}
template <class Number>
Family one(const char* name, const char* help, Type type, Number value) {
  return {name, help, type, {sample({}, static_cast<double>(value))}};
}

}  // namespace

void Stats::dropped(Drop cause, std::uint64_t n) {
  const std::lock_guard lock(mutex_);
  drops_[static_cast<std::size_t>(cause)] += n;
}

void Stats::wrote(Level level, std::uint64_t cells) {
  const std::lock_guard lock(mutex_);
  cells_[index_of(level)] += cells;
}

void Stats::wrote_in(std::uint64_t ns) {
  const std::lock_guard lock(mutex_);
  commits_.record(ns);
}

void Stats::failed() {
  const std::lock_guard lock(mutex_);
  write_errors_++;
}

void Stats::read_failed(std::uint64_t n) {
  const std::lock_guard lock(mutex_);
  read_errors_ += n;
}

void Stats::damaged() {
  const std::lock_guard lock(mutex_);
  damaged_++;
}

void Stats::available(bool is) {
  const std::lock_guard lock(mutex_);
  available_ = is;
}

void Stats::size(const FileSizes& sizes, std::size_t series) {
  const std::lock_guard lock(mutex_);
  sizes_ = sizes;
  series_ = series;
}

void Stats::range(Level level, std::optional<Interval> range) {
  const std::lock_guard lock(mutex_);
  ranges_[index_of(level)] = range;
}

std::optional<Interval> Stats::range() const {
  const std::lock_guard lock(mutex_);
  std::optional<Interval> all;
  for (const auto& range : ranges_) {
    if (!range) continue;
    all = all ? Interval{std::min(all->from, range->from), std::max(all->to, range->to)} : *range;
  }
  return all;
}

void Stats::collect(std::vector<Family>& out) const {
  const std::lock_guard lock(mutex_);
  out.push_back(one("nearzero_store_available",
                    "1 while history on disk takes what is written, otherwise 0.", Type::gauge,
                    available_ ? 1 : 0));
  out.push_back({"nearzero_store_bytes",
                 "Size of the history's file and of its write-ahead log.",
                 Type::gauge,
                 {sample({{"kind", "database"}}, static_cast<double>(sizes_.database)),
                  sample({{"kind", "wal"}}, static_cast<double>(sizes_.wal))}});
  Family points{"nearzero_store_points_total",
                "Intervals of single series that were written, by level.",
                Type::counter,
                {}};
  Family oldest{"nearzero_store_oldest_timestamp_seconds",
                "Begin of the oldest interval on disk, by level, as Unix time.",
                Type::gauge,
                {}};
  for (const Level level : kLevels) {
    const metrics::Labels labels{{"level", std::string(name_of(level))}};
    const auto& range = ranges_[index_of(level)];
    points.samples.push_back(sample(labels, static_cast<double>(cells_[index_of(level)])));
    if (range) oldest.samples.push_back(sample(labels, static_cast<double>(range->from) / 1e3));
  }
  out.push_back(std::move(points));
  out.push_back(std::move(oldest));
  Family drops{"nearzero_store_drops_total",
               "What history on disk did not keep, by cause (docs/history.md).",
               Type::counter,
               {}};
  for (std::size_t i = 0; i < kDropCauses; i++)
    drops.samples.push_back(
        sample({{"cause", std::string(kCauses[i])}}, static_cast<double>(drops_[i])));
  out.push_back(std::move(drops));
  out.push_back({"nearzero_store_errors_total",
                 "Failed attempts to write to the history's file, or to read it.",
                 Type::counter,
                 {sample({{"kind", "write"}}, static_cast<double>(write_errors_)),
                  sample({{"kind", "read"}}, static_cast<double>(read_errors_))}});
  out.push_back(one("nearzero_store_damaged_files_total",
                    "Damaged files of history that were set aside.", Type::counter, damaged_));
  out.push_back(
      one("nearzero_store_series", "Series that history on disk knows.", Type::gauge, series_));
  out.push_back({"nearzero_store_write_seconds",
                 "Duration of a commit of history to the disk, in seconds.",
                 Type::histogram,
                 {{{}, 0, std::make_shared<const analysis::Histogram>(commits_)}}});
}

}  // namespace nz::store
