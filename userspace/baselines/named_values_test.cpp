#include "userspace/baselines/named_values.h"

#include <gtest/gtest.h>

#include "userspace/baselines/named.h"
#include "userspace/store/test_store.h"

namespace nz::baselines {
namespace {

using store::testing::Folder;
using store::testing::open_store;

constexpr const char* kOrders = "nearzero_order_stage_duration_seconds";

analysis::Labels stage(const std::string& name) { return {{"stage", name}, {"target", "demo"}}; }

/// Twelve windows of a minute: orders of `ms`, half as long in every fourth; a counter of 5 a
/// second, memory of two processes.
analysis::NamedBaseline made(const std::string& name, std::uint64_t ms) {
  std::vector<analysis::Window> windows;
  for (int i = 0; i < 12; i++) {
    analysis::Window w;
    w.from = 1000 + 60 * i;
    w.to = w.from + 60;
    for (const char* of : {"risk", "send"}) {
      auto h = std::make_shared<analysis::Histogram>();
      for (int k = 0; k < 120; k++) h->record((i % 4 == 0 ? ms * 500'000 : ms * 1'000'000));
      w.series.push_back({kOrders, stage(of), 0, 0, 0, 0, h});
    }
    w.series.push_back({"nearzero_orders_total", stage("risk"), 300, 0, 0, 0, nullptr});
    for (const char* target : {"a", "b"})
      w.series.push_back(
          {"nearzero_memory_bytes", {{"target", target}}, 0, 1e6, 1e6, 1e6, nullptr});
    windows.push_back(std::move(w));
  }
  return analysis::baseline_of(name, windows);
}

TEST(ValueOf, AnyStatisticOfHistogramsAndGroups) {
  const auto baseline = made("b", 1);
  const auto value = [&](const char* name, const analysis::Labels& labels, const char* statistic) {
    return value_of(baseline, {name, labels, statistic, ""});
  };
  EXPECT_NEAR(value(kOrders, stage("risk"), "p50")->middle, 1e-3, 0.05e-3);
  EXPECT_NEAR(value(kOrders, stage("risk"), "p99.9")->middle, 1e-3, 0.05e-3);
  EXPECT_NEAR(value(kOrders, stage("risk"), "mean")->middle, 0.875e-3, 1e-9);
  EXPECT_EQ(value(kOrders, stage("risk"), "rate")->middle, 2);
  EXPECT_EQ(value(kOrders, {{"target", "demo"}}, "rate")->middle, 4) << "both stages";
  EXPECT_EQ(value("nearzero_orders_total", stage("risk"), "rate")->middle, 5);
  EXPECT_EQ(value("nearzero_memory_bytes", {}, "value")->middle, 2e6);
  for (const char* none : {"value", "increase", "max", "nonsense"})
    EXPECT_FALSE(value(kOrders, stage("risk"), none)) << none;
  EXPECT_FALSE(value("nearzero_orders_total", stage("risk"), "value"));
  EXPECT_FALSE(value(kOrders, stage("other"), "p50"));
  EXPECT_FALSE(value("nearzero_other", {}, "p50"));
}

TEST(ValueOf, ItsSpreadIsThatOfTheSlices) {
  std::vector<analysis::Window> windows;
  for (int i = 0; i < 9; i++) {
    analysis::Window w;
    w.from = 60 * i;
    w.to = w.from + 60;
    w.series.push_back({"nearzero_x", {}, 0, 100.0 + i, 0, 0, nullptr});
    windows.push_back(std::move(w));
  }
  const auto baseline = analysis::baseline_of("b", windows);
  const auto value = value_of(baseline, {"nearzero_x", {}, "value", ""});
  ASSERT_TRUE(value);
  EXPECT_EQ(value->middle, 104);
  EXPECT_NEAR(value->spread, 2 * 1.4826, 0.01);
}

TEST(NamedValues, AreKnownAfterTheNextRefreshAndFollowTheFile) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  ASSERT_TRUE(store->flush());
  NamedValues values(*store);
  const analysis::Quantity p50{kOrders, stage("risk"), "p50", "seconds"};
  EXPECT_FALSE(values.value(p50, "release-1.4"));
  values.refresh();
  EXPECT_FALSE(values.value(p50, "release-1.4")) << "there is none";

  ASSERT_TRUE(keep(folder.file(), made("release-1.4", 1), 1, false));
  EXPECT_FALSE(values.value(p50, "release-1.4"));
  values.refresh();
  ASSERT_TRUE(values.value(p50, "release-1.4"));
  EXPECT_NEAR(values.value(p50, "release-1.4")->middle, 1e-3, 0.05e-3);
  EXPECT_FALSE(values.value(p50, "other"));

  ASSERT_TRUE(keep(folder.file(), made("release-1.4", 2), 2, true));
  values.refresh();
  EXPECT_NEAR(values.value(p50, "release-1.4")->middle, 2e-3, 0.1e-3);

  ASSERT_TRUE(remove(folder.file(), "release-1.4"));
  values.refresh();
  EXPECT_FALSE(values.value(p50, "release-1.4"));
  ASSERT_TRUE(keep(folder.file(), made("release-1.4", 3), 3, false));
  values.refresh();
  EXPECT_TRUE(values.value(p50, "release-1.4"));
  EXPECT_EQ(values.errors(), 0U);
}

TEST(StoredValues, AreReadAtOnce) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  ASSERT_TRUE(store->flush());
  ASSERT_TRUE(keep(folder.file(), made("release-1.4", 1), 1, false));
  ASSERT_TRUE(store->put_state("baseline/head/broken", "{}"));
  ASSERT_TRUE(store->put_state("baseline/named/broken", "x"));
  ASSERT_TRUE(store->flush());
  auto reader = store::Reader::open(folder.file());
  ASSERT_TRUE(reader) << reader.error().text();
  StoredValues values(**reader);
  const analysis::Quantity p50{kOrders, stage("risk"), "p50", "seconds"};
  for (int twice = 0; twice < 2; twice++) {
    const auto value = values.value(p50, "release-1.4");
    ASSERT_TRUE(value);
    EXPECT_NEAR(value->middle, 1e-3, 0.05e-3);
    EXPECT_FALSE(values.value({kOrders, stage("other"), "p50", "seconds"}, "release-1.4"));
    EXPECT_FALSE(values.value(p50, "hour_of_week")) << "what the agent learns is no named one";
    EXPECT_FALSE(values.value(p50, "broken"));
    EXPECT_EQ(values.problems().size(), 1U) << "said once";
  }
}

TEST(NamedValues, AreBoundedAndForgotten) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  NamedValues values(*store);
  for (int i = 0; i < 5000; i++) {
    static_cast<void>(
        values.value({kOrders, stage(std::to_string(i)), "p50", "seconds"}, "release-1.4"));
  }
  EXPECT_EQ(values.dropped(), 5000U - 4096U);
  for (int i = 0; i < 61; i++) values.refresh();
  static_cast<void>(values.value({kOrders, stage("risk"), "p50", "seconds"}, "release-1.4"));
  EXPECT_EQ(values.dropped(), 5000U - 4096U) << "there is room again";
}

TEST(NamedValues, DamagedOnesAreCounted) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  ASSERT_TRUE(store->put_state("baseline/head/a", "{}"));
  ASSERT_TRUE(store->put_state("baseline/named/a", "x"));
  NamedValues values(*store);
  const analysis::Quantity p50{kOrders, stage("risk"), "p50", "seconds"};
  EXPECT_FALSE(values.value(p50, "a"));
  values.refresh();
  values.refresh();
  EXPECT_FALSE(values.value(p50, "a"));
  EXPECT_EQ(values.errors(), 1U) << "looked at once";
}

}  // namespace
}  // namespace nz::baselines
