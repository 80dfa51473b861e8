#include "analysis/sql_digest.h"

#include <gtest/gtest.h>

#include <random>

namespace nz::analysis {
namespace {

struct Text {
  const char* sql;
  const char* normalised;
};

class Normalise : public ::testing::TestWithParam<Text> {};

TEST_P(Normalise, KeepsWhatMakesTheStatement) {
  EXPECT_EQ(normalise_sql(GetParam().sql), GetParam().normalised);
}

INSTANTIATE_TEST_SUITE_P(Numbers, Normalise,
                         ::testing::Values(Text{"SELECT 1+1", "SELECT ?+?"}, Text{"a=12", "a=?"},
                                           Text{"a=-5", "a=-?"}, Text{"a=1.5", "a=?"},
                                           Text{"a=.5", "a=.?"}, Text{"a=1e9", "a=?"},
                                           Text{"a=1e-9", "a=?-?"}, Text{"a=0xFFee01", "a=?"},
                                           Text{"LIMIT 10,20", "LIMIT ?,?"}, Text{"(1)", "(?)"},
                                           Text{"7", "?"}, Text{"", ""}));

INSTANTIATE_TEST_SUITE_P(Identifiers, Normalise,
                         ::testing::Values(Text{"FROM t1", "FROM t1"}, Text{"t1.c2=3", "t1.c2=?"},
                                           Text{"_1", "_1"}, Text{"größe1 = 2", "größe1 = ?"},
                                           Text{"\"col 1\"=1", "\"col 1\"=?"},
                                           Text{"`a 2`", "`a 2`"}, Text{"[a 3]=4", "[a 3]=?"},
                                           Text{"\"it's\"=1 AND b='x'", "\"it's\"=? AND b=?"}));

INSTANTIATE_TEST_SUITE_P(Strings, Normalise,
                         ::testing::Values(Text{"a='x'", "a=?"}, Text{"a=''", "a=?"},
                                           Text{"a='it''s'", "a=?"}, Text{"a=''''", "a=?"},
                                           Text{"a='x' AND b='y'", "a=? AND b=?"},
                                           Text{"a='-- no comment' AND b=1", "a=? AND b=?"},
                                           Text{"a='/*' AND b='*/'", "a=? AND b=?"},
                                           Text{"x'AB01'", "x?"}, Text{"a='größe'", "a=?"},
                                           Text{"a='never closed", "a=?"}));

INSTANTIATE_TEST_SUITE_P(Parameters, Normalise,
                         ::testing::Values(Text{"VALUES(?,?)", "VALUES(?,?)"},
                                           Text{"id=?1", "id=?"},
                                           Text{"id=?12 AND b=?2", "id=? AND b=?"},
                                           Text{":p1", ":p1"}, Text{"@p1", "@p1"},
                                           Text{"$p1", "$p1"}));

INSTANTIATE_TEST_SUITE_P(Comments, Normalise,
                         ::testing::Values(Text{"SELECT a -- it's 1\nFROM b", "SELECT a \nFROM b"},
                                           Text{"SELECT a --", "SELECT a "},
                                           Text{"/* trace 1 */SELECT a", "SELECT a"},
                                           Text{"a/**/b", "ab"}, Text{"a/*/b*/c", "ac"},
                                           Text{"a/***/b", "ab"}, Text{"a/* it's */='x'", "a=?"},
                                           Text{"a-b", "a-b"}, Text{"a/b", "a/b"},
                                           Text{"a- -1", "a- -?"}, Text{"a /* open", "a "}));

TEST(SqlHash, IsTheSameForStatementsThatDifferInLiteralsAlone) {
  EXPECT_EQ(sql_hash("SELECT a FROM t1 WHERE id = 1", 3),
            sql_hash("SELECT a FROM t1 WHERE id = 0x22", 3));
  EXPECT_EQ(sql_hash("SELECT a WHERE n = 'x'", 3), sql_hash("SELECT a WHERE n = 'it''s -- y'", 3));
  EXPECT_NE(sql_hash("SELECT a FROM t1", 3), sql_hash("SELECT a FROM t2", 3));
  EXPECT_NE(sql_hash("SELECT a FROM t1", 3), sql_hash("SELECT a FROM t1", 4)) << "another target";
  EXPECT_NE(sql_hash("select a", 3), sql_hash("SELECT a", 3)) << "case stays";
}

// FNV-1a, 64 bits, as published (http://www.isthe.com/chongo/tech/comp/fnv/): "a" and "foobar".
TEST(SqlHash, IsFnv1a) {
  EXPECT_EQ(sql_hash("a", 0), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(sql_hash("foobar", 0), 0x85944171f73967e8ULL);
}

TEST(SqlHash, AnyBytesAreAText) {
  std::mt19937 random(7);
  const std::string alphabet = "a1'\"`[]-/*?.x\n \xc3\xa4\xff";
  for (int round = 0; round < 20000; round++) {
    std::string text;
    for (size_t length = random() % 40; length > 0; length--)
      text += alphabet[random() % alphabet.size()];
    const std::string normal = normalise_sql(text);
    EXPECT_LE(normal.size(), text.size()) << text;
    EXPECT_EQ(normal.find_first_of('\0'), std::string::npos);
    EXPECT_NE(sql_hash(text, 1), 0U);
    // No literal survives: outside of quoted identifiers there is no quote of a string.
    if (text.find_first_of("\"`[") != std::string::npos) continue;
    EXPECT_EQ(normal.find('\''), std::string::npos) << text;
  }
}

TEST(ShortenSql, CollapsesWhiteSpace) {
  EXPECT_EQ(shorten_sql("  SELECT  a\n\tFROM b ", 100), "SELECT a FROM b");
  EXPECT_EQ(shorten_sql("", 100), "");
  EXPECT_EQ(shorten_sql(" \n ", 100), "");
}

TEST(ShortenSql, CutsAtACharacter) {
  EXPECT_EQ(shorten_sql("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten_sql("abcdefg", 6), "abcdef...");
  EXPECT_EQ(shorten_sql("abcdä", 6), "abcdä");
  EXPECT_EQ(shorten_sql("abcdeä", 6), "abcde...") << "two bytes do not fit";
  EXPECT_EQ(shorten_sql("abcd\xe2\x82\xac", 6), "abcd...") << "nor do three";
}

// The kernel reads 255 bytes, which may end inside a character.
TEST(ShortenSql, LeavesOutACharacterThatIsNotWhole) {
  EXPECT_EQ(shorten_sql("abc\xc3", 100), "abc");
  EXPECT_EQ(shorten_sql("abc\xe2\x82", 100), "abc");
  EXPECT_EQ(shorten_sql("abc\xf0\x9f\x98", 100), "abc");
  EXPECT_EQ(shorten_sql("abc\xf0\x9f\x98\x80", 100), "abc\xf0\x9f\x98\x80");
  EXPECT_EQ(shorten_sql("\xc3", 100), "");
}

}  // namespace
}  // namespace nz::analysis
