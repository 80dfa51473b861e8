#include "userspace/report/gather.h"

#include <gtest/gtest.h>

#include "userspace/history/test_families.h"
#include "userspace/report/report.h"

namespace nz::report {
namespace {

using namespace history::testing;

constexpr double kStart = 1'795'769'400;

// Half an hour of a stage: 20 orders a second of 1 ms, from the 20th minute on of 4 ms, of which a
// duty cycle shows the half.
class Gather : public ::testing::Test {
 protected:
  Gather() {
    analysis::Histogram order, slices;
    for (int s = 0; s <= 1800; s += 10) {
      if (s > 0) {
        for (int i = 0; i < 100; i++) order.record(s > 1200 ? 4'000'000 : 1'000'000);
        for (int i = 0; i < 10; i++) slices.record(50'000'000);
      }
      history_.add(
          kStart + s,
          {histogram("nearzero_order_stage_duration_seconds", order,
                     {{"target", "demo"}, {"stage", "order"}}),
           histogram("nearzero_oncpu_slice_seconds", slices, {{"target", "demo"}}),
           counter("nearzero_probe_observed_seconds_total", 0.5 * s,
                   {{"probe", "stages"}, {"target", "demo"}}),
           counter("nearzero_host_cpu_seconds_total", 0.25 * s, {{"cpu", "0"}, {"mode", "user"}}),
           counter("nearzero_host_cpu_seconds_total", 0.75 * s, {{"cpu", "0"}, {"mode", "idle"}}),
           counter("nearzero_disk_busy_seconds_total", 0.5 * s, {{"device", "vda"}})});
    }
  }
  const TrendLine* line(const Input& input, const std::string& name, const std::string& statistic) {
    for (const TrendLine& l : input.trends) {
      if (l.of.name == name && l.of.statistic == statistic) return &l;
    }
    return nullptr;
  }
  history::History history_{{.resolution = 10, .length = 3600}};
  MemoryData data_{history_};
};

TEST_F(Gather, TwoWindowsAndTheirTrends) {
  const double to = kStart + 1800;
  const Input input = gather(data_, to - 600, to, Compare{});
  EXPECT_EQ(input.now.seconds(), 600);
  EXPECT_EQ(input.before.seconds(), 600);
  EXPECT_EQ(input.before_name, "the 10 min before");
  EXPECT_TRUE(input.range_covered);
  const TrendLine* p99 = line(input, "nearzero_order_stage_duration_seconds", "p99");
  ASSERT_NE(p99, nullptr);
  ASSERT_EQ(p99->now.size(), 60U);
  EXPECT_NEAR(p99->now.back().value, 0.004, 0.0002);
  ASSERT_EQ(p99->before.size(), 60U);
  EXPECT_NEAR(p99->before.back().value, 0.001, 0.00005);
  EXPECT_EQ(p99->before.back().at, p99->now.back().at) << "moved forward, to lie behind";
  const TrendLine* rate = line(input, "nearzero_order_stage_duration_seconds", "rate");
  ASSERT_NE(rate, nullptr);
  EXPECT_NEAR(rate->now[30].value, 20, 0.01);
  const TrendLine* busy = line(input, "nearzero_host_cpu_seconds_total", "rate");
  ASSERT_NE(busy, nullptr);
  EXPECT_NEAR(busy->now[30].value, 0.25, 0.001);
  const TrendLine* disk = line(input, "nearzero_disk_busy_seconds_total", "rate");
  ASSERT_NE(disk, nullptr);
  EXPECT_NEAR(disk->now[30].value, 0.5, 0.001);
}

TEST_F(Gather, TheReportTellsTheChange) {
  const double to = kStart + 1800;
  const Document d = make_report(gather(data_, to - 600, to, Compare{}));
  ASSERT_FALSE(d.figures.empty());
  EXPECT_EQ(d.figures[0].label, "demo: orders");
  EXPECT_EQ(d.figures[0].change, "as before");
  EXPECT_EQ(d.figures[2].label, "demo: p99");
  EXPECT_TRUE(d.figures[2].change.starts_with("\xC3\x97 ")) << d.figures[2].change;
  EXPECT_EQ(d.figures[2].tone, Tone::bad);
}

TEST_F(Gather, WithoutAComparison) {
  const double to = kStart + 1800;
  const Input none = gather(data_, to - 600, to, Compare{Compare::Kind::none, 0});
  EXPECT_TRUE(none.before.series.empty());
  EXPECT_EQ(none.before_name, "");
  EXPECT_EQ(none.no_before, "");
  // A day ago there was no history.
  const Input day = gather(data_, to - 600, to, *parse_compare("1d"));
  EXPECT_TRUE(day.before.series.empty());
  EXPECT_EQ(day.before_name, "the same time 1 d before");
  EXPECT_NE(day.no_before, "");
  for (const TrendLine& l : day.trends) EXPECT_TRUE(l.before.empty());
}

TEST_F(Gather, BeforeHistory) {
  const Input input = gather(data_, kStart - 600, kStart + 600, Compare{});
  EXPECT_FALSE(input.range_covered);
  EXPECT_EQ(input.history_from, kStart);
  const history::History nothing{{.resolution = 10, .length = 3600}};
  const MemoryData empty(nothing);
  const Input none = gather(empty, kStart, kStart + 600, Compare{});
  EXPECT_TRUE(none.now.series.empty());
  EXPECT_EQ(none.no_before, "there is no history");
}

TEST(GatherHost, ACpuWithoutAFigureCountsForNothing) {
  history::History memory{{.resolution = 10, .length = 3600}};
  for (int s = 0; s <= 1200; s += 10) {
    Families families = {
        counter("nearzero_host_cpu_seconds_total", 0.75 * s, {{"cpu", "0"}, {"mode", "idle"}})};
    // Plugged in after ten minutes.
    if (s > 600) {
      families.push_back(counter("nearzero_host_cpu_seconds_total", 0.75 * (s - 600),
                                 {{"cpu", "1"}, {"mode", "idle"}}));
    }
    memory.add(kStart + s, families);
  }
  const MemoryData data(memory);
  const Input input = gather(data, kStart, kStart + 1200, Compare{Compare::Kind::none, 0});
  ASSERT_EQ(input.trends.size(), 1U);
  const auto& busy = input.trends[0].now;
  ASSERT_EQ(busy.size(), 60U);
  EXPECT_NEAR(busy[10].value, 0.25, 0.001);
  EXPECT_NEAR(busy[50].value, 0.25, 0.001);
}

TEST(CompareWords, AreReadOrRefused) {
  EXPECT_EQ(shift_of(*parse_compare("previous"), 100, 400), 300);
  EXPECT_EQ(shift_of(*parse_compare("1d"), 100, 400), 86400);
  EXPECT_EQ(shift_of(*parse_compare("90m"), 100, 400), 5400);
  EXPECT_EQ(shift_of(*parse_compare("2w"), 100, 400), 14 * 86400);
  EXPECT_EQ(shift_of(*parse_compare("none"), 100, 400), 0);
  for (const char* bad : {"", "-1d", "0d", "nan", "inf", "1y", "d", "1d ", "1e9d", "last"})
    EXPECT_FALSE(parse_compare(bad)) << bad;
}

}  // namespace
}  // namespace nz::report
