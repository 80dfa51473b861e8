#include "userspace/analyze/times.h"

#include <gtest/gtest.h>

namespace nz::analyze {
namespace {

// What is read is written again as it was.
void returns(const std::string& text, double seconds) {
  auto times = Times::like(text);
  ASSERT_TRUE(times) << text;
  const auto at = times->parse(text);
  ASSERT_TRUE(at) << text;
  EXPECT_NEAR(*at, seconds, 1e-6) << text;
  EXPECT_EQ(times->text(*at), text);
}

TEST(Times, EveryFormComesBackAsItWas) {
  returns("2023-11-14 22:13:20", 1700000000);
  returns("2023-11-14T22:13:20Z", 1700000000);
  returns("2023-11-14T22:13:20.250Z", 1700000000.25);
  returns("2023-11-14T23:13:20+01:00", 1700000000);
  returns("2023-11-14T16:43:20-0530", 1700000000);
  returns("2023-11-14 22:13", 1699999980);
  returns("2023/11/14 22:13:20", 1700000000);
  returns("2023-11-14 22:13:20 UTC", 1700000000);
  returns("2023-11-14", 1699920000);
  returns("1969-12-31 23:59:59", -1);
  returns("1700000000", 1700000000);
  returns("1700000000.5", 1700000000.5);
  returns("1700000000123", 1700000000.123);
  returns("1700000000123456", 1700000000.123456);
  returns("17", 17);
  returns("0.125", 0.125);
}

TEST(Times, KindsByTheirLooks) {
  EXPECT_EQ(Times::like("17")->kind(), Times::Kind::number);
  EXPECT_FALSE(Times::like("17")->clock());
  EXPECT_EQ(Times::like("1700000000")->kind(), Times::Kind::unix_time);
  EXPECT_TRUE(Times::like("2023-11-14")->clock());
}

TEST(Times, WhatIsNone) {
  for (const char* text : {"", "abc", "2023-13-01", "2023-02-29", "2023-11-14 24:00", "nan", "inf",
                           "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+1", "2023-11-14x22:13",
                           "12:30:00", "14/11/2023"})
    EXPECT_FALSE(Times::like(text)) << text;
  auto calendar = *Times::like("2023-11-14");
  EXPECT_FALSE(calendar.parse("1700000000"));
  auto number = *Times::like("1");
  EXPECT_FALSE(number.parse("2023-11-14"));
}

TEST(Times, ReadableForPeople) {
  auto milliseconds = *Times::like("1700000000123");
  EXPECT_EQ(milliseconds.readable(1700000000.123), "2023-11-14 22:13:20.123Z");
  auto seconds = *Times::like("1700000000");
  EXPECT_EQ(seconds.readable(1700000000), "2023-11-14 22:13:20Z");
  EXPECT_EQ(Times().readable(12345678), "12345678");
}

TEST(Times, RoundingCarries) {
  EXPECT_EQ(calendar_text(1699999999.9999, 3), "2023-11-14 22:13:20.000");
  EXPECT_EQ(calendar_text(1e300), "9999-12-31 23:59:59");
}

}  // namespace
}  // namespace nz::analyze
