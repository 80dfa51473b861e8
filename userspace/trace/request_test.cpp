#include "userspace/trace/request.h"

#include <gtest/gtest.h>

namespace nz::trace {
namespace {

TEST(Request, EveryKindHasItsWord) {
  for (size_t i = 0; i < kind_names().size(); i++) {
    const auto kind = static_cast<Kind>(i);
    const bool has_place = kind == Kind::func || kind == Kind::usdt;
    const auto target = parse_target(kind_names()[i] + (has_place ? ":a:b" : ""));
    ASSERT_TRUE(target.has_value()) << kind_names()[i];
    EXPECT_EQ(target->kind, kind);
    EXPECT_EQ(target->place, has_place ? "a:b" : "");
  }
}

TEST(Request, AWrongWordGetsTheNearest) {
  const auto target = parse_target("runqueue");
  ASSERT_FALSE(target.has_value());
  EXPECT_NE(target.error().text().find("one of runq, offcpu"), std::string::npos);
  EXPECT_NE(parse_target("syscals").error().text().find("did you mean 'syscalls'"),
            std::string::npos);
}

TEST(Request, PartsThatAreMissingOrTooManyAreNamed) {
  EXPECT_FALSE(parse_target("func").has_value());
  EXPECT_FALSE(parse_target("func:libc").has_value());
  EXPECT_FALSE(parse_target("usdt:libc").has_value());
  EXPECT_FALSE(parse_target("runq:x").has_value());
  EXPECT_TRUE(parse_target("func:/bin/x:ns::f").has_value());
}

}  // namespace
}  // namespace nz::trace
