// `nearzero analyze` as people and programs run it: exit codes, streams, files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

using nlohmann::json;

const std::string kLatency = std::string(NZ_SOURCE) + "/docs/analyze/latency.csv";
const std::string kDisk = std::string(NZ_SOURCE) + "/docs/analyze/disk.csv";

// The sample has a step at 14:03, minute 843.
TEST(Analyze, ChangesNameTheMinute) {
  const Outcome o = run({"analyze", "changes", kLatency, "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const json object = json::parse(o.out);
  ASSERT_EQ(object["indices"].size(), 1U) << o.out;
  EXPECT_NEAR(object["indices"][0].get<double>(), 843, 10);
  EXPECT_TRUE(says(object["changes"][0]["time"].get<std::string>(), {"2026-11-24T1"}));
  EXPECT_NEAR(object["changes"][0]["size"].get<double>(), 0.25, 0.1);
  EXPECT_TRUE(says(o.err, {"5 rows (the first: line 642) without a value"}));
}

TEST(Analyze, EveryPointHasAScore) {
  const Outcome o = run({"analyze", "anomalies", kLatency, "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const auto lines = json_lines(o.out);
  ASSERT_EQ(lines.size(), 1440U);
  // The stalls stand out from everything.
  for (const std::size_t stall : {311U, 900U}) EXPECT_GT(lines[stall]["score"], 0.97) << stall;
  EXPECT_TRUE(lines[640]["value"].is_null());
}

TEST(Analyze, TheDiskIsFullInThreeWeeks) {
  const Outcome o = run({"analyze", "trend", kDisk, "--limit", "90", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const json object = json::parse(o.out);
  EXPECT_TRUE(object["significant"].get<bool>());
  EXPECT_EQ(object["forecast"]["outcome"], "ahead");
  const double end = object["to"].get<double>();
  // 1.2 % a day from 54.4 %.
  EXPECT_NEAR((object["forecast"]["likeliest"].get<double>() - end) / 86400, 29, 4);
}

TEST(Analyze, ReadsStandardInput) {
  Program program(
      {"/bin/bash", "-c", "cat " + kLatency + " | " + NZ_AGENT + " analyze changes - -f json"});
  EXPECT_EQ(program.wait(30), 0) << program.err();
  EXPECT_EQ(json::parse(program.out())["file"], "standard input");
}

TEST(Analyze, DrawsAFile) {
  const std::string svg = temporary_file("changes.svg", "");
  const Outcome o = run({"analyze", "changes", kLatency, "--plot", svg});
  EXPECT_EQ(o.code, 0) << o.err;
  std::ifstream file(svg);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(says(text.str(), {"<svg", "class=\"change\"", "p99_ms", "</svg>"}));
}

TEST(Analyze, SaysWhatIsWrongAndEndsWithItsCode) {
  Outcome o = run({"analyze", "changes", "/nowhere/latency.csv"});
  EXPECT_EQ(o.code, 9);
  EXPECT_TRUE(says(o.err, {"/nowhere/latency.csv", "No such file"}));
  o = run({"analyze", "changes", "/"});
  EXPECT_EQ(o.code, 1);
  EXPECT_TRUE(says(o.err, {"Is a directory"}));
  o = run({"analyze", "changes", kLatency, "--value-column", "p50"});
  EXPECT_EQ(o.code, 1);
  EXPECT_TRUE(says(o.err, {"no value column 'p50'", "timestamp, p99_ms"}));
  EXPECT_EQ(run({"analyze", "changes", kLatency, "--delimiter", "ab"}).code, 2);
  EXPECT_EQ(run({"analyze", "trend", kDisk, "--season", "soon"}).code, 2);
  EXPECT_EQ(run({"analyze", "guess", kLatency}).code, 2);
  EXPECT_EQ(run({"analyze", "anomalies", kLatency, "--threshold", "2"}).code, 2);
  o = run({"analyze", "changes", kLatency, "--plot", "/nowhere/x.svg"});
  EXPECT_EQ(o.code, 1);
  EXPECT_TRUE(says(o.out, {"1 change"})) << "the answer is printed all the same";
  Program full({"/bin/bash", "-c",
                std::string(NZ_AGENT) + " analyze anomalies " + kLatency + " -f json > /dev/full"});
  EXPECT_EQ(full.wait(30), 1);
}

}  // namespace
}  // namespace nz::live
