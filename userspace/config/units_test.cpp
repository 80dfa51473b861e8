// The small parts: units, scalars, pointers, distances.
#include "userspace/config/units.h"

#include <gtest/gtest.h>

#include "userspace/config/nearest_key.h"
#include "userspace/config/pointer.h"
#include "userspace/config/problems.h"
#include "userspace/config/scalar.h"

namespace nz::config {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

TEST(Units, Durations) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("1s"), milliseconds(1000));
  EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_duration("2m"), milliseconds(120000));
  for (const char* bad : {"", "1", "s", "-1s", "+1s", "1 s", "1w", "1e3s", "1sx", ".5s", "inf s",
                          "nan", "99999999999999999999999m"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(parse_duration("6h"), std::chrono::hours(6));
  EXPECT_EQ(parse_duration("1.5d"), std::chrono::hours(36));
  EXPECT_EQ(format_duration(std::chrono::hours(720)), "30d");
  for (const int count : {0, 1, 250, 1000, 1500, 60000, 61000, 120000, 7200000}) {
    EXPECT_EQ(parse_duration(format_duration(milliseconds(count))), milliseconds(count));
  }
}

TEST(Units, Percent) {
  EXPECT_EQ(parse_percent("1%"), 0.01);
  EXPECT_EQ(parse_percent("100%"), 1.0);
  EXPECT_EQ(parse_percent("2.5%"), 0.025);
  for (const char* bad : {"", "%", "1", "-1%", "1 %", "1%%"})
    EXPECT_FALSE(parse_percent(bad)) << bad;
}

TEST(Scalar, FollowsTheCoreSchema) {
  EXPECT_EQ(resolve_plain("true"), json(true));
  EXPECT_EQ(resolve_plain("FALSE"), json(false));
  EXPECT_TRUE(resolve_plain("~").is_null());
  EXPECT_EQ(resolve_plain("0x400"), json(1024));
  EXPECT_EQ(resolve_plain("0o17"), json(15));
  EXPECT_EQ(resolve_plain("+7"), json(7));
  EXPECT_EQ(resolve_plain("007"), json(7));
  EXPECT_EQ(resolve_plain("-7"), json(-7));
  EXPECT_EQ(resolve_plain("1e3"), json(1000.0));
  EXPECT_EQ(resolve_plain(".5"), json(0.5));
  for (const char* text : {"yes", "off", "y", "inf", "nan", ".inf", ".nan", "1e999", "0x", "0x-1",
                           "+-1", "1_000", "1:30", "--1", "infinity", "-", "."}) {
    EXPECT_EQ(resolve_plain(text), json(text)) << text;
  }
}

TEST(Pointer, WritesAndReads) {
  EXPECT_EQ(child("", "a/b~c"), "/a~1b~0c");
  EXPECT_EQ(display("/targets/0/stages/12/name"), "targets[0].stages[12].name");
  EXPECT_EQ(display("/a~1b~0c"), "a/b~c");
  EXPECT_EQ(display("/x/"), "x.");
  EXPECT_EQ(parent("/a/b"), "/a");
  EXPECT_EQ(parent("/a"), "");
  EXPECT_TRUE(related("/a", "/a/b"));
  EXPECT_TRUE(related("/a/b", "/a"));
  EXPECT_TRUE(related("", "/a"));
  EXPECT_FALSE(related("/a", "/ab"));
}

TEST(NearestKey, CountsEdits) {
  EXPECT_EQ(edit_distance("stagse", "stages"), 1U);  // a swap is one
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("LISTEN", "listen"), 0U);
  EXPECT_EQ(nearest_key("to", {"from", "to"}), "to");
  EXPECT_EQ(nearest_key("x", {"from", "to"}), "");
  EXPECT_EQ(nearest_key("", {"from", "to"}), "");
}

TEST(Quotes, MakeTextFitForAMessage) {
  EXPECT_EQ(in_quotes("a\nb\x1b"), "'a\\x0ab\\x1b'");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), "'" + std::string(60, 'x') + "...'");
  // A character of two bytes across the cut goes whole.
  EXPECT_EQ(in_quotes(std::string(59, 'x') + "\xc3\xa4yyy"), "'" + std::string(59, 'x') + "...'");
}

}  // namespace
}  // namespace nz::config
