#include "userspace/store/block.h"

#include <algorithm>

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

}  // namespace

void BlockWriter::add(const Interval& interval, const Cell& cell) {
  const std::int64_t duration = (interval.to - interval.from) - (last_.to - last_.from);
  const bool follows = interval.from == last_.to;
  history::put_varint(bytes_, zigzag(duration) << 1U | (follows ? kFollows : 0));
  if (!follows) history::put_varint(bytes_, zigzag(interval.from - last_.to));
  put_cell(bytes_, value_, cell);
  value_ = cell.value;
  sorted_ = sorted_ && (points_ == 0 || interval.from >= last_.from);
  range_.from = points_ == 0 ? interval.from : std::min(range_.from, interval.from);
  range_.to = points_ == 0 ? interval.to : std::max(range_.to, interval.to);
  last_ = interval;
  points_++;
}

std::string BlockWriter::packed() const { return pack(bytes_); }

bool read_block(std::string_view packed,
                const std::function<void(const Interval&, const Cell&)>& each) {
  const auto bytes = unpack(packed);
  if (!bytes) return false;
  history::Bytes in(*bytes);
  Interval last;
  Cell cell;
  double value = 0;
  std::int64_t duration = 0;
  while (!in.ended()) {
    const std::uint64_t head = in.varint();
    duration = sum(duration, unzigzag(head >> 1U));
    const std::int64_t from =
        (head & kFollows) != 0 ? last.to : sum(last.to, unzigzag(in.varint()));
    get_cell(in, value, cell);
    value = cell.value;
    if (from < 0 || from > kMostMs || duration < 0 || duration > kMostMs) return false;
    last = {from, from + duration};
    each(last, cell);
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
