// `nearzero baseline` as people and programs run it, on a history that was imported.
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <string>

#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

using nlohmann::json;

// Minutes of the last two hours and a half; in the last hour orders take twice as long.
std::string history() {
  const auto now = std::time(nullptr);
  std::string lines;
  for (int minute = 150; minute > 0; minute--) {
    const std::string times = R"("level":"minute","from":)" + std::to_string(now - 60 * minute) +
                              R"(,"to":)" + std::to_string(now - 60 * (minute - 1));
    const int bucket = minute > 60 ? 112 : 120;  // 0.98 to 1.07 ms, twice that
    const int more = 200 + 10 * (minute % 3);
    lines +=
        R"({"series":"nearzero_order_stage_duration_seconds","labels":{"target":"demo","stage":"risk"},)"
        R"("type":"histogram",)" +
        times + R"(,"buckets":[[)" + std::to_string(bucket) + "," + std::to_string(more) + "],[" +
        std::to_string(bucket + 1) + "," + std::to_string(300 - more) +
        R"(]],"sum_ns":300000000})" + "\n" +
        R"({"series":"nearzero_target_threads","labels":{"target":"demo"},"type":"gauge",)" +
        times + R"(,"value":8})" + "\n";
  }
  const std::string db = temporary_file("baseline.db", "");
  std::filesystem::remove(db);
  const Outcome o = run({"history", "import", temporary_file("minutes.jsonl", lines), "--db", db});
  EXPECT_EQ(o.code, 0) << o.err;
  return db;
}

TEST(Baseline, WhatMovedSinceStandsFirst) {
  const std::string db = history();
  const Outcome set =
      run({"baseline", "set", "release-1.4", "--from", "-150m", "--to", "-65m", "--db", db});
  ASSERT_EQ(set.code, 0) << set.err;
  EXPECT_TRUE(says(set.out, {"release-1.4: 2 series from "}));

  const Outcome list = run({"baseline", "list", "--db", db});
  ASSERT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(says(list.out, {"NAME", "release-1.4"}));

  const Outcome show = run({"baseline", "show", "release-1.4", "--db", db});
  ASSERT_EQ(show.code, 0) << show.err;
  EXPECT_TRUE(says(show.out, {"P99", "stage=\"risk\"} p50", "nearzero_target_threads", "8"}));

  const Outcome table = run({"baseline", "show", "release-1.4", "--compare", "--db", db});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_TRUE(says(table.out, {"SIGNIFICANT", "yes, ", "1 of 2 series moved"}));

  const Outcome o = run({"baseline", "show", "release-1.4", "--compare", "-f", "json", "--db", db});
  ASSERT_EQ(o.code, 0) << o.err;
  const json object = json::parse(o.out);
  ASSERT_EQ(object["series"].size(), 2U);
  const json& orders = object["series"][0];
  EXPECT_EQ(orders["name"], "nearzero_order_stage_duration_seconds");
  EXPECT_TRUE(orders["significant"].get<bool>());
  EXPECT_NEAR(orders["after"].get<double>() / orders["before"].get<double>(), 2, 0.02);
  EXPECT_FALSE(object["series"][1]["significant"].get<bool>());

  ASSERT_EQ(run({"baseline", "remove", "release-1.4", "--db", db}).code, 0);
  EXPECT_TRUE(says(run({"baseline", "list", "--db", db}).out, {"No baseline is kept"}));
}

TEST(Baseline, MistakesAreTold) {
  const std::string db = history();
  const auto baseline = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "baseline");
    words.insert(words.end(), {"--db", db});
    return run(words);
  };
  ASSERT_EQ(baseline({"set", "a"}).code, 0);
  const Outcome twice = baseline({"set", "a"});
  EXPECT_EQ(twice.code, 1);
  EXPECT_TRUE(says(twice.err, {"there is a baseline 'a' already", "--replace"}));
  EXPECT_EQ(baseline({"set", "a", "--replace"}).code, 0);
  const Outcome none = baseline({"show", "b"});
  EXPECT_EQ(none.code, 9);
  EXPECT_TRUE(says(none.err, {"there is no baseline 'b'", "there are: a"}));
  EXPECT_EQ(baseline({"remove", "b"}).code, 9);
  for (const char* odd : {"a b", "a/b", "", "hour_of_week", "\x1b[31m"}) {
    const Outcome o = baseline({"set", odd});
    EXPECT_EQ(o.code, 2) << odd;
    EXPECT_EQ(o.err.find('\x1b'), std::string::npos);
  }
  const Outcome empty = baseline({"set", "c", "--from", "-10d", "--to", "-9d"});
  EXPECT_EQ(empty.code, 9);
  EXPECT_TRUE(says(empty.err, {"nothing was recorded from", "nearzero history info"}));
  EXPECT_EQ(baseline({"set", "c", "--from", "-30s"}).code, 2);
  EXPECT_EQ(baseline({"set", "c", "--from", "yesterday"}).code, 2);
  EXPECT_EQ(baseline({"set", "c", "--from", "-1h", "--to", "-2h"}).code, 2);
  EXPECT_EQ(baseline({"show", "a", "--from", "-1h"}).code, 2);
  EXPECT_EQ(baseline({"list", "a"}).code, 2);
  EXPECT_EQ(run({"baseline", "list", "--db", "/nowhere/history.db"}).code, 9);
}

}  // namespace
}  // namespace nz::live
