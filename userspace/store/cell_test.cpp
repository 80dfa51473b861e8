#include "userspace/store/cell.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "userspace/store/block.h"
#include "userspace/store/pack.h"
#include "userspace/store/schema.h"

namespace nz::store {
namespace {

using metrics::Type;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Cell counter(double value, double growth) {
  Cell c;
  c.type = Type::counter;
  c.value = value;
  c.growth = growth;
  return c;
}
Cell gauge(double value, double least, double most, double mean) {
  Cell c;
  c.value = value;
  c.least = least;
  c.most = most;
  c.mean = mean;
  return c;
}
Cell histogram(history::Deltas slots) {
  Cell c;
  c.type = Type::histogram;
  c.slots = std::move(slots);
  return c;
}

std::uint64_t bits(double v) { return std::bit_cast<std::uint64_t>(v); }

void expect_same(const Cell& a, const Cell& b) {
  ASSERT_EQ(a.type, b.type);
  EXPECT_EQ(bits(a.value), bits(b.value));
  EXPECT_EQ(bits(a.least), bits(b.least));
  EXPECT_EQ(bits(a.most), bits(b.most));
  EXPECT_EQ(a.slots, b.slots);
  if (a.type == Type::counter) {
    EXPECT_NEAR(a.growth, b.growth, 1e-15 * std::abs(a.value)) << a.value;
  }
  if (a.type != Type::gauge || bits(a.mean) == bits(b.mean)) return;
  EXPECT_NEAR(a.mean, b.mean, (a.most - a.least) / 65535);
}

std::vector<Cell> examples() {
  return {counter(0, 0),
          counter(1, 1),
          counter(1e9, 12),
          counter(5, 7),  // a restart: more than its value
          counter(0.1, 0.3),
          counter(123.456789012, 0.000000001),
          gauge(0, 0, 0, 0),
          gauge(3, 1, 5, 2.5),
          gauge(0.1, 0.1, 0.7, 1.0 / 3),
          gauge(-1e300, -1e300, 1e300, 0),
          gauge(kNan, 1, 2, 1.5),
          gauge(kNan, kNan, kNan, kNan),
          gauge(kInfinity, -kInfinity, kInfinity, kNan),
          gauge(7, 7, 7, 7.0000001),
          histogram({}),
          histogram({{0, 1}}),
          histogram({{3, 5}, {200, 1'000'000'000'000}, {history::kZeroSlot, 1}}),
          histogram({{history::kSumSlot, -1},  // of 64 bits all
                     {history::kLeastSlot, 17},
                     {history::kMostSlot, 99}})};
}

TEST(Cell, ComesBackAloneAndAfterAnother) {
  for (const double before : {0.0, 1.0, 123.456, 1e9, -5.0}) {
    for (const Cell& cell : examples()) {
      std::string bytes;
      put_cell(bytes, before, cell);
      history::Bytes in(bytes);
      Cell read;
      get_cell(in, before, read);
      expect_same(cell, read);
      EXPECT_TRUE(in.ended()) << cell.value;
    }
  }
}

TEST(Cell, WhatDoesNotChangeIsShort) {
  std::string bytes;
  put_cell(bytes, 5, gauge(5, 5, 5, 5));
  EXPECT_LE(bytes.size(), 2U);
  bytes.clear();
  put_cell(bytes, 1e6, counter(1e6 + 3, 3));
  EXPECT_LE(bytes.size(), 2U);
  bytes.clear();
  put_cell(bytes, 0, histogram({}));
  EXPECT_LE(bytes.size(), 2U);
}

TEST(Cell, ARowIsWrittenByChunksOfSeries) {
  Row row{{1000, 2000}, {}};
  std::mt19937 random(1);
  std::uint32_t series = 0;
  for (const Cell& cell : examples()) row.cells.emplace_back(series += random() % 100, cell);
  Row read{row.interval, {}};
  const auto chunks = encode(row);
  for (std::size_t i = 0; i < chunks.size(); i++) {
    EXPECT_TRUE(i == 0 || chunks[i].first > chunks[i - 1].first);
    Row chunk;
    decode(chunks[i].second, chunk);
    for (const auto& [id, cell] : chunk.cells) EXPECT_EQ(chunk_of(id), chunks[i].first);
    decode(chunks[i].second, read);
  }
  ASSERT_EQ(read.cells.size(), row.cells.size());
  for (std::size_t i = 0; i < row.cells.size(); i++) {
    EXPECT_EQ(read.cells[i].first, row.cells[i].first);
    expect_same(row.cells[i].second, read.cells[i].second);
  }
}

TEST(Cell, ARowThatIsCutOffEnds) {
  Row row{{1000, 2000}, {}};
  for (std::uint32_t i = 0; i < 10; i++) row.cells.emplace_back(i + 1, examples()[16]);
  const std::string bytes = encode(row).at(0).second;
  for (std::size_t n = 0; n < bytes.size(); n++) {
    std::size_t read = 0;
    read_row(std::string_view(bytes).substr(0, n),
             [&](std::uint32_t, std::string_view) { read++; });
    EXPECT_LE(read, 10U);
  }
}

TEST(Block, KeepsTimesThatAreRegularAndTimesThatAreNot) {
  BlockWriter writer;
  Points all;
  std::mt19937 random(2);
  std::int64_t at = 1'700'000'000'000;
  for (int i = 0; i < 1000; i++) {
    if (i % 100 == 99) at += static_cast<std::int64_t>(random() % 10'000'000);
    const Interval interval{at, at + 60'000 + static_cast<std::int64_t>(random() % 5)};
    at = interval.to;
    all.emplace_back(interval, counter(i * 3, 3));
    writer.add(all.back().first, all.back().second);
  }
  EXPECT_TRUE(writer.sorted());
  EXPECT_EQ(writer.range(), (Interval{all.front().first.from, all.back().first.to}));
  const Points read = points_of(writer.packed());
  ASSERT_EQ(read.size(), all.size());
  for (std::size_t i = 0; i < all.size(); i++) {
    EXPECT_EQ(read[i].first, all[i].first);
    EXPECT_EQ(read[i].second.growth, 3);
  }
  EXPECT_LT(writer.packed().size(), 3000U) << "some two bytes an interval";
}

TEST(Block, HistogramsComeBackSlotBySlot) {
  std::mt19937_64 random(5);
  BlockWriter writer;
  Points all;
  for (int i = 0; i < 300; i++) {
    history::Deltas slots;
    for (std::uint16_t slot = 0; slot < history::kSlots; slot++) {
      if (random() % 9 == 0)
        slots.emplace_back(slot, static_cast<std::int64_t>(random() >> (random() % 64)));
    }
    if (i % 7 == 0) slots.clear();
    std::erase_if(slots, [](const auto& pair) { return pair.second == 0; });
    all.emplace_back(Interval{i * 60'000 + 1, i * 60'000 + 60'001}, histogram(slots));
    writer.add(all.back().first, all.back().second);
  }
  const Points read = points_of(writer.packed());
  ASSERT_EQ(read.size(), all.size());
  for (std::size_t i = 0; i < all.size(); i++) {
    EXPECT_EQ(read[i].first, all[i].first);
    expect_same(read[i].second, all[i].second);
  }
  BlockWriter idle;
  for (int i = 0; i < 300; i++) idle.add({i * 60'000 + 1, i * 60'000 + 60'001}, histogram({}));
  EXPECT_EQ(points_of(idle.packed()).size(), 300U);
  EXPECT_LT(idle.packed().size(), 60U) << "an idle series costs next to nothing";
}

TEST(Block, SortsWhatAClockBroughtIntoDisorder) {
  BlockWriter writer;
  writer.add({10'000, 20'000}, gauge(1, 1, 1, 1));
  writer.add({5'000, 15'000}, gauge(2, 2, 2, 2));
  EXPECT_FALSE(writer.sorted());
  EXPECT_EQ(writer.range(), (Interval{5'000, 20'000}));
  const Points points = points_of(writer.packed());
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].first.from, 5'000);
  EXPECT_TRUE(block_of(points).sorted());
}

TEST(Block, DamagedBytesAreNoBlockOrEnd) {
  BlockWriter writer;
  for (int i = 0; i < 200; i++)
    writer.add({i * 1000 + 1, i * 1000 + 1001}, gauge(i * 0.37, 0, i, i * 0.2));
  BlockWriter histograms;
  for (int i = 0; i < 200; i++)
    histograms.add({i * 1000 + 1, i * 1000 + 1001}, histogram({{3, i}, {7, 1}, {200, 5}}));
  std::mt19937 random(3);
  for (int n = 0; n < 4000; n++) {
    const std::string good = n % 2 == 0 ? writer.packed() : histograms.packed();
    std::string bad = good.substr(0, random() % (good.size() + 1));
    if (!bad.empty()) bad[random() % bad.size()] = static_cast<char>(random());
    std::size_t read = 0;
    read_block(bad, [&](const Interval& i, const Cell&) {
      read++;
      EXPECT_GE(i.to, i.from);
    });
    EXPECT_LE(read, 100'000U);
  }
}

TEST(Block, AColumnThatIsCutOffIsNoBlock) {
  const auto read = [](const std::string& bytes) {
    std::size_t points = 0;
    const bool whole = read_block(pack(bytes), [&](const Interval&, const Cell&) { points++; });
    return whole ? points : 0;
  };
  std::string bytes;
  history::put_varint(bytes, 1);  // histograms
  history::put_varint(bytes, 3);  // points, each begins where the one before it ended
  history::put_varint(bytes, history::zigzag(1000) << 1U | 1U);
  for (int i = 0; i < 2; i++) history::put_varint(bytes, 1);
  history::put_varint(bytes, 5);  // a slot
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(read(bytes), 0U) << i;
    history::put_varint(bytes, 7);  // a count
  }
  EXPECT_EQ(read(bytes), 3U);
}

TEST(Pack, ComesBackAndRefusesWhatItDidNotWrite) {
  std::mt19937_64 random(4);
  std::string noise;
  for (int i = 0; i < 500; i++) noise += static_cast<char>(random());
  for (const std::string& text :
       {std::string(), std::string("short"), std::string(100'000, 'a'), noise}) {
    const std::string packed = pack(text);
    EXPECT_EQ(unpack(packed), text);
    EXPECT_LE(packed.size(), text.size() + 4);
  }
  EXPECT_LT(pack(std::string(100'000, 'a')).size(), 1000U);
  EXPECT_FALSE(unpack(pack(std::string(1000, 'a')), 999)) << "larger than allowed";
  std::string bad = pack(std::string(1000, 'a'));
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 0x55);
  EXPECT_FALSE(unpack(bad));
  EXPECT_FALSE(unpack(std::string("\x20", 1))) << "says 16 bytes, has none";
}

}  // namespace
}  // namespace nz::store
