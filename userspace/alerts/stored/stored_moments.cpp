#include "userspace/alerts/stored/stored_moments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "userspace/store/accumulator.h"
#include "userspace/store/total.h"

namespace nz::alerts {
namespace {

using store::Level;

constexpr std::int64_t kHour = 3'600'000;

std::int64_t ms(double seconds) { return std::llround(std::clamp(seconds, 0.0, 1e11) * 1000); }

/// So much is read at once: intervals of all series.
std::int64_t chunk_of(Level level) {
  return level == Level::hour ? 24 * kHour : level == Level::minute ? kHour : kHour / 6;
}

/// Where the next chunk begins: at a multiple, where a coarser level's intervals end, too.
std::int64_t next_after(std::int64_t at, Level level) {
  const std::int64_t chunk = chunk_of(level);
  return (at / chunk + 1) * chunk;
}

}  // namespace

Result<std::unique_ptr<StoredMoments>> StoredMoments::open(store::Reader& reader,
                                                           std::set<std::string> families,
                                                           double from, double to) {
  auto lists = StoredLists::read(reader);
  if (!lists) return tl::unexpected(lists.error());
  std::unique_ptr<StoredMoments> moments(new StoredMoments(reader, std::move(*lists)));
  StoredMoments& m = *moments;
  const auto levels = reader.levels();
  if (!levels) return tl::unexpected(levels.error());
  m.begin_ = std::numeric_limits<std::int64_t>::max();
  for (const Level level : store::kLevels) {
    const auto& range = (*levels)[store::index_of(level)].range;
    m.ranges_[store::index_of(level)] = range;
    if (!range) continue;
    m.begin_ = std::min(m.begin_, range->from);
    m.end_ = std::max(m.end_, range->to);
  }
  if (from > 0) m.begin_ = std::max(m.begin_, ms(from));
  if (to > 0) m.end_ = std::min(m.end_, ms(to));
  if (m.begin_ >= m.end_)
    return fail(reader.path() + " has nothing of that time",
                "`nearzero history info` tells what there is");
  m.at_ = m.begin_;
  // In every interval, whatever else there is: a moment to judge at.
  families.insert(store::Accumulator::drains_series().name);
  families.insert(StoredLists::families().begin(), StoredLists::families().end());
  auto series = reader.series();
  if (!series) return tl::unexpected(series.error());
  m.series_ = std::move(*series);
  std::erase_if(m.series_, [&](const auto& s) { return !families.contains(s.series.name); });
  // By number: neighbours share their rows.
  std::sort(m.series_.begin(), m.series_.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  m.totals_.resize(m.series_.size());
  return moments;
}

/// The finest level that reaches back to `from`; else the finest that has anything before `to`.
store::Level StoredMoments::level_at(std::int64_t from, std::int64_t to) const {
  for (const std::int64_t until : {from, to - 1}) {
    for (const Level level : store::kLevels) {
      const auto& range = ranges_[store::index_of(level)];
      if (range && range->from <= until && range->to > from) return level;
    }
  }
  return Level::raw;
}

void StoredMoments::add(std::size_t series, const store::Interval& interval,
                        const store::Cell& cell, metrics::Sample& sample) {
  Total& total = totals_[series];
  sample.labels = series_[series].series.labels;
  switch (cell.type) {
    case metrics::Type::gauge:
      total.value = cell.value;
      break;
    case metrics::Type::counter:
      total.value += cell.growth;
      break;
    case metrics::Type::histogram: {
      store::Total own;
      own.add(interval, cell);
      const analysis::Histogram fresh = own.histogram();
      // Most intervals of most series are empty: they share what was.
      if (fresh.count() != 0 || !total.histogram) {
        auto sum = std::make_shared<analysis::Histogram>(total.histogram ? *total.histogram
                                                                         : analysis::Histogram{});
        sum->merge(fresh);
        sum->min_ns = fresh.min_ns;
        sum->max_ns = fresh.max_ns;
        total.histogram = std::move(sum);
      }
      sample.histogram = total.histogram;
      break;
    }
  }
  sample.value = total.value;
}

Result<void> StoredMoments::read_chunk() {
  const Level level = level_at(at_, std::min(at_ + kHour, end_));
  const std::int64_t until = std::min(next_after(at_, level), end_);
  struct Interval {
    double seconds = 0;
    StoredLists::Families families;
  };
  std::map<std::int64_t, Interval> intervals;  // by end
  std::int64_t first = until;
  const auto read = reader_.read(
      series_, {at_, until, level, true},
      [&](std::size_t i, Level, const store::Interval& interval, const store::Cell& cell) {
        first = std::min(first, interval.from);
        const history::Series& of = series_[i].series;
        Interval& one = intervals[interval.to];
        one.seconds = static_cast<double>(interval.to - interval.from) / 1e3;
        metrics::Family& family = one.families[of.name];
        family.name = of.name;
        family.type = of.type;
        add(i, interval, cell, family.samples.emplace_back());
        return true;
      });
  if (!read) return read;
  at_ = until;
  if (!began_ && !intervals.empty()) {
    // What the first interval holds has grown from nothing.
    began_ = true;
    Moment& start = waiting_.emplace_back();
    start.at = static_cast<double>(first) / 1e3;
    start.families.emplace();
    StoredLists::begin(intervals.begin()->second.families, start);
  }
  for (auto& [to, interval] : intervals) {
    Moment& moment = waiting_.emplace_back();
    moment.at = static_cast<double>(to) / 1e3;
    moment.families.emplace();
    lists_.tell(interval.families, interval.seconds, moment);
    for (auto& [name, family] : interval.families) moment.families->push_back(std::move(family));
  }
  return {};
}

Result<std::optional<Moment>> StoredMoments::next() {
  while (waiting_.empty() && at_ < end_ && !failed_) {
    if (auto read = read_chunk(); !read) {
      failed_ = true;
      return tl::unexpected(read.error());
    }
  }
  if (waiting_.empty()) return std::optional<Moment>();
  std::optional<Moment> moment(std::move(waiting_.front()));
  waiting_.pop_front();
  lists_.fill(*moment);
  return moment;
}

std::size_t StoredMoments::done() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(at_ - begin_, 0) / 1000);
}

std::size_t StoredMoments::all() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(end_ - begin_, 0) / 1000);
}

}  // namespace nz::alerts
