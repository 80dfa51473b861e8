#include "userspace/export/utf8.h"

#include <gtest/gtest.h>

namespace nz::exposition {
namespace {

using namespace std::string_literals;

TEST(ValidUtf8, KeepsValidText) {
  for (const auto& text : {""s, "plain \"quoted\" \\ \n"s, "gr\u00fc\u00df"s, "\u20ac"s,
                           "\U0001F600"s, "\U0010FFFF"s, "\uD7FF\uE000"s}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(ValidUtf8, ReplacesEachByteThatIsNone) {
  EXPECT_EQ(valid_utf8("a\xff\xfe"s), "a\uFFFD\uFFFD");
  EXPECT_EQ(valid_utf8("a\0b"s), "a\uFFFDb");
  EXPECT_EQ(valid_utf8("\xc0\x80"s), "\uFFFD\uFFFD");                      // overlong NUL
  EXPECT_EQ(valid_utf8("\xe0\x9f\xbf"s), "\uFFFD\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"s), "\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"s), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(valid_utf8("x\xe2\x82"s), "x\uFFFD\uFFFD");                    // cut off
  EXPECT_EQ(valid_utf8("\xe2\x82x"s), "\uFFFD\uFFFDx");
}

TEST(ValidName, ReplacesWhatPrometheusDoesNotAllow) {
  EXPECT_EQ(valid_metric_name("nearzero_x:rate_total"), "nearzero_x:rate_total");
  EXPECT_EQ(valid_metric_name("9 lives"), "_9_lives");
  EXPECT_EQ(valid_metric_name(""), "_");
  EXPECT_EQ(valid_label_name("a:b-c"), "a_b_c");
}

}  // namespace
}  // namespace nz::exposition
