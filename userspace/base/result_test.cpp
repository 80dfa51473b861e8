#include "userspace/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace nz {
namespace {

TEST(Result, ErrorTextNamesTheRemedy) {
  const Error with{"open /x: No such file or directory", "check the path", ENOENT};
  EXPECT_EQ(with.text(), "open /x: No such file or directory (check the path)");
  const Error without{"it broke", "", 0};
  EXPECT_EQ(without.text(), "it broke");
}

TEST(Result, FailConvertsToEveryResult) {
  const auto number = []() -> Result<int> { return fail("no", "try again", 7); }();
  ASSERT_FALSE(number.has_value());
  EXPECT_EQ(number.error().what, "no");
  EXPECT_EQ(number.error().remedy, "try again");
  EXPECT_EQ(number.error().code, 7);
  const auto nothing = []() -> Result<void> { return fail("no"); }();
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().text(), "no");
}

TEST(Result, ErrnoHasItsTextAndNumber) {
  const auto r = []() -> Result<void> { return fail_errno("open /x", EACCES, "run as root"); }();
  EXPECT_EQ(r.error().what, "open /x: Permission denied");
  EXPECT_EQ(r.error().remedy, "run as root");
  EXPECT_EQ(r.error().code, EACCES);
}

TEST(Result, AnErrnoThatDoesNotExist) {
  const auto r = []() -> Result<void> { return fail_errno("x", 99999); }();
  EXPECT_EQ(r.error().what, "x: unknown error");
}

}  // namespace
}  // namespace nz
