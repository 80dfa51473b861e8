#include "analysis/baseline/named.h"

#include <gtest/gtest.h>

#include "analysis/regression/test_slices.h"

namespace nz::analysis {
namespace {

const std::string kOrders = "nearzero_orders_total", kMemory = "nearzero_process_memory_bytes";

// Twelve windows of 10 s.
std::vector<Window> windows(std::uint64_t seed, double slower, double orders, double memory) {
  MadeSlices made(seed);
  const auto slices = made.make(12, 400, [=](double, double v) { return slower * v; });
  std::vector<Window> all;
  for (std::size_t i = 0; i < slices.size(); i++) {
    Window w;
    w.from = slices[i].from;
    w.to = slices[i].to;
    WindowSeries latency, counter, gauge;
    latency.name = "nearzero_order_duration_seconds";
    latency.labels = {{"target", "demo"}};
    latency.histogram = slices[i].histogram;
    counter.name = kOrders;
    counter.change = 10 * orders * (1 + 0.01 * static_cast<double>(i % 3));
    gauge.name = kMemory;
    gauge.value = memory + static_cast<double>(i % 2);
    w.series = {latency, counter, gauge};
    all.push_back(w);
  }
  return all;
}

const Comparison* find(const std::vector<Comparison>& all, const std::string& name) {
  for (const Comparison& c : all) {
    if (c.of.name == name) return &c;
  }
  return nullptr;
}

TEST(NamedBaseline, TellsWhatMovedAndWhatDidNot) {
  const NamedBaseline baseline = baseline_of("release-1.4", windows(1, 1, 500, 1e6));
  EXPECT_EQ(baseline.to - baseline.from, 120);
  const auto all = compare(windows(2, 1.4, 500, 1e6), baseline);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].of.name, "nearzero_order_duration_seconds");
  EXPECT_TRUE(all[0].moved);
  EXPECT_NEAR(all[0].after / all[0].before, 1.4, 0.1);
  EXPECT_FALSE(find(all, kOrders)->moved);
  EXPECT_FALSE(find(all, kMemory)->moved);
  EXPECT_EQ(find(all, kOrders)->of.unit, "per second");
  EXPECT_EQ(find(all, kMemory)->of.unit, "bytes");
}

TEST(NamedBaseline, RatesAndGaugesToo) {
  const NamedBaseline baseline = baseline_of("b", windows(1, 1, 500, 1e6));
  const auto all = compare(windows(2, 1, 300, 2e6), baseline);
  EXPECT_TRUE(find(all, kOrders)->moved);
  EXPECT_NEAR(find(all, kOrders)->after, 303, 4);
  EXPECT_TRUE(find(all, kMemory)->moved);
  EXPECT_FALSE(find(all, "nearzero_order_duration_seconds")->moved);
}

TEST(NamedBaseline, KeepsHistogramsWholeThroughABlob) {
  const NamedBaseline baseline = baseline_of("release-1.4", windows(1, 1, 500, 1e6));
  const std::string blob = blob_of(baseline);
  EXPECT_LT(blob.size(), 4000U);
  const auto back = baseline_from(blob);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name, "release-1.4");
  EXPECT_EQ(back->from, baseline.from);
  ASSERT_EQ(back->series.size(), baseline.series.size());
  for (std::size_t i = 0; i < back->series.size(); i++) {
    EXPECT_EQ(back->series[i].values, baseline.series[i].values);
    EXPECT_EQ(back->series[i].labels, baseline.series[i].labels);
    EXPECT_EQ(merged(back->series[i].slices), merged(baseline.series[i].slices));
  }
}

TEST(NamedBaseline, DamagedBlobsAreRefused) {
  const std::string blob = blob_of(baseline_of("b", windows(1, 1, 500, 1e6)));
  for (std::size_t n = 0; n < blob.size(); n += 3) EXPECT_FALSE(baseline_from(blob.substr(0, n)));
  EXPECT_FALSE(baseline_from(blob + "x"));
  EXPECT_FALSE(baseline_from(std::string(50, '\xff')));
}

TEST(NamedBaseline, IsBounded) {
  const NamedBaseline baseline = baseline_of("b", windows(1, 1, 500, 1e6), 2);
  EXPECT_EQ(baseline.series.size(), 2U);
  EXPECT_EQ(baseline.left_out, 1U);
  EXPECT_TRUE(baseline_of("none", {}).series.empty());
  EXPECT_TRUE(compare({}, baseline).empty());
}

}  // namespace
}  // namespace nz::analysis
