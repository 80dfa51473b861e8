// What reports say, and that they say the same twice.
#include "userspace/report/report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>

#include "userspace/report/document/writers.h"
#include "userspace/report/test_input.h"

namespace nz::report {
namespace {

using testing::healthy;
using testing::incident;
using testing::kTo;

const Section* section(const Document& document, const std::string& id) {
  for (const Section& s : document.sections) {
    if (s.id == id) return &s;
  }
  return nullptr;
}

// Every text of a document, as one.
std::string all_of(const Document& document) { return to_json(document); }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// NZ_REPORT_DIR=DIR writes what the tests make, to be looked at.
void keep(const Document& document, const std::string& name) {
  const char* folder = std::getenv("NZ_REPORT_DIR");
  if (folder == nullptr) return;
  std::ofstream(std::string(folder) + "/" + name + ".html") << to_html(document);
  std::ofstream(std::string(folder) + "/" + name + ".md") << to_markdown(document);
  std::ofstream(std::string(folder) + "/" + name + ".json") << to_json(document);
}

TEST(Report, AnIncidentIsToldWithCauseTimeCostAndRemedy) {
  const Input input = incident();
  ASSERT_FALSE(input.findings.empty());
  const Document d = make_report(input);
  keep(d, "incident");
  EXPECT_EQ(d.verdict, Tone::bad);
  EXPECT_TRUE(has(d.headline, "slow syncs")) << d.headline;
  EXPECT_EQ(d.sections.front().id, "summary");
  Document summary;
  summary.sections = {d.sections.front()};
  const std::string text = all_of(summary);
  EXPECT_TRUE(has(text, "It began at 08:55:00 and goes on, 5 min so far")) << text;
  EXPECT_TRUE(has(text, "of an order's time, 20 ms of each; about 9000 orders met it")) << text;
  EXPECT_TRUE(has(text, "demo was restarted with a new binary (build 4f2a) (08:54:50)")) << text;
  EXPECT_TRUE(has(text, "Do first: ")) << text;
  EXPECT_TRUE(has(text,
                  "Against the 15 min before: throughput \xE2\x88\x92"
                  "90 %"))
      << text;
  EXPECT_TRUE(has(text, "1 alert fired, 1 still does")) << text;
  EXPECT_TRUE(has(text, "The measurement is complete")) << text;
  for (const char* id :
       {"recommendations", "order-path", "attribution", "bottlenecks", "statements", "functions",
        "trends", "regressions", "alerts", "resources", "completeness"})
    EXPECT_NE(section(d, id), nullptr) << id;
}

TEST(Report, RecommendationsComeByExpectedGain) {
  const Document d = make_report(incident());
  const Section* s = section(d, "recommendations");
  ASSERT_NE(s, nullptr);
  const auto* list = std::get_if<Bullets>(&s->blocks.front());
  ASSERT_NE(list, nullptr);
  ASSERT_GE(list->items.size(), 3U);
  EXPECT_TRUE(list->numbered);
  EXPECT_TRUE(has(list->items[0].str(), "Up to 98")) << list->items[0].str();
  std::string later;
  for (std::size_t i = 1; i < list->items.size(); i++) later += list->items[i].str() + "\n";
  EXPECT_TRUE(has(later, "CREATE INDEX risk_limits_account ON risk_limits(account)")) << later;
  EXPECT_TRUE(has(later, "space of /var reaches")) << later;
}

TEST(Report, WhatIsOverIsSaidToBeOver) {
  const Document d = make_report(incident(true));
  keep(d, "over");
  EXPECT_EQ(d.verdict, Tone::warn);
  EXPECT_TRUE(d.headline.starts_with("Over since 08:59:00: ")) << d.headline;
  const std::string text = all_of(d);
  EXPECT_TRUE(has(text, "It lasted from 08:55:00 to 08:59:00, 4 min")) << text.substr(0, 3000);
  EXPECT_TRUE(has(text, "Over, was 98"));
  EXPECT_FALSE(has(text, "Do first: "));
}

TEST(Report, WhatEndedAfterTheRangeWentOn) {
  Input input = healthy();
  analysis::Regression r = incident().extras.regressions->front();
  r.until = kTo + 60;
  input.extras.regressions->push_back(r);
  const Document d = make_report(input);
  EXPECT_EQ(d.verdict, Tone::warn);
  EXPECT_TRUE(has(all_of(d), "since 08:55:00, 5 min so far"));
  EXPECT_FALSE(has(all_of(d), "\"over\""));
}

TEST(Report, HealthyIsSaidWell) {
  const Document d = make_report(healthy());
  keep(d, "healthy");
  EXPECT_EQ(d.verdict, Tone::good);
  EXPECT_EQ(d.headline, "Nothing is wrong.");
  const std::string text = all_of(d);
  EXPECT_TRUE(has(text, "Nothing was found that limits the services."));
  EXPECT_TRUE(has(text, "demo took 300 orders a second; half of them were through the order path"))
      << text.substr(0, 2000);
  EXPECT_TRUE(has(text, "throughput the same, the median the same and p99 the same"));
  EXPECT_TRUE(has(text, "No alert fired."));
  EXPECT_TRUE(has(text, "No quantity became lastingly worse."));
  EXPECT_EQ(section(d, "recommendations"), nullptr);
}

TEST(Report, SharesOfAnOrderAreThoseOfItsThread) {
  const Document d = make_report(incident());
  const Section* s = section(d, "attribution");
  ASSERT_NE(s, nullptr);
  const auto* bars = std::get_if<ShareBars>(&s->blocks.front());
  ASSERT_NE(bars, nullptr);
  ASSERT_GE(bars->bars.size(), 3U);
  EXPECT_EQ(bars->bars[0].label, "order");
  EXPECT_EQ(bars->bars[1].label, "before");
  double disk = 0, before = 0;
  for (const Part& p : bars->bars[0].parts) disk += p.name == "disk" ? p.value : 0;
  for (const Part& p : bars->bars[1].parts) before += p.name == "disk" ? p.value : 0;
  EXPECT_NEAR(disk, 0.020, 1e-6);
  EXPECT_NEAR(before, 12e-6, 1e-9);
  EXPECT_EQ(bars->bars[2].label, "stage persist") << "the longest first";
}

TEST(Report, TheDistributionHasTheShortestAndTheLongest) {
  Input input = healthy();
  for (analysis::WindowSeries& s : input.now.series) {
    if (s.name != "nearzero_order_stage_duration_seconds" || !s.histogram) continue;
    auto h = std::make_shared<analysis::Histogram>(*s.histogram);
    h->zero += h->count();
    h->overflow += h->count();
    h->max_ns = 900'000'000'000;
    s.histogram = h;
  }
  const Document d = make_report(input);
  const Section* s = section(d, "order-path");
  ASSERT_NE(s, nullptr);
  const Distribution* found = nullptr;
  for (const Block& block : s->blocks) {
    if (const auto* one = std::get_if<Distribution>(&block)) found = one;
  }
  ASSERT_NE(found, nullptr);
  double sum = 0;
  for (const Band& band : found->now) sum += band.share;
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_EQ(found->now.front().low, 0);
  EXPECT_NEAR(found->now.front().share, 0.25, 0.01);
  EXPECT_EQ(found->now.back().high, 900);
  EXPECT_NEAR(found->now.back().share, 0.5, 0.01);
}

TEST(Report, TheSameInputGivesTheSameBytes) {
  for (const bool over : {false, true}) {
    const Document a = make_report(incident(over));
    const Document b = make_report(incident(over));
    EXPECT_EQ(to_html(a), to_html(b));
    EXPECT_EQ(to_markdown(a), to_markdown(b));
    EXPECT_EQ(to_json(a), to_json(b));
  }
}

TEST(Report, NothingMeasured) {
  Input input;
  input.from = kTo - 900;
  input.to = input.created = kTo;
  input.range_covered = false;
  const Document d = make_report(input);
  EXPECT_EQ(d.verdict, Tone::quiet);
  EXPECT_EQ(d.headline, "Nothing was measured in this time.");
  EXPECT_TRUE(has(all_of(d), "Is the agent running"));
  EXPECT_TRUE(has(to_html(d), "<!doctype html>"));
  input.history_from = kTo + 100;
  EXPECT_TRUE(has(all_of(make_report(input)), "It begins at 2026-11-27 09:01:40 UTC"));
}

TEST(Report, NoComparisonIsExplained) {
  Input input = healthy();
  input.before = {};
  input.no_before = "history begins at 2026-11-27 08:40:00 UTC";
  const std::string text = all_of(make_report(input));
  EXPECT_TRUE(has(text, "There is no comparison with the 15 min before: history begins at"));
  EXPECT_FALSE(has(text, "Against the"));
}

TEST(Report, NoOrdersNoStages) {
  Input input = healthy();
  analysis::test::Scene scene;
  scene.stages = false;
  scene.seconds = 900;
  scene.to = kTo;
  input.now = scene.window();
  input.before = {};
  const Document d = make_report(input);
  EXPECT_TRUE(has(all_of(d), "No order was seen"));
  EXPECT_TRUE(has(all_of(d), "No stages are configured for demo"));
  EXPECT_EQ(section(d, "order-path"), nullptr);
}

TEST(Report, WhatIsMissingIsSaid) {
  Input input = healthy();
  input.now.series.push_back({"nearzero_drops_total",
                              {{"probe", "events"}, {"cause", "ring_full"}},
                              1203,
                              1203,
                              0,
                              0,
                              nullptr});
  input.unattached = {{"sqlite", "demo", "the library is stripped"}};
  input.range_covered = false;
  input.extras.alerts.reset();
  const std::string text = all_of(make_report(input));
  EXPECT_TRUE(has(text,
                  "The measurement is not complete: 1203 events were not recorded in full, 1 "
                  "probe is not attached and history does not reach back"))
      << text.substr(0, 3000);
  EXPECT_TRUE(has(text, "ring_full"));
  EXPECT_TRUE(has(text, "attach sqlite of demo; now it is not, because the library is stripped."));
  EXPECT_TRUE(has(text, "Not looked at: alert rules"));
  EXPECT_FALSE(has(text, "No alert fired."));
}

// Ten thousand of everything: what is left out is counted, and the page stays small.
TEST(Report, IsBoundedWhateverTheInput) {
  Input input = incident();
  const analysis::Finding finding = input.findings.front();
  const analysis::SlowStatement statement = input.details.slow_statements.front();
  for (int i = 0; i < 10'000; i++) {
    const std::string n = std::to_string(i);
    analysis::Finding f = finding;
    f.id = "slow_sync/" + n;
    f.title = "Finding " + n + std::string(2000, 'x');
    f.evidence.resize(200, f.evidence.front());
    input.findings.push_back(f);
    analysis::SlowStatement s = statement;
    s.digest = n;
    s.sql = "SELECT " + std::string(10'240, 'a');
    s.plan = std::string(10'240, 'b');
    s.advice = {"CREATE INDEX i" + n + " ON t(a)"};
    input.details.slow_statements.push_back(s);
    input.details.hot_functions.push_back(
        {"t" + std::to_string(i % 100), "f" + n, "m", 0.1, std::nullopt, 10});
    input.extras.events->push_back({kTo - 10, "kind", "demo", "Event " + n});
    input.extras.alerts->push_back({"Rule" + n, "warning", "demo", "text", kTo - 20, 0});
    input.extras.regressions->push_back(input.extras.regressions->front());
    input.extras.forecasts->push_back(input.extras.forecasts->front());
    input.unattached.push_back({"p" + n, "demo", "reason"});
    input.now.series.push_back(
        {"nearzero_drops_total", {{"probe", "p" + n}, {"cause", "c"}}, 1.0 + i, 0, 0, 0, nullptr});
  }
  for (TrendLine& line : input.trends) {
    for (int i = 0; i < 100'000; i++) line.now.push_back({kTo - 1 + i * 1e-5, 0.001 * (i % 7)});
  }
  const Document d = make_report(input);
  const std::string html = to_html(d);
  EXPECT_LT(html.size(), 1'000'000U);
  EXPECT_LT(to_markdown(d).size(), 1'000'000U);
  EXPECT_LT(to_json(d).size(), 2'000'000U);
  EXPECT_TRUE(has(html, "further ones that cost less are left out"));
}

TEST(Report, IncidentsThatAreLeftOutAreCounted) {
  Input input = healthy();
  analysis::Incident one;
  one.since = kTo - 60;
  one.members = {{{"nearzero_off", {}, "value", ""}, kTo - 60, 1, 0, 0.99}};
  input.extras.incidents.emplace(31, one);
  EXPECT_TRUE(has(all_of(make_report(input)), "1 further one is left out."));
}

TEST(Report, RowsThatAreLeftOutAreCounted) {
  Input input = healthy();
  const auto add = [&](const char* name, analysis::Labels labels, double value) {
    input.now.series.push_back({name, std::move(labels), value, value, value, value, nullptr});
  };
  const auto number = [](int i) { return std::to_string(100 + i); };
  for (int i = 0; i < 35; i++) {
    add("nearzero_disk_busy_seconds_total", {{"device", "odd" + number(i)}}, 1);
    for (const char* kind : {"size", "available"})
      add("nearzero_filesystem_bytes", {{"mount", "/odd" + number(i)}, {"kind", kind}}, 100);
    add("nearzero_probe_cost_seconds_total", {{"probe", "odd" + number(i)}}, 1);
    add("nearzero_probe_observed_seconds_total", {{"probe", "odd" + number(i)}, {"target", "demo"}},
        1);
    TrendLine line = input.trends.front();
    line.of = {
        "nearzero_disk_busy_seconds_total", {{"device", "odd" + number(i)}}, "rate", "ratio"};
    input.trends.push_back(line);
  }
  const std::string text = all_of(make_report(input));
  for (const char* part : {"further disks are left out.", "further file systems are left out.",
                           "probes that cost less are left out.", "further charts are left out."})
    EXPECT_TRUE(has(text, part)) << part;
  EXPECT_TRUE(has(text, "rates are per observed second. ")) << "and how many there are besides";
}

TEST(Report, TellsThisHourAgainstTheUsualOne) {
  Input input = healthy();
  analysis::AgainstUsual slow;
  slow.of = {"nearzero_order_stage_duration_seconds",
             {{"target", "demo"}, {"stage", "order"}},
             "p99",
             "seconds"};
  slow.at = kTo - 30;
  slow.value = 2e-3;
  slow.usual.basis = analysis::Basis::hour_of_week;
  slow.usual.hours = 5;
  slow.usual.median = 1e-3;
  slow.usual.low = 0.9e-3;
  slow.usual.high = 1.1e-3;
  analysis::AgainstUsual old = slow;
  old.at = kTo - 3600;
  input.extras.usual = std::vector<analysis::AgainstUsual>{slow, old};
  const Document d = make_report(input);
  const Section* s = section(d, "regressions");
  ASSERT_NE(s, nullptr);
  const Table* table = nullptr;
  for (const Block& block : s->blocks) {
    const Table* t = std::get_if<Table>(&block);
    if (t != nullptr && t->title == "This hour against what is usual") table = t;
  }
  ASSERT_NE(table, nullptr);
  ASSERT_EQ(table->rows.size(), 1U) << "what is of another hour says nothing of this one";
  ASSERT_EQ(table->rows[0].size(), table->columns.size());
  EXPECT_EQ(table->rows[0][1].text.str(), "2 ms");
  EXPECT_EQ(table->rows[0][2].text.str(), "1 ms");
  EXPECT_EQ(table->rows[0][4].tone, Tone::bad);
  EXPECT_EQ(table->rows[0][5].text.str(), "this hour of the week, 5 weeks");
}

TEST(Report, SectionIdsAreOnce) {
  const Document d = make_report(incident());
  std::set<std::string> ids;
  for (const Section& s : d.sections) EXPECT_TRUE(ids.insert(s.id).second) << s.id;
}

TEST(Report, TablesHaveACellForEachColumn) {
  for (const Document& d : {make_report(incident()), make_report(healthy())}) {
    for (const Section& s : d.sections) {
      for (const Block& block : s.blocks) {
        const Table* table = std::get_if<Table>(&block);
        if (const Card* card = std::get_if<Card>(&block)) table = &card->table;
        if (table == nullptr) continue;
        for (const auto& row : table->rows)
          EXPECT_EQ(row.size(), table->columns.size()) << s.id << " " << table->title;
      }
    }
  }
}

TEST(Report, SaysWhereTheOrderPathIsHeading) {
  Input input = healthy();
  for (TrendLine& line : input.trends) {
    if (line.of.statistic != "p99") continue;
    for (std::size_t i = 0; i < line.now.size(); i++)
      line.now[i].value = 1e-4 + 1e-6 * static_cast<double>(i);  // 360 us an hour, in steps of 10 s
  }
  const Document d = make_report(input);
  const Table* slopes = nullptr;
  for (const Section& s : d.sections) {
    for (const Block& block : s.blocks) {
      const Table* table = std::get_if<Table>(&block);
      if (table != nullptr && table->title == "Where the order path is heading") slopes = table;
    }
  }
  ASSERT_NE(slopes, nullptr);
  ASSERT_EQ(slopes->rows.size(), 3U);
  for (const auto& row : slopes->rows) {
    const std::string what = row[0].text.str();
    EXPECT_EQ(row[5].text.str(), what.ends_with("p99") ? "rises" : "none that is significant")
        << what;
    if (what.ends_with("p99")) {
      EXPECT_EQ(row[1].text.str(), "360 us");
    }
  }
}

}  // namespace
}  // namespace nz::report
