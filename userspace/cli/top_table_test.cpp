#include "userspace/cli/top_table.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace nz::cli {
namespace {

analysis::Histogram histogram(uint64_t count, uint64_t sum_ns, uint64_t max_ns) {
  analysis::Histogram h;
  h.buckets[100] = count;
  h.sum_ns = sum_ns;
  h.max_ns = max_ns;
  return h;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) result.push_back(line);
  return result;
}

size_t columns(const std::string& text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
  return n;
}

std::string line_with(const std::string& table, const std::string& word) {
  for (const std::string& line : lines(table)) {
    if (line.find(word) != std::string::npos) return line;
  }
  return {};
}

LiveData all_families() {
  LiveData d;
  d.histograms[{"nearzero_runqueue_latency_seconds", {{"target", "host"}, {"after", "wakeup"}}}] =
      histogram(2000, 4'000'000, 90'000);
  d.histograms[{"nearzero_offcpu_seconds", {{"target", "demo"}, {"reason", "lock"}}}] =
      histogram(10, 1'000'000'000, 200'000'000);
  d.histograms[{"nearzero_order_stage_duration_seconds", {{"target", "demo"}, {"stage", "risk"}}}] =
      histogram(4000, 800'000'000, 5'000'000);
  d.histograms[{
      "nearzero_sqlite_statement_duration_seconds",
      {{"target", "demo"}, {"digest", "d"}, {"statement", "INSERT INTO orders VALUES (?)"}}}] =
      histogram(4000, 900'000'000, 5'000'000);
  d.histograms[{"nearzero_syscall_duration_seconds", {{"target", "demo"}, {"syscall", "write"}}}] =
      histogram(8000, 60'000'000, 100'000);
  return d;
}

TEST(TopTable, ShowsTheFourFamilies) {
  const LiveData d = all_families();
  const std::string table = top_table(d, d, 2, {});
  for (const char* title : {"SCHEDULER", "ORDER PATH", "SQLITE", "SYSCALLS"}) {
    EXPECT_NE(table.find(title), std::string::npos) << title;
  }
  EXPECT_EQ(table.find("nothing in this window"), std::string::npos);
  EXPECT_NE(line_with(table, "run queue after wakeup").find("1.00k"), std::string::npos)
      << table;  // 2,000 in 2 s
  EXPECT_NE(line_with(table, "risk").find("2.00k"), std::string::npos) << table;
  EXPECT_NE(line_with(table, "risk").find("5.00ms"), std::string::npos) << "maximum";
  EXPECT_NE(line_with(table, "risk").find("400ms"), std::string::npos) << "busy time of one second";
  EXPECT_NE(table.find("INSERT INTO orders"), std::string::npos);
  EXPECT_NE(line_with(table, "write").find("4.00k"), std::string::npos);
}

TEST(TopTable, QuantilesComeFromTheBuckets) {
  const LiveData d = all_families();
  const double p99 = d.histograms.begin()->second.quantile(0.99);
  EXPECT_GT(p99, 0);
  LiveData other;
  const std::string table = top_table(d, d, 1, {});
  // All values in one bucket: p50, p90 and p99 lie within it.
  const std::string row = line_with(table, "risk");
  EXPECT_NE(row.find("us"), std::string::npos) << row;
}

TEST(TopTable, AnEmptyWindowSaysSo) {
  const std::string table = top_table({}, {}, 1, {});
  size_t found = 0;
  for (const std::string& line : lines(table))
    found += line.find("nothing in this window") != std::string::npos ? 1 : 0;
  EXPECT_EQ(found, 4U);
}

TEST(TopTable, RowsThatDidNotGrowAreLeftOut) {
  LiveData d;
  d.histograms[{"nearzero_order_stage_duration_seconds",
                {{"target", "demo"}, {"stage", "idle-stage"}}}] = {};
  EXPECT_EQ(top_table(d, d, 1, {}).find("idle-stage"), std::string::npos);
}

TEST(TopTable, EveryRowFitsTheWidth) {
  LiveData d = all_families();
  d.histograms[{"nearzero_sqlite_statement_duration_seconds",
                {{"target", "a-target-with-a-long-name"},
                 {"digest", "e"},
                 {"statement", std::string(300, 'x')}}}] = histogram(1, 1, 1);
  d.histograms[{
      "nearzero_sqlite_statement_duration_seconds",
      {{"target", "t"}, {"digest", "f"}, {"statement", "SELECT 'ä€' " + std::string(200, 'y')}}}] =
      histogram(1, 1, 1);
  for (const size_t width : {90U, 100U, 160U}) {
    TableStyle style;
    style.width = width;
    for (const std::string& line : lines(top_table(d, d, 1, style))) {
      if (line.find("cost of observing") != std::string::npos) continue;
      EXPECT_LE(columns(line), width) << line;
    }
  }
}

TEST(TopTable, BusiestStatementsFirstAndTheRestCounted) {
  LiveData d;
  for (int i = 0; i < 30; i++) {
    d.histograms[{"nearzero_sqlite_statement_duration_seconds",
                  {{"target", "t"},
                   {"digest", std::to_string(i)},
                   {"statement", "statement-" + std::to_string(i) + "."}}}] =
        histogram(1, static_cast<uint64_t>(1000 + i), 1);
  }
  TableStyle style;
  style.rows_per_section = 5;
  const std::string table = top_table(d, d, 1, style);
  EXPECT_NE(table.find("statement-29."), std::string::npos);
  EXPECT_LT(table.find("statement-29."), table.find("statement-25."));
  EXPECT_EQ(table.find("statement-24."), std::string::npos);
  EXPECT_NE(table.find("and 25 more"), std::string::npos);
}

TEST(TopTable, SummaryCountsCostDropsAndMissingProbes) {
  LiveData window;
  window.values[{"nearzero_probe_cost_seconds_total", {{"probe", "stages"}, {"target", "demo"}}}] =
      0.01;
  window
      .values[{"nearzero_probe_cost_seconds_total", {{"probe", "scheduler"}, {"target", "host"}}}] =
      0.03;
  window.values[{"nearzero_drops_total", {{"probe", "events"}, {"cause", "ring_full"}}}] = 6;
  LiveData now;
  now.values[{"nearzero_probe_attached", {{"probe", "a"}}}] = 0;
  now.values[{"nearzero_probe_attached", {{"probe", "b"}}}] = 1;
  const std::string line = line_with(top_table(window, now, 2, {}), "cost of observing");
  EXPECT_NE(line.find("2.00 %"), std::string::npos) << line;
  EXPECT_NE(line.find("records 3/s"), std::string::npos) << line;
  EXPECT_NE(line.find("not attached 1"), std::string::npos) << line;
}

TEST(TopTable, ColoursOnlyWhereAsked) {
  const LiveData d = all_families();
  EXPECT_EQ(top_table(d, d, 1, {}).find('\033'), std::string::npos);
  TableStyle colour;
  colour.colour = true;
  EXPECT_NE(top_table(d, d, 1, colour).find("\033[1m"), std::string::npos);
}

TEST(TopTable, TextFromOutsideCannotDriveTheTerminal) {
  LiveData d;
  d.histograms[{"nearzero_order_stage_duration_seconds",
                {{"target", "t\033]0;x"}, {"stage", "s\033[2J\n"}}}] = histogram(1, 1, 1);
  EXPECT_EQ(top_table(d, d, 1, {}).find('\033'), std::string::npos);
}

TEST(TopTable, RatesAreThoseOfTheTimeThatWasObserved) {
  LiveData window;
  analysis::Histogram h;
  for (int i = 0; i < 10; i++) h.record(1000);
  window.histograms[{"nearzero_order_stage_duration_seconds",
                     {{"target", "demo"}, {"stage", "risk"}}}] = h;
  window.histograms[{"nearzero_oncpu_slice_seconds", {{"target", "demo"}}}] = h;
  window.values[{"nearzero_probe_observed_seconds_total",
                 {{"probe", "stages"}, {"target", "demo"}}}] = 0.5;
  LiveData now = window;
  now.values[{"nearzero_probe_duty_ratio", {{"probe", "stages"}, {"target", "demo"}}}] = 0.25;
  const std::string table = top_table(window, now, 2, {});
  EXPECT_NE(line_with(table, "risk").find(" 20 "), std::string::npos) << table;
  EXPECT_NE(line_with(table, "on CPU").find(" 5 "), std::string::npos) << "no duty cycle\n"
                                                                       << table;
  EXPECT_NE(table.find("observes demo 25 % of the time"), std::string::npos) << table;
  EXPECT_TRUE(has_pauses(now));
  EXPECT_FALSE(has_pauses(window));
}

TEST(TopTable, AMaximumThatIsNotKnownIsThatOfTheHighestBucket) {
  LiveData d;
  analysis::Histogram h;
  h.record(1'000'000);
  h.max_ns = 0;
  d.histograms[{"nearzero_order_stage_duration_seconds", {{"target", "demo"}, {"stage", "risk"}}}] =
      h;
  EXPECT_EQ(line_with(top_table(d, d, 1, {}), "risk").find("0ns"), std::string::npos);
  LiveData moment = d;
  for (auto& [key, histogram] : moment.histograms) histogram.max_ns = 1'000'000;
  d.take_extremes_of(moment);
  EXPECT_EQ(d.histograms.begin()->second.max_ns, 1'000'000U);
}

TEST(TopTable, TellsWhatLimitsATargetTheCostliestFirst) {
  LiveData now;
  EXPECT_EQ(top_table(now, now, 1, {}).find("limits"), std::string::npos);
  const auto costs = [&](const char* target, const char* kind, double impact) {
    now.values[{"nearzero_bottleneck_impact_ratio", {{"target", target}, {"kind", kind}}}] = impact;
  };
  costs("demo", "cpu_saturation", 0.12);
  costs("demo", "slow_statement", 0.43);
  costs("gateway", "slow_sync", 0.3);
  const std::string table = top_table(now, now, 1, {});
  EXPECT_EQ(
      line_with(table, "limits demo").find("limits demo: slow_statement 43 %, cpu_saturation 12 %"),
      0U)
      << table;
  EXPECT_EQ(line_with(table, "limits gateway").find("limits gateway: slow_sync 30 %"), 0U) << table;
}

}  // namespace
}  // namespace nz::cli
