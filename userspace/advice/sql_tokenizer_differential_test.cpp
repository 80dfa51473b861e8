// The tokenizer beside SQLite's own: what its parser names in an error is one of our tokens, what
// it takes for complete ends with our semicolon, and what it expands has the digest of what it was.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "analysis/sql_display.h"
#include "analysis/sql_tokenizer.h"

namespace nz::analysis {
namespace {

std::vector<SqlToken> tokens_of(const std::string& sql) {
  std::vector<SqlToken> all;
  SqlTokenizer tokenizer(sql);
  SqlToken token;
  while (tokenizer.next(token)) {
    if (token.kind != SqlKind::space && token.kind != SqlKind::comment) all.push_back(token);
  }
  return all;
}

class Beside : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db_, "CREATE TABLE t(a, b, c)", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  void TearDown() override { sqlite3_close(db_); }

  std::string random_text() {
    static const std::vector<std::string> parts = {
        "SELECT ", "a",     "b",        "'x'",     "'it''s'", "'",    "\"c\"", "\"",  "[a]",   "[",
        "`b`",     "`",     "12",       "1.5",     ".5",      "1e3",  "1e",    "1e+", "0x1f",  "0x",
        "12ab",    "x'ab'", "x'a'",     "X'",      "?",       "?3",   ":v",    "@w",  "$x",    "$",
        ":",       "#1",    "$y(z)",    " ",       "\n",      "\t",   "--c\n", "--",  "/*d*/", "/*",
        "/",       "*",     "+",        "-",       "->",      "->>",  "(",     ")",   ",",     ";",
        "=",       "==",    "<",        "<>",      "!=",      "!",    "||",    "|",   "&",     "~",
        "%",       ".",     "\xc3\xa4", "FROM t ", "WHERE ",  "IN (", "AND ",  "^",   "{",     "\\",
        "\v",      "\f",    "_1",       "$1"};
    std::string text = random_() % 2 == 0 ? "SELECT " : "";
    for (size_t n = 1 + random_() % 12; n > 0; n--) text += parts[random_() % parts.size()];
    return text;
  }

  sqlite3* db_ = nullptr;
  std::mt19937 random_{5};
};

TEST_F(Beside, TheTokenOfAnErrorIsOneOfOurs) {
  int near = 0, unrecognised = 0;
  for (int round = 0; round < 100'000; round++) {
    const std::string sql = random_text();
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    sqlite3_finalize(statement);
    if (code == SQLITE_OK) continue;
    const std::string message = sqlite3_errmsg(db_);
    const size_t open = message.find('"'), close = message.rfind('"');
    const bool illegal = message.starts_with("unrecognized token: ");
    if (!illegal && !message.starts_with("near \"")) continue;
    ASSERT_LT(open, close) << message;
    const std::string named = message.substr(open + 1, close - open - 1);
    const auto tokens = tokens_of(sql);
    const bool ours = std::any_of(tokens.begin(), tokens.end(), [&](const SqlToken& t) {
      return t.text == named && (!illegal || t.kind == SqlKind::illegal);
    });
    ASSERT_TRUE(ours) << message << "\nof: " << sql;
    (illegal ? unrecognised : near)++;
  }
  EXPECT_GT(near, 10'000);
  EXPECT_GT(unrecognised, 10'000);
}

TEST_F(Beside, WhatIsCompleteEndsWithOurSemicolon) {
  int complete = 0;
  for (int round = 0; round < 100'000; round++) {
    const std::string sql =
        random_text() + (random_() % 2 == 0 ? ";" : "") + (random_() % 4 == 0 ? " /* end */ " : "");
    // sqlite3_complete has a tokenizer of its own, for which a vertical tab is a character like any
    // other, and an open comment no end.
    if (sql.find('\v') != std::string::npos) continue;
    const auto tokens = tokens_of(sql);
    // Nor does it know which tokens are none.
    if (std::any_of(tokens.begin(), tokens.end(),
                    [](const SqlToken& t) { return t.kind == SqlKind::illegal; }))
      continue;
    const bool ours = !tokens.empty() && tokens.back().text == ";";
    const bool theirs = sqlite3_complete(sql.c_str()) == 1;
    if (!ours && theirs) ADD_FAILURE() << sql;
    if (ours && !theirs) {
      // It also wants every comment to be closed.
      EXPECT_NE(sql.find("/*"), std::string::npos) << sql;
    }
    complete += ours && theirs ? 1 : 0;
  }
  EXPECT_GT(complete, 5'000);
}

TEST_F(Beside, ExpandedVariablesAreTheLiteralsOfTheSameDigest) {
  const std::vector<std::string> statements = {
      "SELECT a FROM t WHERE b = ?1 AND c = :name", "INSERT INTO t VALUES(?, ?, @c)",
      "UPDATE t SET a = $d WHERE b IN (?, ?, ?) LIMIT ?", "DELETE FROM t WHERE a = -?5 OR b > ?2"};
  for (const std::string& sql : statements) {
    sqlite3_stmt* s = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &s, nullptr), SQLITE_OK) << sql;
    for (int round = 0; round < 50; round++) {
      for (int i = 1; i <= sqlite3_bind_parameter_count(s); i++) {
        switch (random_() % 4) {
          case 0:
            sqlite3_bind_int64(s, i, static_cast<int64_t>(random_()));
            break;
          case 1:
            sqlite3_bind_double(s, i, static_cast<double>(random_()) * 1.7e-20);
            break;
          case 2:
            sqlite3_bind_text(s, i, "it's -- /* ; \"text\"", -1, SQLITE_STATIC);
            break;
          default:
            sqlite3_bind_blob(s, i, "\x01\xff'", 3, SQLITE_STATIC);
        }
      }
      char* expanded = sqlite3_expanded_sql(s);
      EXPECT_EQ(display_sql(expanded), display_sql(sql)) << expanded;
      sqlite3_free(expanded);
    }
    sqlite3_finalize(s);
  }
}

}  // namespace
}  // namespace nz::analysis
