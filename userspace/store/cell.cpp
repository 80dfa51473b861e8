#include "userspace/store/cell.h"

#include <bit>
#include <cmath>
#include <limits>

#include "userspace/store/schema.h"

namespace nz::store {
namespace {

using history::Bytes;
using metrics::Type;

// The first byte of a cell: its type, and how the rest is written.
constexpr unsigned kTypeBits = 2, kTypeMask = 3;
constexpr unsigned kPlain = 1U << kTypeBits;     // counters: growth as expected; gauges: no spread
constexpr unsigned kMeanAsIs = 2U << kTypeBits;  // gauges: the mean is no fraction of the spread
constexpr double kFractions = 65535;
constexpr double kLastBits = 4 * std::numeric_limits<double>::epsilon();

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// What a counter has grown by if nothing but its values is known: one that fell began at 0.
double expected_growth(double before, double value) {
  return value >= before ? value - before : value;
}

void put_counter(std::string& out, double before, const Cell& cell) {
  const double expected = expected_growth(before, cell.value);
  const bool plain = std::abs(cell.growth - expected) <= kLastBits * std::abs(cell.value);
  out.push_back(static_cast<char>(static_cast<unsigned>(Type::counter) | (plain ? kPlain : 0)));
  history::put_scalar(out, before, cell.value, true);
  if (!plain) history::put_scalar(out, 0, cell.growth, true);
}

void put_gauge(std::string& out, double before, const Cell& cell) {
  const bool plain = same_bits(cell.value, cell.least) && same_bits(cell.value, cell.most) &&
                     same_bits(cell.value, cell.mean);
  const double spread = cell.most - cell.least;
  const double fraction = (cell.mean - cell.least) / spread;
  const bool as_is = !(std::isfinite(spread) && spread > 0 && fraction >= 0 && fraction <= 1);
  out.push_back(static_cast<char>(static_cast<unsigned>(Type::gauge) | (plain ? kPlain : 0) |
                                  (!plain && as_is ? kMeanAsIs : 0)));
  history::put_scalar(out, before, cell.value, true);
  if (plain) return;
  history::put_scalar(out, cell.value, cell.least, true);
  history::put_scalar(out, cell.value, cell.most, true);
  if (as_is) {
    history::put_scalar(out, cell.value, cell.mean, true);
  } else {
    history::put_varint(out, static_cast<std::uint64_t>(std::lround(fraction * kFractions)));
  }
}

}  // namespace

history::Deltas slots_of(const history::Flat& flat) {
  history::Deltas slots;
  for (std::size_t slot = 0; slot < flat.size(); slot++) {
    if (flat[slot] != 0)
      slots.emplace_back(static_cast<std::uint16_t>(slot), static_cast<std::int64_t>(flat[slot]));
  }
  return slots;
}

void put_cell(std::string& out, double before, const Cell& cell) {
  switch (cell.type) {
    case Type::counter:
      return put_counter(out, before, cell);
    case Type::gauge:
      return put_gauge(out, before, cell);
    case Type::histogram:
      out.push_back(static_cast<char>(Type::histogram));
      return history::put_deltas(out, cell.slots, true);
  }
}

void get_cell(Bytes& in, double before, Cell& cell) {
  const std::string_view head = in.take(1);
  const unsigned bits = head.empty() ? 0 : static_cast<unsigned char>(head[0]);
  bool present = false;
  switch (bits & kTypeMask) {
    case static_cast<unsigned>(Type::counter):
      cell.type = Type::counter;
      cell.value = history::get_scalar(in, before, present);
      cell.growth = (bits & kPlain) != 0 ? expected_growth(before, cell.value)
                                         : history::get_scalar(in, 0, present);
      break;
    case static_cast<unsigned>(Type::histogram):
      cell.type = Type::histogram;
      history::get_histogram(in, cell.slots, present);
      break;
    default:
      cell.type = Type::gauge;
      cell.value = cell.least = cell.most = cell.mean = history::get_scalar(in, before, present);
      if ((bits & kPlain) != 0) break;
      cell.least = history::get_scalar(in, cell.value, present);
      cell.most = history::get_scalar(in, cell.value, present);
      cell.mean = (bits & kMeanAsIs) != 0
                      ? history::get_scalar(in, cell.value, present)
                      : cell.least + (cell.most - cell.least) *
                                         (static_cast<double>(in.varint()) / kFractions);
      break;
  }
}

void RowWriter::add(std::uint32_t series, const Cell& cell) {
  cell_.clear();
  put_cell(cell_, 0, cell);
  history::put_varint(bytes_, history::zigzag(static_cast<std::int64_t>(series) -
                                              static_cast<std::int64_t>(last_)));
  history::put_varint(bytes_, cell_.size());
  bytes_ += cell_;
  last_ = series;
}

void read_row(std::string_view row,
              const std::function<void(std::uint32_t, std::string_view)>& each) {
  Bytes in(row);
  std::uint64_t series = 0;  // unsigned: damaged bytes give any numbers
  while (!in.ended()) {
    series += static_cast<std::uint64_t>(history::unzigzag(in.varint()));
    const std::string_view cell = in.take(in.varint());
    if (cell.empty()) return;  // damaged: none is
    each(static_cast<std::uint32_t>(series), cell);
  }
}

std::vector<std::pair<std::uint32_t, std::string>> encode(const Row& row) {
  std::vector<std::pair<std::uint32_t, std::string>> chunks;
  RowWriter writer;
  const auto end_chunk = [&](std::uint32_t chunk) {
    chunks.emplace_back(chunk, writer.bytes());
    writer = {};
  };
  for (std::size_t i = 0; i < row.cells.size(); i++) {
    writer.add(row.cells[i].first, row.cells[i].second);
    const std::uint32_t chunk = chunk_of(row.cells[i].first);
    if (i + 1 == row.cells.size() || chunk_of(row.cells[i + 1].first) != chunk) end_chunk(chunk);
  }
  return chunks;
}

void decode(std::string_view cells, Row& row) {
  read_row(cells, [&](std::uint32_t series, std::string_view bytes) {
    Bytes in(bytes);
    get_cell(in, 0, row.cells.emplace_back(series, Cell{}).second);
  });
}

}  // namespace nz::store
