#include "userspace/advice/index_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/advice/plan_advice.h"

namespace nz::advice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kSchema = {
    "CREATE TABLE risk_limits(id INTEGER PRIMARY KEY, account INTEGER, symbol INTEGER, "
    "max_quantity REAL, at INTEGER)",
    "CREATE TABLE \"odd table\"(\"a b\", [order] TEXT, c)",
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, account INTEGER, price REAL, state TEXT)",
    "CREATE INDEX orders_account ON orders(account, price)",
    "CREATE VIEW limits AS SELECT account AS a, max_quantity FROM risk_limits"};

std::vector<std::string> missing(const std::string& sql) {
  std::vector<std::string> statements;
  const auto advice = missing_indexes(kSchema, sql);
  EXPECT_TRUE(advice.has_value()) << advice.error().text();
  if (!advice) return statements;
  for (const IndexAdvice& a : *advice) statements.push_back(a.statement);
  return statements;
}

TEST(MissingIndexes, EqualityFirstThenRange) {
  EXPECT_THAT(missing("SELECT max_quantity FROM risk_limits WHERE account = ?1"),
              ElementsAre("CREATE INDEX risk_limits_account ON risk_limits(account)"));
  EXPECT_THAT(missing("SELECT max_quantity FROM risk_limits WHERE at > ? AND account = ?"),
              ElementsAre("CREATE INDEX risk_limits_account_at ON risk_limits(account, at)"));
}

TEST(MissingIndexes, OrderBehindEquality) {
  EXPECT_THAT(
      missing("SELECT max_quantity FROM risk_limits WHERE account = ? ORDER BY at DESC LIMIT 10"),
      ElementsAre("CREATE INDEX risk_limits_account_at ON risk_limits(account, at)"));
}

TEST(MissingIndexes, OfWritesAliasesViewsAndJoins) {
  EXPECT_THAT(missing("UPDATE risk_limits SET max_quantity = ? WHERE symbol = ?"),
              ElementsAre("CREATE INDEX risk_limits_symbol ON risk_limits(symbol)"));
  EXPECT_THAT(missing("DELETE FROM risk_limits WHERE symbol = ?"),
              ElementsAre("CREATE INDEX risk_limits_symbol ON risk_limits(symbol)"));
  EXPECT_THAT(missing("SELECT * FROM limits WHERE a = 3"),
              ElementsAre("CREATE INDEX risk_limits_account ON risk_limits(account)"));
  EXPECT_THAT(missing("SELECT r.at FROM orders AS o JOIN risk_limits AS r ON r.account = o.account "
                      "WHERE o.id = ?"),
              ElementsAre("CREATE INDEX risk_limits_account ON risk_limits(account)"));
}

TEST(MissingIndexes, QuotesWhatNeedsIt) {
  EXPECT_THAT(missing("SELECT c FROM \"odd table\" WHERE \"order\" = ?"),
              ElementsAre("CREATE INDEX odd_table_order ON \"odd table\"(\"order\")"));
}

TEST(MissingIndexes, NoneWhereThereIsOneOrNoneWouldHelp) {
  EXPECT_THAT(missing("SELECT price FROM orders WHERE account = ?"), IsEmpty());
  EXPECT_THAT(missing("SELECT price FROM orders WHERE id = ?"), IsEmpty());
  EXPECT_THAT(missing("SELECT * FROM orders ORDER BY id DESC LIMIT 10"), IsEmpty());
  EXPECT_THAT(missing("SELECT * FROM orders"), IsEmpty());
  EXPECT_THAT(missing("INSERT INTO orders(account) VALUES (?)"), IsEmpty());
}

TEST(MissingIndexes, SaysWhatDoesNotCompile) {
  const auto advice = missing_indexes(kSchema, "SELECT nap(1) FROM orders");
  ASSERT_FALSE(advice.has_value());
  EXPECT_THAT(advice.error().text(), HasSubstr("nap"));
  EXPECT_FALSE(missing_indexes({}, "SELECT 1 FROM nothing").has_value());
}

TEST(ExplainPlan, IndexFirstThenWhatThePlanSays) {
  const std::vector<PlanRow> rows = {{2, 0, "SCAN risk_limits"},
                                     {7, 0, "CORRELATED SCALAR SUBQUERY 1"},
                                     {9, 7, "SEARCH x USING AUTOMATIC COVERING INDEX (a=?)"},
                                     {12, 0, "USE TEMP B-TREE FOR ORDER BY"}};
  const Explained e = explain_plan(rows, {{"CREATE INDEX i ON t(a)", "SEARCH t USING INDEX i"}});
  EXPECT_EQ(e.plan,
            "SCAN risk_limits\nCORRELATED SCALAR SUBQUERY 1\n  SEARCH x USING AUTOMATIC COVERING "
            "INDEX (a=?)\nUSE TEMP B-TREE FOR ORDER BY");
  ASSERT_EQ(e.advice.size(), 5U);
  EXPECT_TRUE(e.has_missing_index);
  EXPECT_EQ(e.advice[0], "CREATE INDEX i ON t(a) -- then: SEARCH t USING INDEX i");
  EXPECT_THAT(e.advice[1], HasSubstr("full scan of risk_limits"));
  EXPECT_THAT(e.advice[2], HasSubstr("correlated subquery"));
  EXPECT_THAT(e.advice[3], HasSubstr("automatic index"));
  EXPECT_THAT(e.advice[4], HasSubstr("temporary b-tree FOR ORDER BY"));
}

TEST(ExplainPlan, NoIndexForAPlanThatIsGood) {
  const Explained e = explain_plan({{2, 0, "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"}},
                                   {{"CREATE INDEX i ON t(a)", "SEARCH t USING INDEX i"}});
  EXPECT_TRUE(e.advice.empty());
}

}  // namespace
}  // namespace nz::advice
