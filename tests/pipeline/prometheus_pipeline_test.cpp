// The demo service, unchanged; the agent beside it; two Prometheus, one that reads text and one
// that reads native histograms. The demo's own clock is the truth.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/live/harness/agent.h"
#include "tests/pipeline/demo.h"
#include "tests/pipeline/prometheus.h"

namespace nz::pipeline {
namespace {

const std::string kStage = "nearzero_order_stage_duration_seconds";

class Pipeline : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    all_ = new Everything;
    live::Workload demo("nz-demo", {"--rate", "2000", "--duration", "15", "--linger", "6"});
    ASSERT_TRUE(all_->agent.has_member(demo.pid(), 30));
    live::sleep_seconds(2.5);  // both have scraped before the first order
    demo.go();
    live::sleep_seconds(12);
    for (const char* quantile : {"0.5", "0.99"}) {
      // While it runs, as a dashboard asks.
      all_->text_rate[quantile] =
          all_->text.query("histogram_quantile(" + std::string(quantile) +
                           ", sum by (stage, le) (rate(" + kStage + "_bucket[10s])))");
      all_->native_rate[quantile] =
          all_->native.query("histogram_quantile(" + std::string(quantile) +
                             ", sum by (stage) (rate(" + kStage + "[10s])))");
    }
    all_->cpu_share = all_->text.value("rate(nearzero_agent_cpu_seconds_total[10s])");
    ASSERT_TRUE(live::eventually(
        [&] { return !demo.json().is_discarded() && demo.json().contains("pairs"); }, 30));
    live::sleep_seconds(2.5);  // one drain and one scrape after the last order
    all_->truth = demo.json();
    EXPECT_EQ(demo.wait(30), 0);
  }
  static void TearDownTestSuite() {
    delete all_;
    all_ = nullptr;
  }

  struct Everything {
    live::Agent agent{demo_yaml()};
    Prometheus text{agent.port(), false};
    Prometheus native{agent.port(), true};
    nlohmann::json truth;
    std::map<std::string, std::vector<Series>> text_rate, native_rate;
    double cpu_share = 0;
  };
  static Everything* all_;

  // Entry to entry, by the demo's own clock.
  static nlohmann::json truth_of(const std::string& stage) {
    static const std::map<std::string, std::pair<std::string, std::string>> kEnds = {
        {"market_data", {"on_market_data", "compute_signal"}},
        {"signal", {"compute_signal", "check_risk"}},
        {"risk", {"check_risk", "persist_order"}},
        {"persist", {"persist_order", "acknowledge"}}};
    const auto& [from, to] = kEnds.at(stage);
    for (const auto& pair : all_->truth["pairs"]) {
      if (pair["from"] == "demo::" + from && pair["to"] == "demo::" + to) return pair;
    }
    ADD_FAILURE() << "the demo knows nothing of " << stage << ": " << all_->truth["pairs"].dump();
    return {};
  }
};

Pipeline::Everything* Pipeline::all_ = nullptr;

TEST_F(Pipeline, CountsAreTheDemosOwn) {
  for (const char* stage : {"market_data", "signal", "risk", "persist"}) {
    const auto expected = truth_of(stage)["count"].get<double>();
    EXPECT_GT(expected, 10'000) << stage;
    const std::string which = "{stage=\"" + std::string(stage) + "\"}";
    EXPECT_EQ(all_->text.value(kStage + "_count" + which), expected) << stage;
    EXPECT_EQ(all_->native.value("histogram_count(" + kStage + which + ")"), expected) << stage;
  }
}

TEST_F(Pipeline, QuantilesAreWithinFivePercentOfTheTruth) {
  std::vector<double> worst;
  for (const char* stage : {"signal", "risk", "persist"}) {
    const auto truth = truth_of(stage);
    const std::string which = "{stage=\"" + std::string(stage) + "\"}";
    for (const auto& [q, key] : {std::pair{"0.5", "p50_ns"}, std::pair{"0.99", "p99_ns"}}) {
      const double expected = truth[key].get<double>() / 1e9;
      const double native =
          all_->native.value("histogram_quantile(" + std::string(q) + ", " + kStage + which + ")");
      const double text = all_->text.value("histogram_quantile(" + std::string(q) + ", " + kStage +
                                           "_bucket" + which + ")");
      std::printf(
          "%-8s q%-5s truth %9.1f us, native %9.1f us (%+.1f %%), text %9.1f us (%+.1f %%)\n",
          stage, q, expected * 1e6, native * 1e6, (native / expected - 1) * 100, text * 1e6,
          (text / expected - 1) * 100);
      // A bucket is 9.05 % wide, and Prometheus interpolates inside it: at worst that much, however
      // the values lie in it. The probe's own cost of at most 2 us is part of what it measures.
      EXPECT_NEAR(native, expected, expected * 0.0905 + 2e-6) << stage << " " << q;
      worst.push_back(std::max(0.0, std::abs(native - expected) - 2e-6) / expected);
      // Classic buckets are an octave's parts wide: told apart, not exact.
      EXPECT_NEAR(text, expected, expected * 0.5) << stage << " " << q;
    }
  }
  double sum = 0;
  for (const double error : worst) sum += error;
  EXPECT_LT(sum / static_cast<double>(worst.size()), 0.05)
      << "on average over stages and quantiles";
}

TEST_F(Pipeline, RatesAnswerWhileItRuns) {
  for (const char* q : {"0.5", "0.99"}) {
    EXPECT_GE(all_->text_rate[q].size(), 5U);
    EXPECT_GE(all_->native_rate[q].size(), 5U);
    for (const auto* rows : {&all_->text_rate[q], &all_->native_rate[q]}) {
      for (const Series& s : *rows) {
        const auto stage = s.labels.find("stage");
        ASSERT_NE(stage, s.labels.end());
        if (stage->second == "order" || stage->second == "market_data") continue;
        const double expected =
            truth_of(stage->second)[std::string(q) == "0.5" ? "p50_ns" : "p99_ns"].get<double>() /
            1e9;
        // Ten of fifteen seconds: not the same orders, so only roughly the same quantile.
        EXPECT_GT(s.value, expected / 3) << stage->second << " " << q;
        EXPECT_LT(s.value, expected * 3) << stage->second << " " << q;
      }
    }
  }
}

TEST_F(Pipeline, AllFourFamiliesArrive) {
  for (const char* family :
       {"nearzero_runqueue_latency_seconds", "nearzero_oncpu_slice_seconds",
        "nearzero_offcpu_seconds", "nearzero_syscall_duration_seconds",
        "nearzero_sqlite_statement_duration_seconds", "nearzero_order_stage_duration_seconds"}) {
    const std::string demo = "{target=\"demo\"}";
    EXPECT_GT(all_->text.value("sum(" + std::string(family) + "_count" + demo + ")"), 1000)
        << family;
    EXPECT_GT(all_->native.value("histogram_count(sum(" + std::string(family) + demo + "))"), 1000)
        << family;
    EXPECT_TRUE(all_->native.query(std::string(family) + "_bucket" + demo).empty())
        << "native only: no classic buckets are stored";
  }
}

TEST_F(Pipeline, BothFormatsTellTheSame) {
  for (const char* family :
       {"nearzero_order_stage_duration_seconds", "nearzero_sqlite_statement_duration_seconds"}) {
    // The demo has ended, so both have the same last scrape.
    const double text = all_->text.value("sum(" + std::string(family) + "_sum{target=\"demo\"})");
    const double native =
        all_->native.value("histogram_sum(sum(" + std::string(family) + "{target=\"demo\"}))");
    EXPECT_GT(text, 0);
    EXPECT_NEAR(native, text, text * 1e-9) << family;
  }
}

TEST_F(Pipeline, MemoryIsUnderSixtyFourMegabytes) {
  const double resident =
      all_->text.value("max_over_time(nearzero_agent_resident_memory_bytes[1m])");
  const double maps = all_->text.value("nearzero_map_memory_bytes");
  std::printf(
      "resident %.1f MB + maps %.1f MB = %.1f MB; agent CPU %.2f %% of a core, drain %.2f ms, "
      "probes' cost %.2f %%\n",
      resident / 1e6, maps / 1e6, (resident + maps) / 1e6, all_->cpu_share * 100,
      all_->text.value("max_over_time(nearzero_drain_duration_seconds[1m])") * 1e3,
      all_->text.value("sum(rate(nearzero_probe_cost_seconds_total[15s] offset 5s))") * 100);
  EXPECT_GT(resident, 1e6);
  EXPECT_GT(maps, 1e6);
#ifdef NZ_INSTRUMENTED
  EXPECT_LT(resident + maps, 100e6);
#else
  EXPECT_LT(resident + maps, 64e6);
#endif
}

TEST_F(Pipeline, LabelsAreBounded) {
  const auto labels = all_->text.get("/api/v1/labels")["data"].get<std::set<std::string>>();
  for (const char* forbidden : {"pid", "tid", "tgid", "thread", "path"})
    EXPECT_FALSE(labels.contains(forbidden)) << forbidden;
  // As many as the host has; as many as hold a lock at a time, and those of the last hour.
  const std::map<std::string, std::set<std::string>> kOnlyIn = {
      {"cpu", {"nearzero_host_cpu_seconds_total"}},
      {"comm", {"nearzero_sqlite_lock_held_seconds", "nearzero_sqlite_lock_seen_total"}}};
  for (const auto& [label, families] : kOnlyIn) {
    for (const Series& s :
         all_->text.query("count by (__name__) ({" + label + "!=\"\", __name__=~\"nearzero_.*\"})"))
      EXPECT_TRUE(families.contains(s.labels.at("__name__"))) << label;
  }
  const double lines = all_->text.value("scrape_samples_scraped");
  std::printf(
      "%.0f sample lines in text, %.0f series with native histograms; a scrape of the text took "
      "%.1f ms\n",
      lines, all_->native.value("scrape_samples_scraped"),
      all_->text.value("max_over_time(scrape_duration_seconds[1m])") * 1e3);
  EXPECT_GT(lines, 500);
  EXPECT_LT(lines, 20'000);
  // One target, one service: a label that grows with every order would show here.
  for (const Series& s : all_->text.query(
           "topk(3, count by (__name__) ({__name__=~\"nearzero_.*\", __name__!~\".*_bucket\"}))")) {
    EXPECT_LT(s.value, 300) << s.labels.at("__name__");
  }
}

// Last: it changes the agent's state.
TEST_F(Pipeline, ZCountersNeverFallOverReloadsAndOffAndOn) {
  live::Workload demo("nz-demo", {"--rate", "1000", "--duration", "12"});
  ASSERT_TRUE(all_->agent.has_member(demo.pid(), 30));
  const double before = all_->text.value("sum(" + kStage + "_count)");
  demo.go();
  live::sleep_seconds(2);
  all_->agent.program().signal(SIGHUP);
  EXPECT_TRUE(all_->agent.program().wait_for_text("configuration reloaded", 10));
  live::sleep_seconds(2);
  EXPECT_NE(all_->agent.control("off").find("detached"), std::string::npos);
  live::sleep_seconds(2.5);
  EXPECT_EQ(all_->agent.control("on"), "on\n");
  EXPECT_EQ(demo.wait(60), 0);
  live::sleep_seconds(2.5);
  EXPECT_GT(all_->text.value("sum(" + kStage + "_count)"), before + 1000);
  size_t families = 0;
  for (const Series& family : all_->text.query(
           "group by (__name__) ({__name__=~\"nearzero_.*_(total|count|sum|bucket)\"})")) {
    const std::string& name = family.labels.at("__name__");
    EXPECT_EQ(all_->text.value("max(resets(" + name + "[5m]))"), 0) << name << " fell";
    families++;
  }
  EXPECT_GT(families, 20U);
  EXPECT_EQ(all_->native.value("max(resets(" + kStage + "[5m]))"), 0);
  for (const Prometheus* p : {&all_->text, &all_->native}) {
    EXPECT_EQ(p->value("min_over_time(up[5m])"), 1) << "every scrape was answered";
    EXPECT_EQ(p->value("count_over_time(up[5m]) > bool 20"), 1);
  }
  EXPECT_EQ(all_->text.value("max_over_time(nearzero_off[5m])"), 1) << "the time off shows";
}

}  // namespace
}  // namespace nz::pipeline
