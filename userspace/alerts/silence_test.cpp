#include "userspace/alerts/silence.h"

#include <gmock/gmock.h>

namespace nz::alerts {
namespace {

using testing::HasSubstr;

Matchers conditions(const char* text) { return *parse_matchers(text); }
const analysis::Labels kAlert = {{"alertname", "A"}, {"target", "demo"}};

TEST(Silences, HoldForTheirTime) {
  Silences silences;
  const auto added = silences.add(conditions(R"(alertname="A",target=~"d.*")"), 1000, 60, "why");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->id, "s1");
  ASSERT_NE(silences.of(kAlert, 1059), nullptr);
  EXPECT_EQ(silences.of(kAlert, 1060), nullptr);
  EXPECT_EQ(silences.of({{"alertname", "B"}, {"target", "demo"}}, 1059), nullptr);
  EXPECT_EQ(silences.expire(1059), 0U);
  EXPECT_EQ(silences.expire(1060), 1U);
  EXPECT_TRUE(silences.all().empty());
  EXPECT_EQ(silences.add(conditions(R"(a="b")"), 2000, 60, "")->id, "s2") << "never given twice";
}

TEST(Silences, OfAClockThatWasAheadLastNoLonger) {
  Silences silences;
  ASSERT_TRUE(silences.add(conditions(R"(alertname="A")"), 1e9, 3600, ""));
  EXPECT_EQ(silences.expire(100), 0U);
  EXPECT_NE(silences.of(kAlert, 3699), nullptr);
  EXPECT_EQ(silences.of(kAlert, 3700), nullptr);
}

TEST(Silences, RefuseWhatWouldBeAMistake) {
  Silences silences;
  EXPECT_THAT(silences.add({}, 0, 60, "").error().text(), HasSubstr("needs a condition"));
  EXPECT_FALSE(silences.add(conditions(R"(a="b")"), 0, 0, ""));
  EXPECT_FALSE(silences.add(conditions(R"(a="b")"), 0, 1e9, ""));
  EXPECT_THAT(silences.remove("s7").error().text(), HasSubstr("no silence 's7'"));
  for (std::size_t i = 0; i < Silences::kMost; i++)
    EXPECT_TRUE(silences.add(conditions(R"(a="b")"), 0, 60, ""));
  EXPECT_THAT(silences.add(conditions(R"(a="b")"), 0, 60, "").error().text(), HasSubstr("256"));
}

TEST(Silences, SurviveARestart) {
  Silences before;
  ASSERT_TRUE(
      before.add(conditions(R"(a="with \"quotes\"",b!~"x|y")"), 1000, 60, "with \"quotes\"\n"));
  ASSERT_TRUE(before.add(conditions(R"(alertname="A")"), 1000, 90, ""));
  ASSERT_TRUE(before.remove("s1"));
  Silences after;
  ASSERT_TRUE(after.restore(before.save()));
  EXPECT_NE(after.of(kAlert, 1080), nullptr);
  EXPECT_EQ(after.add(conditions(R"(a="b")"), 1000, 60, "")->id, "s3");
  for (
      const char* bad :
      {"", "{}", "[]", R"({"version":2,"next":1,"silences":[]})",
       R"({"version":1,"next":1,"silences":[{"id":"s1","matchers":"","from":0,"until":9,"comment":""}]})"}) {
    EXPECT_FALSE(after.restore(bad)) << bad;
    EXPECT_EQ(after.all().size(), 2U);
  }
}

}  // namespace
}  // namespace nz::alerts
