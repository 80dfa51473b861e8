#include "userspace/alerts/amount.h"

#include <gtest/gtest.h>

namespace nz::alerts {
namespace {

TEST(Amount, KnowsItsUnits) {
  struct Case {
    const char* text;
    double value;
    Dimension dimension;
    bool per_second;
  };
  for (const Case& c :
       {Case{"5ms", 0.005, Dimension::time, false}, Case{"250us", 250e-6, Dimension::time, false},
        Case{"1.5h", 5400, Dimension::time, false},
        Case{"30d", 30 * 86400.0, Dimension::time, false},
        Case{"90%", 0.9, Dimension::share, false},
        Case{"64MiB", 64.0 * 1024 * 1024, Dimension::bytes, false},
        Case{"1.5GB", 1.5e9, Dimension::bytes, false}, Case{"10/s", 10, Dimension::plain, true},
        Case{"3MB/s", 3e6, Dimension::bytes, true}, Case{"1.5x", 1.5, Dimension::factor, false},
        Case{"-2", -2, Dimension::plain, false}}) {
    const auto amount = parse_amount(c.text);
    ASSERT_TRUE(amount) << c.text;
    EXPECT_DOUBLE_EQ(amount->value, c.value) << c.text;
    EXPECT_EQ(amount->dimension, c.dimension) << c.text;
    EXPECT_EQ(amount->per_second, c.per_second) << c.text;
  }
  for (const char* bad :
       {"", "ms", "5 ms", "5mss", "x", "1.5x/s", "inf", "nan", "0x10", "1e3", "5%%"})
    EXPECT_FALSE(parse_amount(bad)) << bad;
}

TEST(Amount, TimesReadBack) {
  for (const char* text : {"250ms", "1s", "90s", "5m", "1h", "36h", "3d"}) {
    const auto seconds = parse_time(text);
    ASSERT_TRUE(seconds) << text;
    EXPECT_DOUBLE_EQ(*parse_time(time_text(*seconds)), *seconds) << text;
  }
  EXPECT_EQ(time_text(90), "90s");
  EXPECT_EQ(time_text(3600), "1h");
  EXPECT_EQ(time_text(0), "0ms");
  EXPECT_FALSE(parse_time("5%"));
  EXPECT_FALSE(parse_time("5"));
}

TEST(Amount, FitsTheQuantitysUnit) {
  const auto fits = [](const char* text, const char* unit) {
    return !misfit(*parse_amount(text), unit);
  };
  EXPECT_TRUE(fits("5ms", "seconds"));
  EXPECT_TRUE(fits("90%", "ratio"));
  EXPECT_TRUE(fits("10%", "seconds per second"));
  EXPECT_TRUE(fits("64MiB", "bytes"));
  EXPECT_TRUE(fits("64MiB/s", "bytes per second"));
  EXPECT_TRUE(fits("10/s", "per second"));
  EXPECT_TRUE(fits("7", "seconds"));
  EXPECT_FALSE(fits("5ms", "bytes"));
  EXPECT_FALSE(fits("5ms", ""));
  EXPECT_FALSE(fits("90%", "seconds"));
  EXPECT_FALSE(fits("64MiB", "bytes per second"));
  EXPECT_FALSE(fits("10/s", "seconds"));
  EXPECT_FALSE(fits("2x", "ratio"));
}

}  // namespace
}  // namespace nz::alerts
