#include "userspace/store/block.h"

#include <algorithm>
#include <map>
#include <utility>

#include "userspace/store/pack.h"

namespace nz::store {
namespace {

using history::unzigzag;
using history::zigzag;

constexpr std::uint64_t kFollows = 1;  // beside the duration: it begins where the last one ended

constexpr std::int64_t kMostMs = std::int64_t{1} << 50U;  // no time of ours is later

// Damaged bytes give any numbers: wraps around.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

constexpr std::uint64_t kScalars = 0, kHistograms = 1;  // how a block is laid out

// One interval after the other, as BlockWriter::add() has written them.
class Times {
 public:
  // False: no time of ours.
  bool next(history::Bytes& in) {
    const std::uint64_t head = in.varint();
    duration_ = sum(duration_, unzigzag(head >> 1U));
    const std::int64_t from =
        (head & kFollows) != 0 ? last_.to : sum(last_.to, unzigzag(in.varint()));
    if (from < 0 || from > kMostMs || duration_ < 0 || duration_ > kMostMs) return false;
    last_ = {from, from + duration_};
    return true;
  }
  [[nodiscard]] const Interval& interval() const { return last_; }

 private:
  Interval last_;
  std::int64_t duration_ = 0;
};

bool read_histograms(history::Bytes& in, std::size_t size,
                     const std::function<void(const Interval&, const Cell&)>& each) {
  const std::uint64_t points = in.varint();
  if (points > size) return false;  // each takes a byte at least
  std::vector<Interval> intervals;
  Times times;
  for (std::uint64_t i = 0; i < points; i++) {
    if (in.ended() || !times.next(in)) return false;
    intervals.push_back(times.interval());
  }
  std::vector<std::pair<std::uint16_t, std::vector<std::uint64_t>>> columns;
  while (!in.ended()) {
    const std::uint64_t slot = in.varint();
    if (slot >= history::kSlots || (!columns.empty() && slot <= columns.back().first)) return false;
    if (points > size - in.at()) return false;  // nor is a count shorter
    auto& column = columns.emplace_back(static_cast<std::uint16_t>(slot), points).second;
    for (std::uint64_t& count : column) count = in.varint();
  }
  Cell cell;
  cell.type = metrics::Type::histogram;
  for (std::size_t i = 0; i < intervals.size(); i++) {
    cell.slots.clear();
    for (const auto& [slot, column] : columns) {
      if (column[i] != 0) cell.slots.emplace_back(slot, static_cast<std::int64_t>(column[i]));
    }
    each(intervals[i], cell);
  }
  return true;
}

}  // namespace

void BlockWriter::add(const Interval& interval, const Cell& cell) {
  const std::int64_t duration = (interval.to - interval.from) - (last_.to - last_.from);
  const bool follows = interval.from == last_.to;
  history::put_varint(bytes_, zigzag(duration) << 1U | (follows ? kFollows : 0));
  if (!follows) history::put_varint(bytes_, zigzag(interval.from - last_.to));
  if (cell.type == metrics::Type::histogram) {
    history::put_deltas(slots_, cell.slots, true);
  } else {
    put_cell(bytes_, value_, cell);
    value_ = cell.value;
  }
  sorted_ = sorted_ && (points_ == 0 || interval.from >= last_.from);
  range_.from = points_ == 0 ? interval.from : std::min(range_.from, interval.from);
  range_.to = points_ == 0 ? interval.to : std::max(range_.to, interval.to);
  last_ = interval;
  points_++;
}

std::string BlockWriter::packed() const {
  std::string all;
  history::put_varint(all, slots_.empty() ? kScalars : kHistograms);
  if (slots_.empty()) return pack(all + bytes_);
  history::put_varint(all, points_);
  all += bytes_;
  std::map<std::uint16_t, std::vector<std::uint64_t>> columns;
  history::Bytes in(slots_);
  history::Deltas slots;
  bool present = false;
  for (std::size_t i = 0; i < points_; i++) {
    history::get_histogram(in, slots, present);
    for (const auto& [slot, count] : slots) {
      std::vector<std::uint64_t>& column = columns[slot];
      column.resize(points_);
      column[i] = static_cast<std::uint64_t>(count);
    }
  }
  for (const auto& [slot, column] : columns) {
    history::put_varint(all, slot);
    for (const std::uint64_t count : column) history::put_varint(all, count);
  }
  return pack(all);
}

bool read_block(std::string_view packed,
                const std::function<void(const Interval&, const Cell&)>& each) {
  const auto bytes = unpack(packed);
  if (!bytes) return false;
  history::Bytes in(*bytes);
  const std::uint64_t layout = in.varint();
  if (layout == kHistograms) return read_histograms(in, bytes->size(), each);
  if (layout != kScalars) return false;
  Times times;
  Cell cell;
  double value = 0;
  while (!in.ended()) {
    const bool sane = times.next(in);
    get_cell(in, value, cell);
    value = cell.value;
    if (!sane) return false;
    each(times.interval(), cell);
  }
  return true;
}

Points points_of(std::string_view packed) {
  Points points;
  read_block(packed, [&](const Interval& i, const Cell& c) { points.emplace_back(i, c); });
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.first.from < b.first.from; });
  return points;
}

BlockWriter block_of(Points points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.first.from < b.first.from; });
  BlockWriter writer;
  for (const auto& [interval, cell] : points) writer.add(interval, cell);
  return writer;
}

}  // namespace nz::store
