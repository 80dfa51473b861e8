// What is printed about a file: tables, JSON, pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "userspace/analyze/anomalies.h"
#include "userspace/analyze/changes.h"
#include "userspace/analyze/order.h"
#include "userspace/analyze/picture.h"
#include "userspace/analyze/test_csv.h"
#include "userspace/analyze/trend_output.h"

namespace nz::analyze {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// 10 s apart; value(i) with noise.
template <class Value>
std::string rows(int n, const Value& value, double noise = 1) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, noise);
  std::string text = "timestamp,value\n";
  for (int i = 0; i < n; i++)
    text += std::to_string(1'700'000'000 + 10 * i) + "," +
            std::to_string(value(i) + normal(random)) + "\n";
  return text;
}

std::vector<json> scores_of(const CsvSeries& csv) {
  std::string out;
  const Scores scores = score_points(csv);
  EXPECT_TRUE(write_scores(csv, scores, [&](const std::string& block) {
    out += block;
    return true;
  }));
  std::vector<json> lines;
  std::istringstream in(out);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(Anomalies, OneLineAPointInTheOrderOfTheFile) {
  const auto csv = read_text(rows(1000, [](int i) { return i == 700 ? 300 : 100; }));
  const auto lines = scores_of(*csv);
  ASSERT_EQ(lines.size(), 1000U);
  std::size_t best = 0;
  for (std::size_t i = 0; i < lines.size(); i++) {
    EXPECT_EQ(lines[i]["index"], i);
    EXPECT_EQ(lines[i]["timestamp"], 1'700'000'000 + 10 * i);
    EXPECT_GE(lines[i]["score"], 0.0);
    EXPECT_LE(lines[i]["score"], 1.0);
    if (lines[i]["score"] > lines[best]["score"]) best = i;
  }
  EXPECT_EQ(best, 700U);
}

TEST(Anomalies, MissingValuesAreNullAndScoreNothing) {
  const auto csv = read_text("1,5\n2,\n3,inf\n4,5\n");
  const auto lines = scores_of(*csv);
  EXPECT_TRUE(lines[1]["value"].is_null());
  EXPECT_EQ(lines[1]["score"], 0);
  EXPECT_TRUE(lines[2]["value"].is_null());
}

TEST(Anomalies, EachLineIsJsonWhateverTheValues) {
  std::string text = rows(300, [](int i) { return i == 200 ? 1e300 : 100; });
  int time = 1'700'003'000;
  for (const char* value : {"nan", "inf", "-inf", "1e308", "-1e308", "100", ""})
    text += std::to_string(time++) + "," + value + "\n";
  const auto csv = read_text("timestamp,value\n1699999999,1e300\n" + text.substr(16));
  ASSERT_TRUE(csv) << csv.error().text();
  const auto lines = scores_of(*csv);
  ASSERT_EQ(lines.size(), 308U);
  for (const json& line : lines) {
    ASSERT_TRUE(line["score"].is_number()) << line;
    EXPECT_TRUE(line["value"].is_number() || line["value"].is_null()) << line;
  }
  EXPECT_EQ(lines[301]["score"], 0) << "missing";
  EXPECT_EQ(lines[302]["score"], 1) << "infinite";
  EXPECT_TRUE(lines[303]["value"].is_null());
}

TEST(Anomalies, ConstantSeriesHaveNone) {
  std::string text = "time,value\n";
  for (int i = 0; i < 500; i++) text += std::to_string(i) + ",42\n";
  const auto csv = read_text(text);
  for (const json& line : scores_of(*csv)) EXPECT_LT(line["score"], 0.9);
}

TEST(Anomalies, NewestFirstFilesAreJudgedInTheOrderOfTime) {
  const auto forward = read_text("1,5\n2,6\n3,5\n4,90\n5,6\n");
  const auto backward = read_text("5,6\n4,90\n3,5\n2,6\n1,5\n");
  const Scores a = score_points(*forward), b = score_points(*backward);
  for (std::size_t i = 0; i < 5; i++) EXPECT_EQ(a.score[i], b.score[4 - i]);
}

TEST(Anomalies, NeighboursAreOneEpisode) {
  Scores scores;
  scores.score = {0, 0.995, 0, 0.999, 0, 0, 0, 0, 0, 0.99};
  const auto all = episodes(scores, 0.99);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].first, 1U);
  EXPECT_EQ(all[0].last, 3U);
  EXPECT_EQ(all[0].worst, 3U);
  EXPECT_EQ(all[0].points, 2U);
}

TEST(Anomalies, TableSaysHowManyAreNotShown) {
  const auto csv = read_text("1,5\n2,6\n3,5\n4,90\n5,6\n6,1\n7,1\n8,1\n9,1\n10,1\n");
  Scores scores;
  scores.score = {0.995, 0, 0, 0, 0, 0, 0, 0, 0, 0.999};
  scores.expected.assign(10, std::nan(""));
  const std::string table = anomaly_table(*csv, scores, 0.99, 1, 0);
  EXPECT_THAT(table, HasSubstr("2 anomalies at a score of 0.99 or more; the 1 strangest"));
  EXPECT_THAT(table, HasSubstr("0.9990"));
  EXPECT_THAT(table, Not(HasSubstr("0.9950")));
}

TEST(Anomalies, AReaderThatHasGoneIsTold) {
  const auto csv = read_text("1,5\n2,6\n");
  EXPECT_FALSE(write_scores(*csv, score_points(*csv), [](const std::string&) { return false; }));
}

TEST(Changes, OneObjectWithIndices) {
  const auto csv = read_text(rows(
      400, [](int i) { return i < 250 ? 100 : 130; }, 5));
  const auto found = find_changes(*csv);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0].index), 250, 3);
  const json object = json::parse(changes_json(*csv, found));
  EXPECT_EQ(object["indices"], json::array({found[0].index}));
  EXPECT_EQ(object["changes"][0]["time"], 1'700'000'000 + 10 * found[0].index);
  EXPECT_NEAR(object["changes"][0]["size"].get<double>(), 0.3, 0.05);
  EXPECT_GT(object["changes"][0]["confidence"], 0.9);
  EXPECT_THAT(change_table(*csv, found, 0), HasSubstr("1 change"));
  EXPECT_THAT(change_table(*csv, found, 0), HasSubstr("+"));
}

TEST(Changes, NoneIsAnEmptyList) {
  const auto csv = read_text(rows(
      300, [](int) { return 100; }, 5));
  const json object = json::parse(changes_json(*csv, {}));
  EXPECT_TRUE(object["indices"].is_array());
  EXPECT_TRUE(object["indices"].empty());
  EXPECT_EQ(object["points"], 300);
}

TEST(Changes, MissingRowsDoNotShiftTheIndex) {
  std::string text = "timestamp,value\n";
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(0, 3);
  std::size_t row = 0, first_after = 0;
  for (int i = 0; i < 400; i++) {
    if (i >= 100 && i < 140) continue;  // nothing was measured
    if (i == 250) first_after = row;
    text += std::to_string(1'700'000'000 + 10 * i) + "," +
            std::to_string((i < 250 ? 100 : 150) + normal(random)) + "\n";
    row++;
  }
  const auto found = find_changes(*read_text(text));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0].index), static_cast<double>(first_after), 2);
}

TEST(Even, HolesBecomeMissingValues) {
  const auto csv =
      read_text("10,1\n20,2\n30,3\n60,6\n70,7\n80,8\n90,9\n100,10\n110,11\n120,12\n130,13\n");
  const Even e = even(csv->series);
  EXPECT_EQ(e.step, 10);
  ASSERT_EQ(e.value.size(), 13U);
  EXPECT_TRUE(std::isnan(e.value[3]));
  EXPECT_EQ(e.point[3], 3U);
  EXPECT_EQ(e.value[5], 6);
}

TEST(Even, UnevenTimesStayAsTheyAre) {
  const auto csv = read_text("1,1\n2,2\n4.5,3\n9.1,4\n11.7,5\n");
  EXPECT_EQ(even(csv->series).step, 0);
  EXPECT_EQ(even(csv->series).value.size(), 5U);
}

TEST(TrendOutput, SlopePerDayAndForecast) {
  // 0.864 a day per second of 1e-5: 10 s points.
  const auto csv = read_text(rows(
      2000, [](int i) { return 50 + 0.001 * i; }, 0.1));
  TrendQuestion question;
  question.limit = 60;
  question.bound = analysis::Bound::upper;
  const auto answer = find_trend(*csv, question);
  const json object = json::parse(trend_json(*csv, answer));
  EXPECT_NEAR(object["slope"].get<double>(), 8.64, 0.2);
  EXPECT_EQ(object["slope_per"], "day");
  EXPECT_TRUE(object["significant"]);
  EXPECT_EQ(object["forecast"]["outcome"], "ahead");
  EXPECT_NEAR(object["forecast"]["likeliest"].get<double>(), 1'700'000'000 + 100'000, 4000);
  EXPECT_LE(object["forecast"]["earliest"], object["forecast"]["likeliest"]);
  EXPECT_GE(object["forecast"]["latest"], object["forecast"]["likeliest"]);
  EXPECT_THAT(trend_text(*csv, answer), HasSubstr("per day"));
  EXPECT_THAT(trend_text(*csv, answer), HasSubstr("60 is reached at 2023-11-16"));
}

TEST(TrendOutput, ConstantAndOnePoint) {
  const auto constant = read_text("1,5\n2,5\n3,5\n");
  EXPECT_THAT(trend_text(*constant, find_trend(*constant, {})),
              HasSubstr("none: all values are the same"));
  const auto one = read_text("2023-11-14,5\n");
  const json object = json::parse(trend_json(*one, find_trend(*one, {})));
  EXPECT_FALSE(object["significant"]);
  EXPECT_TRUE(object["forecast"].is_null());
}

TEST(Svg, IsOneFileWithEscapedTextsAndBoundedPoints) {
  auto csv = read_text(rows(100'000, [](int i) { return i == 70'000 ? 500 : 100; }));
  csv->name = "<script>&\"x\".csv";
  const std::string svg = draw(picture_of(*csv, std::vector<Episode>{{70'000, 70'000, 70'000, 1}}));
  EXPECT_LT(svg.size(), 60'000U);
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&amp;"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, HasSubstr("class=\"point\""));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Svg, StrangeSeriesDrawSomething) {
  for (const char* text : {"1,5\n", "1,5\n2,5\n", "1,-1e300\n2,1e300\n", "1,inf\n2,5\n3,\n4,6\n"}) {
    const auto csv = read_text(text);
    const std::string svg = draw(picture_of(*csv, find_trend(*csv, {})));
    EXPECT_THAT(svg, HasSubstr("</svg>")) << text;
    EXPECT_THAT(svg, Not(HasSubstr("nan"))) << text;
    EXPECT_THAT(svg, Not(HasSubstr("inf"))) << text;
  }
}

}  // namespace
}  // namespace nz::analyze
