#include "userspace/report/document/words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace nz::report {
namespace {

constexpr double kNine = 1'795'770'000;  // 2026-11-27T09:00:00Z

TEST(Words, Times) {
  EXPECT_EQ(time_text(kNine), "2026-11-27 09:00:00 UTC");
  const Clock day(kNine - 900, kNine);
  EXPECT_EQ(day.at(kNine - 1), "08:59:59");
  EXPECT_EQ(day.at(kNine - 86400), "26 Nov 09:00");
  const Clock week(kNine - 7 * 86400, kNine);
  EXPECT_EQ(week.at(kNine), "27 Nov 09:00");
  EXPECT_EQ(week.at(kNine - 400 * 86400.0), "23 Oct 2025");
  EXPECT_EQ(time_text(NAN), "1970-01-01 00:00:00 UTC");
}

TEST(Words, Spans) {
  EXPECT_EQ(span_text(0), "0 s");
  EXPECT_EQ(span_text(0.25), "250 ms");
  EXPECT_EQ(span_text(45), "45 s");
  EXPECT_EQ(span_text(900), "15 min");
  EXPECT_EQ(span_text(3600), "1 h");
  EXPECT_EQ(span_text(12'000), "3 h 20 min");
  EXPECT_EQ(span_text(52 * 3600.0), "2 d 4 h");
  EXPECT_EQ(span_text(-1), "0 s");
  EXPECT_EQ(span_text(NAN), "0 s");
}

TEST(Words, Changes) {
  EXPECT_EQ(change_text(1.34, 1), "+34 %");
  EXPECT_EQ(change_text(0.92, 1),
            "\xE2\x88\x92"
            "8 %");
  EXPECT_EQ(change_text(1.01, 1), "same");
  EXPECT_EQ(change_text(71, 1), "\xC3\x97 71");
  EXPECT_EQ(change_text(1, 0), "new");
  EXPECT_EQ(change_text(0, 1), "gone");
  EXPECT_EQ(change_text(0, 0), "");
  EXPECT_EQ(change_text(NAN, 1), "");
  EXPECT_EQ(change_tone(1.3, 1, Worse::more), Tone::bad);
  EXPECT_EQ(change_tone(0.7, 1, Worse::more), Tone::good);
  EXPECT_EQ(change_tone(0.7, 1, Worse::less), Tone::bad);
  EXPECT_EQ(change_tone(1.1, 1, Worse::more), Tone::none);
  EXPECT_EQ(change_tone(9, 1, Worse::neither), Tone::none);
  EXPECT_EQ(change_tone(NAN, 1, Worse::more), Tone::none);
}

TEST(Words, ListsAndCuts) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(counted(1, "order", "orders"), "1 order");
  EXPECT_EQ(counted(12'500, "order", "orders"), "12.5k orders");
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("ab\xC3\xA9", 3), "ab \xE2\x80\xA6") << "not within a character";
  EXPECT_EQ(sentence("a"), "a.");
  EXPECT_EQ(sentence("a?"), "a?");
}

TEST(Words, AdviceIsStatementAndReason) {
  const Text text = advice_text("CREATE INDEX i ON t(a) -- then: SEARCH t");
  ASSERT_EQ(text.spans().size(), 2U);
  EXPECT_EQ(text.spans()[0].kind, Span::Kind::code);
  EXPECT_EQ(text.spans()[0].text, "CREATE INDEX i ON t(a)");
  EXPECT_EQ(text.str(), "CREATE INDEX i ON t(a) (then: SEARCH t)");
  EXPECT_EQ(advice_text("PRAGMA x on y").spans()[0].kind, Span::Kind::plain);
}

TEST(Thinned, KeepsTheExtremesAndTheGaps) {
  std::vector<history::Point> points;
  for (int i = 0; i < 100'000; i++)
    points.push_back({static_cast<double>(i), i == 54'321 ? 100.0 : i % 10 / 10.0});
  for (int i = 20'000; i < 30'000; i++) points[static_cast<std::size_t>(i)].value = NAN;
  const auto few = thinned(points, 200);
  EXPECT_LE(few.size(), 200U);
  double most = 0;
  bool gap = false;
  for (std::size_t i = 0; i < few.size(); i++) {
    if (std::isfinite(few[i].value)) most = std::max(most, few[i].value);
    gap = gap || std::isnan(few[i].value);
    if (i > 0) {
      EXPECT_GE(few[i].at, few[i - 1].at);
    }
  }
  EXPECT_EQ(most, 100);
  EXPECT_TRUE(gap);
  EXPECT_EQ(thinned({{1, 2}, {2, 3}}, 200).size(), 2U);
}

}  // namespace
}  // namespace nz::report
