#include "userspace/sites/symbol_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nz::sites {
namespace {

using ::testing::ElementsAre;

TEST(SymbolMatch, NameWithoutParameters) {
  EXPECT_EQ(without_parameters("demo::Risk::check(demo::Order const&) const"), "demo::Risk::check");
  EXPECT_EQ(without_parameters("int demo::f<long>(char)"), "demo::f<long>");
  EXPECT_EQ(without_parameters("(anonymous namespace)::f(int)"), "(anonymous namespace)::f");
  EXPECT_EQ(without_parameters("demo::F::operator()(int) const"), "demo::F::operator()");
  EXPECT_EQ(without_parameters("std::map<int, char> demo::g<int>(int)"), "demo::g<int>");
  EXPECT_EQ(without_parameters("demo::h[abi:cxx11](int)"), "demo::h");
  EXPECT_EQ(without_parameters("plain"), "plain");
  EXPECT_EQ(without_parameters(")"), ")");
  EXPECT_EQ(without_parameters(""), "");
}

TEST(SymbolMatch, Pieces) {
  EXPECT_TRUE(is_compiler_piece("f.cold"));
  EXPECT_TRUE(is_compiler_piece("f.part.0"));
  EXPECT_TRUE(is_compiler_piece("_Z1fi.isra.0"));
  EXPECT_TRUE(is_compiler_piece("f.constprop.0.cold"));
  EXPECT_FALSE(is_compiler_piece("f"));
  EXPECT_FALSE(is_compiler_piece("main.main")) << "Go";
  EXPECT_FALSE(SymbolPattern("demo::f").matches("_ZN4demo1fEi.cold", true));
  EXPECT_FALSE(SymbolPattern("f*").matches("f.cold", true));
  EXPECT_TRUE(SymbolPattern("f*.cold").matches("f.cold", true));
  EXPECT_TRUE(SymbolPattern("f.cold").matches("f.cold", true));
}

TEST(SymbolMatch, Demangled) {
  EXPECT_TRUE(SymbolPattern("demo::f").matches("_ZN4demo1fEi", false));
  EXPECT_TRUE(SymbolPattern("demo::f(int)").matches("_ZN4demo1fEi", false));
  EXPECT_FALSE(SymbolPattern("demo::f(long)").matches("_ZN4demo1fEi", true));
  EXPECT_FALSE(SymbolPattern("f").matches("_ZN4demo1fEi", true)) << "not the whole name";
  EXPECT_TRUE(SymbolPattern("std::vector<int, std::allocator<int> >::size")
                  .matches("_ZNKSt6vectorIiSaIiEE4sizeEv", true));
  EXPECT_TRUE(SymbolPattern("demo::C::C").matches("_ZN4demo1CC1Ev", false));
}

TEST(SymbolMatch, NearestNamesAreOrderedAndFew) {
  NearestNames nearest("sqlite3_stpe", 3);
  for (const char* name : {"sqlite3_step", "sqlite3_stmt_busy", "sqlite3_sleep", "sqlite3_str_new",
                           "completely_other", "sqlite3_step"})
    nearest.offer(name);
  const auto best = nearest.best();
  ASSERT_FALSE(best.empty());
  EXPECT_LE(best.size(), 3u);
  EXPECT_EQ(best.front(), "sqlite3_step");
  EXPECT_THAT(NearestNames("x").best(), ElementsAre());
}

}  // namespace
}  // namespace nz::sites
