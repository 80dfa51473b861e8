#include "userspace/alerts/matcher.h"

#include <gmock/gmock.h>

namespace nz::alerts {
namespace {

using testing::HasSubstr;

const analysis::Labels kDemo = {{"target", "demo"}, {"stage", "risk"}};

bool takes(const char* selector, const analysis::Labels& labels = kDemo) {
  const auto parsed = parse_selector(selector);
  EXPECT_TRUE(parsed) << selector << ": " << (parsed ? "" : parsed.error().text());
  return parsed && parsed->matches("nearzero_x", labels);
}

TEST(Selector, TakesWhatPromQlWouldTake) {
  EXPECT_TRUE(takes("nearzero_x"));
  EXPECT_FALSE(takes("nearzero_y"));
  EXPECT_TRUE(takes(R"(nearzero_x{target="demo"})"));
  EXPECT_TRUE(takes(R"(nearzero_x{ target = "demo" , stage != 'order', })"));
  EXPECT_FALSE(takes(R"(nearzero_x{target="demo",stage!="risk"})"));
  EXPECT_TRUE(takes(R"(nearzero_x{stage=~"risk|order"})"));
  EXPECT_FALSE(takes(R"(nearzero_x{stage=~"ris"})")) << "the whole value";
  EXPECT_TRUE(takes(R"(nearzero_x{stage=~"r.*"})"));
  EXPECT_FALSE(takes(R"(nearzero_x{stage!~"r.*"})"));
  EXPECT_TRUE(takes(R"({target="demo"})")) << "any family";
  EXPECT_TRUE(takes(R"(nearzero_x{missing=""})")) << "a label that is not there is empty";
  EXPECT_TRUE(takes(R"(nearzero_x{missing!="a"})"));
  EXPECT_TRUE(takes(R"(nearzero_x{stage=~"\w+"})"));
}

TEST(Selector, ReadsBackItsText) {
  for (const char* text : {"nearzero_x", R"(nearzero_x{a="b",c!~"d|\\d+"})",
                           R"(nearzero_x{a="with \"quotes\" and \\ and \n"})"}) {
    const auto once = parse_selector(text);
    ASSERT_TRUE(once) << text;
    const auto twice = parse_selector(once->text());
    ASSERT_TRUE(twice) << once->text();
    EXPECT_EQ(*once, *twice);
  }
}

TEST(Selector, SaysWhereItIsWrong) {
  const auto error = [](const char* text) {
    const auto parsed = parse_selector(text);
    return parsed ? std::string("no error") : parsed.error().text();
  };
  EXPECT_THAT(error("nearzero_x{target=demo}"), HasSubstr("a value in quotes at character 19"));
  EXPECT_THAT(error("nearzero_x{target}"), HasSubstr("one of = != =~ !~"));
  EXPECT_THAT(error("nearzero_x{target=\"demo\""), HasSubstr("',' or '}'"));
  EXPECT_THAT(error("nearzero_x{target=\"demo"), HasSubstr("the closing quote"));
  EXPECT_THAT(error("nearzero_x}"), HasSubstr("'{' or the end"));
  EXPECT_THAT(error("nearzero_x{1=\"a\"}"), HasSubstr("the name of a label"));
  EXPECT_THAT(error("nearzero_x{a=~\"(\"}"), HasSubstr("no regular expression"));
  EXPECT_THAT(error("nearzero_x{a=~\"(?=a)b\"}"), HasSubstr("no regular expression"));
  EXPECT_THAT(error(""), HasSubstr("no series"));
}

// What would take std::regex years, or its stack.
TEST(Matcher, HostileExpressionsEnd) {
  const auto matchers = parse_matchers(R"(a=~"(x+x+)+y")");
  ASSERT_TRUE(matchers);
  EXPECT_FALSE(matches(*matchers, {{"a", std::string(20'000, 'x')}}));
  EXPECT_FALSE(parse_matchers(R"(a=~"((a{1000}){1000}){1000}")"));
}

}  // namespace
}  // namespace nz::alerts
