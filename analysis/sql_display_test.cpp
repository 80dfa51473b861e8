#include "analysis/sql_display.h"

#include <gtest/gtest.h>

#include <random>

namespace nz::analysis {
namespace {

struct Same {
  const char* display;
  std::vector<const char*> statements;
};

class DisplaySql : public ::testing::TestWithParam<Same> {};

TEST_P(DisplaySql, IsOneForStatementsThatDoTheSame) {
  for (const char* sql : GetParam().statements)
    EXPECT_EQ(display_sql(sql), GetParam().display) << sql;
  EXPECT_EQ(display_sql(GetParam().display), GetParam().display) << "stable";
}

INSTANTIATE_TEST_SUITE_P(
    All, DisplaySql,
    ::testing::Values(
        Same{
            "SELECT a FROM t WHERE id = ?",
            {"SELECT a FROM t WHERE id = 1", "select  a\nfrom t where id=0xff;",
             "SELECT a /* by id */ FROM t -- here\n WHERE id = :id", "SELECT a FROM t WHERE id==-5",
             "SELECT a FROM t WHERE id = ?7 ; ", "SELECT a FROM t WHERE id = x'00'"}},
        Same{"SELECT a FROM t WHERE id IN (?) AND b = ?",
             {"SELECT a FROM t WHERE id IN (1,2,3) AND b='x'",
              "SELECT a FROM t WHERE id in(?, ?, NULL) AND b = 2",
              "SELECT a FROM t WHERE id IN (?) AND b = ?"}},
        Same{"SELECT a FROM t WHERE id IN (?", {"SELECT a FROM t WHERE id IN (1, 2, 3, 'cut"}},
        Same{"SELECT a FROM t WHERE id IN (SELECT b FROM u WHERE c = ?)",
             {"SELECT a FROM t WHERE id IN (SELECT b FROM u WHERE c=1)"}},
        Same{"INSERT INTO t(a, b) VALUES (?, ?) ON CONFLICT DO NOTHING",
             {"insert into t(a,b) values (1,'x') on conflict do nothing",
              "INSERT INTO t(a, b) VALUES(1, 2), (3, -4),(?,?) ON CONFLICT DO NOTHING"}},
        Same{
            "INSERT INTO t VALUES (?, f(?), NULL)",
            {"INSERT INTO t VALUES (1, f(2), NULL)", "INSERT INTO t VALUES(?,f(?),null),(2, f(3)"}},
        Same{"SELECT a - ?, - a, ? - b FROM t ORDER BY a DESC LIMIT ? OFFSET ?",
             {"SELECT a-1,-a,+2-b FROM t ORDER BY a desc LIMIT 10 OFFSET 20"}},
        Same{"SELECT \"Col 1\", t.[x y], t.`z` FROM main.t AS t",
             {"SELECT \"Col 1\",t.[x y] , t . `z` FROM main.t as t"}},
        Same{"SELECT count(*) FROM t", {"SELECT count(*) FROM t", "SELECT count( * )FROM t"}},
        Same{"BEGIN IMMEDIATE", {"begin immediate", "BEGIN IMMEDIATE;"}},
        Same{"SELECT a FROM T", {"select a from T"}},
        Same{"", {"", ";", " -- nothing\n", "/* open"}}),
    [](const auto& info) { return "case" + std::to_string(info.index); });

TEST(DisplaySql, KeepsApartWhatIsNotTheSame) {
  const std::vector<const char*> statements = {"SELECT a FROM t",
                                               "SELECT a FROM T",
                                               "SELECT a FROM \"t\"",
                                               "SELECT a, b FROM t",
                                               "SELECT a FROM t LIMIT 1",
                                               "SELECT a FROM t ORDER BY a",
                                               "SELECT a FROM t WHERE a IS NULL",
                                               "SELECT a FROM t WHERE a IN (?, b)",
                                               "SELECT a FROM t WHERE a IN (?)"};
  for (const char* a : statements) {
    for (const char* b : statements) {
      if (a == b) continue;
      EXPECT_NE(digest_of_display(display_sql(a)), digest_of_display(display_sql(b)))
          << a << " / " << b;
    }
  }
}

TEST(DisplaySql, AnyBytesAreATextAndNoLiteralIsShown) {
  std::mt19937 random(7);
  const std::string alphabet = "a1x'-/*?.,()IN \n\xc3\xa4\xff";
  for (int round = 0; round < 50000; round++) {
    std::string text = "SELECT ";
    for (size_t length = random() % 40; length > 0; length--)
      text += alphabet[random() % alphabet.size()];
    const std::string shown = display_sql(text);
    EXPECT_LE(shown.size(), 2 * text.size());
    EXPECT_EQ(shown.find('\''), std::string::npos) << text;
    EXPECT_EQ(display_sql(text), shown);
  }
}

// FNV-1a as published, whatever the target or host.
TEST(DigestOfDisplay, IsStable) {
  EXPECT_EQ(digest_of_display("foobar"), "85944171f73967e8");
  EXPECT_EQ(digest_of_display(""), "cbf29ce484222325");
}

}  // namespace
}  // namespace nz::analysis
