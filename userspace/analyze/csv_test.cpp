#include "userspace/analyze/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "userspace/analyze/test_csv.h"

namespace nz::analyze {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Csv, HeaderAndTwoColumns) {
  const auto csv =
      read_text("timestamp,value\n2023-11-14 22:13:20,1.5\n2023-11-14 22:13:30,-2e3\n");
  ASSERT_TRUE(csv) << csv.error().text();
  EXPECT_THAT(csv->series.value, ElementsAre(1.5, -2000));
  EXPECT_THAT(csv->series.at, ElementsAre(1700000000, 1700000010));
  EXPECT_EQ(csv->value_name, "value");
  EXPECT_TRUE(csv->warnings().empty());
}

TEST(Csv, NoHeaderNoTimesAndOtherDelimiters) {
  EXPECT_THAT(read_text("1,5\n2,6\n")->series.at, ElementsAre(1, 2));
  const auto one = read_text("5\n6\n7\n");
  EXPECT_THAT(one->series.value, ElementsAre(5, 6, 7));
  EXPECT_THAT(one->series.at, ElementsAre(0, 1, 2));
  EXPECT_THAT(read_text("1;5\n2;6\n")->series.value, ElementsAre(5, 6));
  EXPECT_THAT(read_text("t\tv\n1\t5\n2\t\n")->series.value.at(0), 5);
  EXPECT_THAT(read_text("1|5\n")->series.value, ElementsAre(5));
  CsvOptions colon;
  colon.delimiter = ':';
  EXPECT_THAT(read_text("1:5\n2:6\n", colon)->series.value, ElementsAre(5, 6));
}

TEST(Csv, ByteOrderMarkCarriageReturnsBlankLinesAndRemarks) {
  const auto csv = read_text("\xef\xbb\xbf# made by hand\r\n\r\ntime,value\r\n1,5\r\n\r\n2,6");
  ASSERT_TRUE(csv) << csv.error().text();
  EXPECT_THAT(csv->series.value, ElementsAre(5, 6));
}

TEST(Csv, QuotesWithDelimitersLineBreaksAndQuotes) {
  const auto csv =
      read_text("time,\"p99, \"\"all\"\"\",note\n1, \"5\" ,\"two\nlines, one cell\"\n2,6,\"\"\n");
  ASSERT_TRUE(csv) << csv.error().text();
  EXPECT_THAT(csv->series.value, ElementsAre(5, 6));
  EXPECT_EQ(csv->value_name, "p99, \"all\"");
}

TEST(Csv, ColumnsByNameNumberAndNature) {
  const std::string text = "host,when,p50,p99\na,2023-11-14,1,10\na,2023-11-15,2,20\n";
  CsvOptions options;
  options.time_column = "when";
  EXPECT_THAT(read_text(text, options)->series.value, ElementsAre(1, 2));
  options.value_column = "p99";
  EXPECT_THAT(read_text(text, options)->series.value, ElementsAre(10, 20));
  options.value_column = "4";
  EXPECT_THAT(read_text(text, options)->series.value, ElementsAre(10, 20));
  options.time_column = "none";
  EXPECT_THAT(read_text(text, options)->series.at, ElementsAre(0, 1));
  options.value_column = "p999";
  EXPECT_THAT(read_text(text, options).error().text(),
              HasSubstr("no value column 'p999' (columns: host, when, p50, p99)"));
  options.value_column = "2";
  options.time_column = "2";
  EXPECT_THAT(read_text(text, options).error().text(), HasSubstr("same column"));
  // A header that calls nothing a time: plain numbers are none.
  EXPECT_THAT(read_text("Data,Label\n0.5,0\n0.7,1\n")->series.value, ElementsAre(0.5, 0.7));
}

TEST(Csv, MissingAndInfiniteValuesAreCounted) {
  const auto csv =
      read_text("time,value\n1,5\n2,\n3,NaN\n4,null\n5,inf\n6,-Infinity\n7,1e999\n8,n/a\n");
  ASSERT_TRUE(csv) << csv.error().text();
  EXPECT_EQ(csv->missing.rows, 4U);
  EXPECT_EQ(csv->missing.first_line, 3U);
  EXPECT_EQ(csv->infinite.rows, 3U);
  EXPECT_TRUE(std::isnan(csv->series.value[1]));
  EXPECT_TRUE(std::isinf(csv->series.value[4]));
  EXPECT_THAT(csv->warnings(),
              ElementsAre(HasSubstr("4 rows (the first: line 3)"), HasSubstr("infinite")));
}

TEST(Csv, DuplicateAndBackwardTimesAreCounted) {
  const auto csv = read_text("1,5\n1,6\n3,7\n2,8\n");
  EXPECT_EQ(csv->duplicate.rows, 1U);
  EXPECT_EQ(csv->duplicate.first_line, 2U);
  EXPECT_EQ(csv->backward.rows, 1U);
  EXPECT_EQ(csv->backward.first_line, 4U);
}

TEST(Csv, BadRowsEndItWithTheirLine) {
  EXPECT_THAT(read_text("time,value\n1,5\n2\n").error().text(),
              HasSubstr("orders.csv:3: 1 cell where 2 are expected"));
  EXPECT_THAT(read_text("time,value\n1,5\n2,1,234\n").error().text(), HasSubstr(":3: 3 cells"));
  EXPECT_THAT(read_text("time,value\n1,5\n2,fast\n").error().text(),
              HasSubstr(":3: 'fast' in column 'value' is no number"));
  EXPECT_THAT(read_text("time;value\n1;5\n2;1,5\n").error().text(), HasSubstr("with a point"));
  EXPECT_THAT(read_text("a;b\n1;1,5\n").error().text(), HasSubstr("'1,5' has a decimal comma"));
  EXPECT_THAT(read_text("time,value\n2023-11-14,5\n1700000000,6\n").error().text(),
              HasSubstr("'1700000000' is no time like the first one, '2023-11-14'"));
  EXPECT_THAT(read_text("time,value\n1,5\n2\n").error().text(), HasSubstr("--skip-bad-rows"));
  EXPECT_THAT(read_text("time,value\n1,5\n2,\"6\n").error().text(),
              HasSubstr(":3: a quote opens here"));
}

TEST(Csv, BadRowsAreSkippedWhenAsked) {
  CsvOptions skip;
  skip.skip_bad_rows = true;
  const auto csv = read_text("time,value\n1,5\n2\n3,x\n4,6\n5,7\n", skip);
  ASSERT_TRUE(csv) << csv.error().text();
  EXPECT_THAT(csv->series.value, ElementsAre(5, 6, 7));
  EXPECT_EQ(csv->bad.rows, 2U);
  EXPECT_THAT(csv->warnings().at(0), HasSubstr("2 rows (the first: line 3) left out"));
  EXPECT_THAT(read_text("time,value\n1,5\n2\n3\n", skip).error().text(),
              HasSubstr("2 rows of 3 are bad"));
}

TEST(Csv, NothingToAnalyse) {
  EXPECT_THAT(read_text("").error().text(), HasSubstr("orders.csv is empty"));
  EXPECT_THAT(read_text("time,value\n").error().text(), HasSubstr("no row below"));
  EXPECT_THAT(read_text("time,value\n1,\n2,nan\n").error().text(), HasSubstr("no value that is"));
  EXPECT_THAT(read_text("a,b\nc,d\n").error().text(), HasSubstr("no column has numbers"));
}

TEST(Csv, WhatIsNoText) {
  EXPECT_THAT(read_text(std::string("\x1f\x8b\x08", 3)).error().text(), HasSubstr("zcat"));
  EXPECT_THAT(read_text("PAR1....").error().text(), HasSubstr("Parquet"));
  EXPECT_THAT(read_text(std::string("1,\0005\n", 5)).error().text(), HasSubstr("no text"));
  EXPECT_THAT(read_text(std::string(3 << 20, 'x')).error().text(), HasSubstr("without an end"));
  EXPECT_THAT(read_text("\xff\xfe"
                        "1")
                  .error()
                  .text(),
              HasSubstr("UTF-16"));
}

TEST(Csv, EndlessAndStrangeCellsAreCutInErrors) {
  const std::string error =
      read_text("time,value\n1,5\n2,\x1b[31m" + std::string(5000, 'z') + "\n").error().text();
  EXPECT_LT(error.size(), 300U);
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
}

TEST(Csv, ManyRowsAndLinesAcrossBlocks) {
  std::string text = "time,value\n";
  for (int i = 0; i < 200'000; i++)
    text += std::to_string(i) + "," + std::to_string(i % 100) + "\n";
  const auto csv = read_text(text);
  ASSERT_TRUE(csv) << csv.error().text();
  ASSERT_EQ(csv->series.at.size(), 200'000U);
  for (std::size_t i = 0; i < 200'000; i += 777) {
    ASSERT_EQ(csv->series.at[i], static_cast<double>(i));
    ASSERT_EQ(csv->series.value[i], static_cast<double>(i % 100));
  }
}

}  // namespace
}  // namespace nz::analyze
