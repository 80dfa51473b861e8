#include "userspace/rest/time.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nz::rest {
namespace {

constexpr double kMoment = 1'795'770'000;  // 2026-11-27T09:00:00Z

TEST(Time, InEveryFormThatIsKnown) {
  EXPECT_EQ(parse_time("now", kMoment), kMoment);
  EXPECT_EQ(parse_time("-15m", kMoment), kMoment - 900);
  EXPECT_EQ(parse_time("-1.5h", kMoment), kMoment - 5400);
  EXPECT_EQ(parse_time("1795770000.25", kMoment), kMoment + 0.25);
  EXPECT_EQ(parse_time("2026-11-27T09:00:00Z", 0), kMoment);
  EXPECT_EQ(parse_time("2026-11-27T10:00:00.5+01:00", 0), kMoment + 0.5);
  EXPECT_EQ(parse_time("2026-11-27T10:00:00 01:00", 0), kMoment) << "a plus sign in a query";
  EXPECT_EQ(parse_time("2026-11-27t03:30:00-05:30", 0), kMoment);
  EXPECT_EQ(parse_time("2024-02-29T00:00:00Z", 0), 1709164800);
}

TEST(Time, NothingElse) {
  for (const char* bad :
       {"", "-", "-5x", "--5m", "yesterday", "2026-11-27", "2026-13-27T09:00:00Z",
        "2026-11-27T24:00:00Z", "2026-11-27T09:00:00", "2026-11-27T09:00:00.Z",
        "2026-11-27T09:00:00+1:00", "2026-11-27T09:00:00Zx", "nan", "inf", "1e400", "0x10"})
    EXPECT_FALSE(parse_time(bad, kMoment).has_value()) << bad;
}

TEST(Seconds, WithUnits) {
  EXPECT_EQ(parse_seconds("90"), 90);
  EXPECT_EQ(parse_seconds("500ms"), 0.5);
  EXPECT_EQ(parse_seconds("1.5h"), 5400);
  EXPECT_EQ(parse_seconds("7d"), 604800);
  for (const char* bad : {"", "s", "-1s", "+1s", "1 s", "1w", "nan", "infs", ".5s"})
    EXPECT_FALSE(parse_seconds(bad).has_value()) << bad;
}

TEST(Time, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(format_time(kMoment), "2026-11-27T09:00:00.000Z");
  EXPECT_EQ(format_time(kMoment + 0.9996), "2026-11-27T09:00:01.000Z");
  EXPECT_EQ(format_time(std::nan("")), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(1e300), "9999-12-31T23:59:59.000Z");
}

}  // namespace
}  // namespace nz::rest
