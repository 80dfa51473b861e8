#include "userspace/cli/table.h"

#include <gtest/gtest.h>

namespace nz::cli {
namespace {

TEST(Table, AlignsColumnsAndEndsNoLineInBlanks) {
  Table table({{"NAME"}, {"N", Table::Align::right}, {"NOTE"}});
  table.add({"a", "1", "x"});
  table.add({"longer", "1234", ""});
  EXPECT_EQ(table.text(),
            "NAME       N  NOTE\n"
            "a          1  x\n"
            "longer  1234\n");
}

TEST(Table, CutsLongCellsAndLines) {
  Table table({{"NAME", Table::Align::left, 5}, {"REST"}});
  table.add({"abcdefgh", "0123456789"});
  EXPECT_EQ(table.text(), "NAME   REST\nabcd…  0123456789\n");
  EXPECT_EQ(table.text(10), "NAME   RE…\nabcd…  01…\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({{"É"}, {"B"}});
  table.add({"ü", "1"});
  EXPECT_EQ(table.text(), "É  B\nü  1\n");
}

TEST(Table, ShowsControlCharactersAsQuestionMarks) {
  Table table({{"A"}});
  table.add({"x\033[31m\n"});
  EXPECT_EQ(table.text(), "A\nx?[31m?\n");
}

}  // namespace
}  // namespace nz::cli
