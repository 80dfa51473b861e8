#include "userspace/cli/live_data.h"

#include <gtest/gtest.h>

namespace nz::cli {
namespace {

constexpr const char* kAnswer = R"({
  "nearzero_order_stage_duration_seconds": [
    {"labels": {"target": "demo", "stage": "risk"}, "zero": 1, "overflow": 2, "sum_ns": 5000,
     "window_min_ns": 10, "window_max_ns": 900, "buckets": [[3, 4], [255, 1]]},
    {"labels": {"target": "demo", "stage": "persist"}, "zero": 0, "overflow": 0, "sum_ns": 0,
     "window_min_ns": 0, "window_max_ns": 0, "buckets": []}
  ],
  "nearzero_drops_total": [{"labels": {"probe": "events", "cause": "ring_full"}, "value": 7}],
  "nearzero_off": [{"value": 1}],
  "nearzero_drain_duration_seconds": [{"value": null}]
})";

LiveData parsed(const std::string& text) {
  auto data = parse_live(text);
  EXPECT_TRUE(data.has_value()) << data.error().text();
  return data ? *data : LiveData{};
}

TEST(ParseLive, HistogramsAndValues) {
  const LiveData data = parsed(kAnswer);
  ASSERT_EQ(data.histograms.size(), 2U);
  const auto& h = data.histograms.at(
      {"nearzero_order_stage_duration_seconds", {{"target", "demo"}, {"stage", "risk"}}});
  EXPECT_EQ(h.zero, 1U);
  EXPECT_EQ(h.overflow, 2U);
  EXPECT_EQ(h.sum_ns, 5000U);
  EXPECT_EQ(h.min_ns, 10U);
  EXPECT_EQ(h.max_ns, 900U);
  EXPECT_EQ(h.buckets[3], 4U);
  EXPECT_EQ(h.buckets[255], 1U);
  EXPECT_EQ(h.count(), 8U);
  EXPECT_EQ(data.values.at({"nearzero_drops_total", {{"probe", "events"}, {"cause", "ring_full"}}}),
            7);
  EXPECT_EQ(data.values.at({"nearzero_off", {}}), 1);
}

TEST(ParseLive, NullIsANumberThatJsonCannotWrite) {
  EXPECT_EQ(parsed(kAnswer).values.at({"nearzero_drain_duration_seconds", {}}), 0);
}

TEST(ParseLive, AnythingElseIsAnErrorNotACrash) {
  for (
      const char* text :
      {"", "not json", "[1,2]", "7", R"({"a": [{"value": "x"}]})", R"({"a": [{}]})",
       R"({"a": [[]]})", R"({"a": [{"buckets": [[1, 2]]}]})",
       // A bucket that the layout does not have: another version's agent.
       R"({"a": [{"zero":0,"overflow":0,"sum_ns":0,"window_min_ns":0,"window_max_ns":0,"buckets":[[256,1]]}]})",
       R"({"a": [{"zero":0,"overflow":0,"sum_ns":0,"window_min_ns":0,"window_max_ns":0,"buckets":[[-1,1]]}]})",
       R"({"a": [{"labels": {"x": 1}, "value": 1}]})"}) {
    const auto data = parse_live(text);
    EXPECT_FALSE(data.has_value()) << text;
    if (data) continue;
    EXPECT_NE(data.error().text().find("same version"), std::string::npos);
  }
}

TEST(ParseLive, AnEmptyAgentIsNoError) { EXPECT_TRUE(parsed("{}").histograms.empty()); }

TEST(Since, HistogramsAndCountersGrowGaugesStand) {
  LiveData before;
  LiveData now;
  const LiveData::Key h{"nearzero_x_seconds", {{"target", "a"}}};
  const LiveData::Key fresh{"nearzero_x_seconds", {{"target", "b"}}};
  before.histograms[h].buckets[5] = 10;
  before.histograms[h].sum_ns = 100;
  before.histograms[h].max_ns = 99;
  now.histograms[h].buckets[5] = 14;
  now.histograms[h].sum_ns = 160;
  now.histograms[h].max_ns = 42;
  now.histograms[h].min_ns = 3;
  now.histograms[fresh].zero = 2;
  before.values[{"nearzero_drops_total", {}}] = 5;
  now.values[{"nearzero_drops_total", {}}] = 8;
  before.values[{"nearzero_off", {}}] = 1;
  now.values[{"nearzero_off", {}}] = 1;
  now.values[{"nearzero_new_total", {}}] = 4;

  const LiveData window = now.since(before);
  EXPECT_EQ(window.histograms.at(h).buckets[5], 4U);
  EXPECT_EQ(window.histograms.at(h).sum_ns, 60U);
  EXPECT_EQ(window.histograms.at(h).max_ns, 42U) << "the agent's own window";
  EXPECT_EQ(window.histograms.at(h).min_ns, 3U);
  EXPECT_EQ(window.histograms.at(fresh).count(), 2U);
  EXPECT_EQ(window.values.at({"nearzero_drops_total", {}}), 3);
  EXPECT_EQ(window.values.at({"nearzero_off", {}}), 1);
  EXPECT_EQ(window.values.at({"nearzero_new_total", {}}), 4);
}

TEST(FetchLive, NobodyThere) {
  const auto data = fetch_live("http://127.0.0.1:1");
  ASSERT_FALSE(data.has_value());
  EXPECT_NE(data.error().text().find("no agent answers at http://127.0.0.1:1"), std::string::npos);
  EXPECT_NE(data.error().text().find("nearzero agent"), std::string::npos);
}

TEST(FetchLive, NoUrl) {
  for (const char* url : {"", "not a url", "ftp://127.0.0.1", "http://"}) {
    EXPECT_FALSE(fetch_live(url).has_value()) << url;
  }
}

}  // namespace
}  // namespace nz::cli
