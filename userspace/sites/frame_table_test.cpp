#include "userspace/sites/frame_table.h"

#include <gtest/gtest.h>

#include <cstring>

namespace nz::sites {
namespace {

constexpr uint64_t kAddress = 0x400000;

std::vector<uint8_t> table(const std::vector<int32_t>& begins) {
  std::vector<uint8_t> bytes{1, 0x1b, 0x03, 0x3b, 0, 0, 0, 0};
  const auto put = [&](int32_t value) {
    const size_t at = bytes.size();
    bytes.resize(at + 4);
    std::memcpy(&bytes[at], &value, 4);
  };
  put(static_cast<int32_t>(begins.size()));
  for (const int32_t begin : begins) {
    put(begin);
    put(0);
  }
  return bytes;
}

using Around = std::pair<uint64_t, uint64_t>;

TEST(FrameTable, TheFunctionAroundAnAddress) {
  const auto bytes = table({-0x1000, -0x800, 0x40});
  EXPECT_FALSE(frame_around(bytes, kAddress, kAddress - 0x1001));
  EXPECT_EQ(frame_around(bytes, kAddress, kAddress - 0x1000), Around(0x3ff000, 0x3ff800));
  EXPECT_EQ(frame_around(bytes, kAddress, kAddress - 0x801), Around(0x3ff000, 0x3ff800));
  EXPECT_EQ(frame_around(bytes, kAddress, kAddress - 0x800), Around(0x3ff800, 0x400040));
  EXPECT_EQ(frame_around(bytes, kAddress, kAddress + 0x50), Around(0x400040, 0x400051))
      << "of the last one the end is not known";
}

TEST(FrameTable, DamageIsNothingOrBounded) {
  auto bytes = table({-0x1000, -0x800, 0x40});
  for (size_t cut = 0; cut < bytes.size(); cut++)
    frame_around({bytes.begin(), bytes.begin() + static_cast<long>(cut)}, kAddress, kAddress);
  EXPECT_FALSE(frame_around({}, kAddress, kAddress));
  EXPECT_FALSE(frame_around(table({}), kAddress, kAddress));
  auto count = bytes;
  count[8] = 0xff;
  EXPECT_FALSE(frame_around(count, kAddress, kAddress)) << "more entries than bytes";
  auto encoding = bytes;
  encoding[3] = 0x0b;
  EXPECT_FALSE(frame_around(encoding, kAddress, kAddress));
  const auto unsorted = frame_around(table({0x40, -0x1000, 0x10}), kAddress, kAddress + 0x20);
  if (unsorted) {
    EXPECT_LE(unsorted->first, kAddress + 0x20);
    EXPECT_GT(unsorted->second, kAddress + 0x20);
  }
}

}  // namespace
}  // namespace nz::sites
