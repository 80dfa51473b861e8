#include "userspace/cli/terminal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nz::cli {
namespace {

TEST(DurationText, ThreeDigitsAndAUnit) {
  EXPECT_EQ(duration_text(0), "0ns");
  EXPECT_EQ(duration_text(1e-9), "1ns");
  EXPECT_EQ(duration_text(950e-9), "950ns");
  EXPECT_EQ(duration_text(1e-6), "1.00us");
  EXPECT_EQ(duration_text(12.34e-6), "12.3us");
  EXPECT_EQ(duration_text(123.4e-6), "123us");
  EXPECT_EQ(duration_text(1e-3), "1.00ms");
  EXPECT_EQ(duration_text(0.5), "500ms");
  EXPECT_EQ(duration_text(2.1), "2.10s");
  EXPECT_EQ(duration_text(3600), "3600s");
}

TEST(DurationText, RoundsIntoTheNextUnit) {
  EXPECT_EQ(duration_text(999.9e-9), "1.00us");
  EXPECT_EQ(duration_text(999.7e-6), "1.00ms");
  EXPECT_EQ(duration_text(0.9997), "1.00s");
  EXPECT_EQ(duration_text(9.996e-6), "10.0us");
  EXPECT_EQ(duration_text(99.96e-6), "100us");
}

TEST(DurationText, NotANumberIsADash) {
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(DurationText, StaysWithinSevenCharacters) {
  for (double s = 1e-9; s < 1e5; s *= 1.037) EXPECT_LE(duration_text(s).size(), 7U) << s;
}

TEST(CountText, SmallOnesExact) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(7), "7");
  EXPECT_EQ(count_text(0.5), "0.5");
  EXPECT_EQ(count_text(999), "999");
}

TEST(CountText, LargeOnesWithALetter) {
  EXPECT_EQ(count_text(1000), "1.00k");
  EXPECT_EQ(count_text(12'345), "12.3k");
  EXPECT_EQ(count_text(999'400), "999k");
  EXPECT_EQ(count_text(999'600), "1.00M");
  EXPECT_EQ(count_text(4.56e6), "4.56M");
  EXPECT_EQ(count_text(7.8e9), "7.80G");
}

TEST(CountText, StaysWithinSixCharacters) {
  for (double n = 0.1; n < 9e11; n *= 1.037) EXPECT_LE(count_text(n).size(), 6U) << n;
}

TEST(Cut, LeavesWhatFits) {
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("", 3), "");
  EXPECT_EQ(cut("日本", 2), "日本");
}

TEST(Cut, MarksWhereItCut) {
  EXPECT_EQ(cut("abcdef", 4), "abc…");
  EXPECT_EQ(cut("abcdef", 1), "…");
}

TEST(Cut, NeverInsideACharacter) { EXPECT_EQ(cut("äöüß", 3), "äö…"); }

TEST(Cut, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(cut("a\033[2Jb", 10), "a?[2Jb");
  EXPECT_EQ(cut("a\nb\tc\x7f", 10), "a?b?c?");
}

TEST(TerminalWidth, IsUsableWithoutATerminal) { EXPECT_GT(terminal_width(), 20U); }

}  // namespace
}  // namespace nz::cli
