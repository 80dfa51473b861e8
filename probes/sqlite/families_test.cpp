#include "probes/sqlite/families.h"

#include <gtest/gtest.h>

#include <cstring>

namespace nz::probes {
namespace {

nz_statement_event event_of(uint32_t id, uint32_t slot, const std::string& text) {
  nz_statement_event e{};
  e.head.kind = NZ_EVENT_STATEMENT;
  e.head.slot = slot;
  e.id = id;
  e.length = static_cast<uint32_t>(text.size());
  std::memcpy(e.text, text.data(), std::min(text.size(), sizeof(e.text)));
  return e;
}

void learn(StatementTexts& texts, const nz_statement_event& e,
           size_t bytes = sizeof(nz_statement_event)) {
  texts.learn(e.head, {reinterpret_cast<const std::byte*>(&e), bytes});
}

TEST(StatementTexts, LearnsTextAndTarget) {
  StatementTexts texts;
  learn(texts, event_of(7, 2, "SELECT a\n  FROM t1 WHERE id = 42"));
  ASSERT_TRUE(texts.known().contains(7));
  const auto& known = texts.known().at(7);
  EXPECT_EQ(known.slot, 2U);
  EXPECT_EQ(known.text, "SELECT a FROM t1 WHERE id = ?");
}

TEST(StatementTexts, CutsLongTexts) {
  StatementTexts texts;
  learn(texts, event_of(1, 1, "SELECT " + std::string(248, 'x')));
  EXPECT_EQ(texts.known().at(1).text, "SELECT " + std::string(113, 'x') + "...");
  EXPECT_TRUE(texts.known().at(1).cut);
}

TEST(StatementTexts, TextsThatDoTheSameHaveOneDigest) {
  StatementTexts texts;
  learn(texts, event_of(1, 1, "SELECT a FROM t WHERE id IN (1, 2)"));
  learn(texts, event_of(2, 1, "select a from t -- now\nWHERE id IN (?,?,?);"));
  learn(texts, event_of(3, 1, "SELECT b FROM t WHERE id IN (1, 2)"));
  EXPECT_EQ(texts.find(1)->digest, texts.find(2)->digest);
  EXPECT_EQ(texts.find(1)->text, texts.find(2)->text);
  EXPECT_NE(texts.find(1)->digest, texts.find(3)->digest);
  EXPECT_NE(texts.find(1)->normalised, texts.find(2)->normalised) << "the kernel keeps them apart";
  EXPECT_EQ(texts.find(4), nullptr);
}

TEST(StatementTexts, DistrustsItsInput) {
  StatementTexts texts;
  nz_statement_event e = event_of(1, 1, "SELECT a");
  learn(texts, e, sizeof(e) - 1);  // truncated
  learn(texts, e, 0);
  EXPECT_TRUE(texts.known().empty());
  e.head.kind = NZ_EVENT_EXEC;
  learn(texts, e);
  EXPECT_TRUE(texts.known().empty());
  e = event_of(2, 1, "SELECT a");
  e.length = 1'000'000;  // longer than the field
  std::memset(e.text, 'x', sizeof(e.text));
  learn(texts, e);
  EXPECT_EQ(texts.known().at(2).text, std::string(120, 'x') + "...");
  e = event_of(3, 1, "");
  learn(texts, e);
  EXPECT_EQ(texts.known().at(3).text, "");
}

TEST(ResultCodes, HaveTheNamesOfSqlite3H) {
  EXPECT_EQ(result_code_name(0), "SQLITE_OK");
  EXPECT_EQ(result_code_name(5), "SQLITE_BUSY");
  EXPECT_EQ(result_code_name(19), "SQLITE_CONSTRAINT");
  EXPECT_EQ(result_code_name(21), "SQLITE_MISUSE");
  EXPECT_EQ(result_code_name(28), "SQLITE_WARNING");
  EXPECT_EQ(result_code_name(29), "code_29");
  EXPECT_EQ(result_code_name(100), "SQLITE_ROW");
  EXPECT_EQ(result_code_name(101), "SQLITE_DONE");
}

}  // namespace
}  // namespace nz::probes
