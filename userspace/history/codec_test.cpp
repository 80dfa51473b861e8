#include "userspace/history/codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace nz::history {
namespace {

std::uint64_t bits(double v) { return std::bit_cast<std::uint64_t>(v); }

TEST(Codec, ScalarsComeBackBitByBit) {
  std::vector<double> values{0,
                             -0.0,
                             1,
                             -1,
                             1e9,
                             123.456789012,
                             0.1,
                             1.0 / 3,
                             1e300,
                             -1e-9,
                             5e-10,
                             9e15,
                             9.1e15,
                             std::nan("7"),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::max(),
                             4.9e-324};
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; i++) values.push_back(std::bit_cast<double>(random()));
  for (int i = 0; i < 10'000; i++) values.push_back(static_cast<double>(random() >> 12U) / 1e9);
  std::string bytes;
  double before = 0;
  for (std::size_t i = 0; i < values.size(); i++) {
    put_scalar(bytes, before, values[i], i % 3 != 0);
    before = values[i];
  }
  Bytes in(bytes);
  before = 0;
  for (std::size_t i = 0; i < values.size(); i++) {
    bool present = false;
    const double value = get_scalar(in, before, present);
    ASSERT_EQ(bits(value), bits(values[i])) << values[i] << " after " << before;
    EXPECT_EQ(present, i % 3 != 0);
    before = value;
  }
  EXPECT_EQ(in.at(), bytes.size());
}

TEST(Codec, WhatDoesNotChangeTakesAByte) {
  std::string bytes;
  put_scalar(bytes, 0.123456, 0.123456, true);
  EXPECT_EQ(bytes.size(), 1U);
  bytes.clear();
  put_scalar(bytes, 5, 6, true);
  EXPECT_EQ(bytes.size(), 1U) << "a small step of a counter too";
  bytes.clear();
  put_scalar(bytes, 1e6, 1e6 + 1000, true);
  EXPECT_EQ(bytes.size(), 2U);
  bytes.clear();
  put_histogram(bytes, Flat{}, Flat{}, true);
  EXPECT_EQ(bytes.size(), 1U);
}

TEST(Codec, HistogramsComeBackAndCanBeSkipped) {
  std::mt19937_64 random(5);
  Flat before{};
  std::string bytes;
  std::vector<Flat> all;
  for (int i = 0; i < 200; i++) {
    Flat now = before;
    for (int n = 0; n < 20; n++) now[random() % kSlots] += random() >> (random() % 64);
    put_histogram(bytes, before, now, i % 2 == 0);
    all.push_back(now);
    before = now;
  }
  Bytes in(bytes);
  Bytes skipping(bytes);
  Flat state{};
  Deltas deltas;
  for (int i = 0; i < 200; i++) {
    bool present = false;
    get_histogram(in, deltas, present);
    skip_histogram(skipping);
    for (const auto& [slot, delta] : deltas) state[slot] += static_cast<std::uint64_t>(delta);
    ASSERT_EQ(state, all[static_cast<std::size_t>(i)]);
    EXPECT_EQ(present, i % 2 == 0);
    EXPECT_EQ(in.at(), skipping.at());
  }
  EXPECT_EQ(in.at(), bytes.size());
}

TEST(Codec, CutOffBytesGiveZerosAndEnd) {
  std::string bytes;
  Flat now{};
  now[7] = 12345;
  put_histogram(bytes, Flat{}, now, true);
  put_scalar(bytes, 0, 1.0 / 3, true);
  for (std::size_t n = 0; n < bytes.size(); n++) {
    Bytes in(std::string_view(bytes).substr(0, n));
    Deltas deltas;
    bool present = false;
    get_histogram(in, deltas, present);
    (void)get_scalar(in, 0, present);
    EXPECT_LE(in.at(), n);
  }
}

}  // namespace
}  // namespace nz::history
