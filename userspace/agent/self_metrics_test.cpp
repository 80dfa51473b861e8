#include "userspace/agent/self_metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "userspace/agent/fake_probe.h"

namespace nz::agent {
namespace {

using metrics::Labels;

class SelfMetricsTest : public ::testing::Test {
 protected:
  SelfMetricsTest() {
    auto probe = std::make_unique<FakeProbe>(env_.env(), "stages");
    probe_ = probe.get();
    probes_.push_back(std::move(probe));
    config::Target demo;
    demo.name = "demo";
    demo.match.comm = "no-such-command";
    env_.tracker().configure({demo});
  }

  [[nodiscard]] SelfState state() {
    http::Stats http;
    http.requests = 11;
    http.connections_open = 2;
    http.answer_seconds = 0.5;
    http.rejected[0] = 5;
    return {probes_,   env_.env(), ledger_, duty_, refused_, missed_, "6.18.0-test",
            7'000'000, http,       2e9,     0.001, 4,        3,       off_};
  }
  [[nodiscard]] nlohmann::json health(bool* healthy = nullptr) {
    bool h = false;
    auto j = nlohmann::json::parse(health_json(state(), h));
    if (healthy != nullptr) *healthy = h;
    return j;
  }
  // -1 when there is no such sample.
  [[nodiscard]] double value(const std::string& family, const Labels& labels = {}) {
    std::vector<metrics::Family> out;
    collect_self(state(), out);
    for (const metrics::Family& f : out) {
      if (f.name != family) continue;
      for (const metrics::Sample& s : f.samples) {
        if (s.labels == labels) return s.value;
      }
    }
    return -1;
  }

  FakeEnv env_;
  FakeProbe* probe_;
  std::vector<std::unique_ptr<probes::Probe>> probes_;
  std::map<std::string, std::string> refused_;
  std::map<std::string, uint64_t> missed_;
  Ledger ledger_{config::Overhead{},
                 observe::Prices{{{probes::HitKind::uprobe, 1000}}, {probes::HitKind::uprobe}}};
  std::map<uint32_t, DutyState> duty_;
  bool off_ = false;
};

TEST_F(SelfMetricsTest, HealthyWhenAllIsAttached) {
  probe_->status_ = {{"stages:risk", "demo", 42, true, "entry at push"}};
  bool healthy = false;
  const auto j = health(&healthy);
  EXPECT_TRUE(healthy);
  EXPECT_EQ(j["status"], "ok");
  EXPECT_EQ(j["kernel"], "6.18.0-test");
  ASSERT_EQ(j["probes"].size(), 1U);
  EXPECT_EQ(j["probes"][0]["probe"], "stages:risk");
  EXPECT_EQ(j["probes"][0]["pid"], 42);
  EXPECT_EQ(j["probes"][0]["detail"], "entry at push");
  EXPECT_TRUE(j["drops"].empty());
  EXPECT_EQ(value("nearzero_probe_attached", {{"probe", "stages:risk"}, {"target", "demo"}}), 1);
}

TEST_F(SelfMetricsTest, OneMissingProbeDegrades) {
  probe_->status_ = {{"stages:risk", "demo", 42, true, "fine"},
                     {"stages:risk", "demo", 43, false, "no such symbol"}};
  bool healthy = true;
  const auto j = health(&healthy);
  EXPECT_FALSE(healthy);
  EXPECT_EQ(j["status"], "degraded");
  EXPECT_EQ(j["probes"][1]["detail"], "no such symbol");
  EXPECT_EQ(value("nearzero_probe_attached", {{"probe", "stages:risk"}, {"target", "demo"}}), 0)
      << "one row for both processes: the worse";
}

TEST_F(SelfMetricsTest, ARefusedProgramDegrades) {
  refused_["nz_sqlite_step"] = "uprobe sessions needs Linux 6.13 or newer, this is 6.1";
  bool healthy = true;
  const auto j = health(&healthy);
  EXPECT_FALSE(healthy);
  EXPECT_EQ(j["refused_programs"]["nz_sqlite_step"], refused_["nz_sqlite_step"]);
}

TEST_F(SelfMetricsTest, OffIsNotDegradedByName) {
  off_ = true;
  probe_->status_ = {{"scheduler", "host", 0, false, "off"}};
  EXPECT_EQ(health()["status"], "off");
  EXPECT_EQ(value("nearzero_off"), 1);
}

TEST_F(SelfMetricsTest, DropsByCauseSummedOverCpus) {
  env_.counters()[0].drops[NZ_DROP_RING_FULL] = 3;
  env_.counters()[1].drops[NZ_DROP_RING_FULL] = 4;
  EXPECT_EQ(value("nearzero_drops_total", {{"probe", "events"}, {"cause", "ring_full"}}), 7);
  EXPECT_EQ(value("nearzero_drops_total", {{"probe", "events"}, {"cause", "exec_left_to_scan"}}),
            4);
  EXPECT_EQ(value("nearzero_drops_total", {{"probe", "scheduler"}, {"cause", "negative_duration"}}),
            0)
      << "zero is exported, too";
  EXPECT_EQ(health()["drops"]["events.ring_full"], 7);
}

TEST_F(SelfMetricsTest, HitsThatAProgramDidNotRunForAreDrops) {
  missed_ = {{"nz_tcp_state", 2}, {"nz_sched_switch", 1}};
  EXPECT_EQ(value("nearzero_drops_total", {{"probe", "programs"}, {"cause", "interrupted_itself"}}),
            3);
  EXPECT_EQ(health()["missed_hits"]["nz_tcp_state"], 2);
}

TEST_F(SelfMetricsTest, EveryCauseHasANameOfItsOwn) {
  std::vector<metrics::Family> out;
  collect_self(state(), out);
  for (const metrics::Family& f : out) {
    if (f.name != "nearzero_drops_total") continue;
    EXPECT_EQ(f.samples.size(), NZ_AGENT_DROPS + 2U);
    std::map<Labels, int> seen;
    for (const metrics::Sample& s : f.samples) EXPECT_EQ(seen[s.labels]++, 0) << s.labels[1].second;
  }
}

TEST_F(SelfMetricsTest, EveryKindOfHitHasAName) {
  const observe::Prices prices = observe::estimated_prices();
  ledger_ = Ledger(config::Overhead{}, prices);
  std::vector<metrics::Family> out;
  collect_self(state(), out);
  const auto price = std::find_if(out.begin(), out.end(), [](const metrics::Family& f) {
    return f.name == "nearzero_probe_hit_seconds";
  });
  ASSERT_NE(price, out.end());
  EXPECT_EQ(price->samples.size(), prices.ns.size());
}

TEST_F(SelfMetricsTest, CostShareAndTrip) {
  config::Overhead overhead;
  overhead.breaker_seconds = 1;
  ledger_ = Ledger(overhead,
                   observe::Prices{{{probes::HitKind::uprobe, 1000}}, {probes::HitKind::uprobe}});
  probe_->costs_ = {{1, probes::HitKind::uprobe, 500'000}};
  ASSERT_EQ(ledger_.update(probes_, 1).size(), 1U);
  const Labels labels{{"probe", "stages"}, {"target", "demo"}};
  EXPECT_DOUBLE_EQ(value("nearzero_probe_cost_seconds_total", labels), 0.5);
  EXPECT_DOUBLE_EQ(value("nearzero_probe_cost_ratio", labels), 0.5);
  EXPECT_EQ(value("nearzero_probe_tripped", labels), 1);
  const auto j = health();
  ASSERT_EQ(j["tripped"].size(), 1U);
  EXPECT_EQ(j["tripped"][0]["probe"], "stages");
  EXPECT_EQ(j["tripped"][0]["target"], "demo");
  EXPECT_DOUBLE_EQ(j["tripped"][0]["share_of_core"], 0.5);
  EXPECT_DOUBLE_EQ(value("nearzero_probe_hit_seconds", {{"kind", "uprobe"}, {"measured", "true"}}),
                   1e-6);
}

TEST_F(SelfMetricsTest, DutyOfEachProbeThatHasOneAndWasHit) {
  duty_ = {{1, {0.25, 12.5}}};
  const Labels labels{{"probe", "stages"}, {"target", "demo"}};
  EXPECT_EQ(value("nearzero_probe_duty_ratio", labels), -1) << "no hit yet";
  EXPECT_DOUBLE_EQ(health()["duty_ratio"]["demo"], 0.25);
  probe_->costs_ = {{1, probes::HitKind::uprobe, 1}};
  ledger_.update(probes_, 1);
  EXPECT_DOUBLE_EQ(value("nearzero_probe_duty_ratio", labels), 0.25);
  EXPECT_DOUBLE_EQ(value("nearzero_probe_observed_seconds_total", labels), 12.5);
  probe_->has_duty_cycle_ = false;
  EXPECT_EQ(value("nearzero_probe_duty_ratio", labels), -1);
}

TEST_F(SelfMetricsTest, AboutTheAgentItself) {
  EXPECT_EQ(value("nearzero_map_memory_bytes"), 7'000'000);
  EXPECT_GT(value("nearzero_agent_resident_memory_bytes"), 1e6);
  EXPECT_GT(value("nearzero_agent_cpu_seconds_total"), 0);
  EXPECT_EQ(value("nearzero_agent_errors_total"), 3);
  EXPECT_EQ(value("nearzero_http_requests_total"), 11);
  EXPECT_EQ(value("nearzero_http_connections"), 2);
  EXPECT_EQ(value("nearzero_drain_duration_seconds"), 0.001);
  EXPECT_EQ(value("nearzero_build_info", {{"version", NZ_VERSION}, {"kernel", "6.18.0-test"}}), 1);
  EXPECT_EQ(value("nearzero_target_processes", {{"target", "demo"}}), 0);
}

TEST_F(SelfMetricsTest, EachTargetNamesTheServiceItIs) {
  EXPECT_EQ(value("nearzero_target_info", {{"target", "demo"}}), 1)
      << "also without labels: a join with it must not lose the target";
  config::Target demo = *env_.tracker().target(1);
  demo.labels = {"gateway", "gateway-1:9100"};
  env_.tracker().configure({demo});  // as a reload does
  EXPECT_EQ(value("nearzero_target_info", {{"target", "demo"},
                                           {"service_job", "gateway"},
                                           {"service_instance", "gateway-1:9100"}}),
            1);
  EXPECT_EQ(value("nearzero_target_info", {{"target", "demo"}}), -1);
}

TEST_F(SelfMetricsTest, TextFromOutsideIsStillJson) {
  probe_->status_ = {{"stages:\xff\"", "demo", 0, false, "caf\xe9\n"}};
  EXPECT_NO_THROW(health());
}

}  // namespace
}  // namespace nz::agent
