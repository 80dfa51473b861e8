// Every PromQL expression that ships (panels, variables, rules) against real Prometheus with the
// demo's data, stored as classic and as native histograms; and the join with a service's own
// metrics.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <regex>

#include "tests/dashboards/dashboards.h"
#include "tests/live/harness/agent.h"
#include "tests/pipeline/demo.h"
#include "tests/pipeline/families.h"
#include "tests/pipeline/prometheus.h"
#include "tests/pipeline/service_metrics.h"

namespace nz::pipeline {
namespace {

using dashboards::Dashboard;
using dashboards::Expression;
using nlohmann::json;

// The shipped rules, evaluated every second instead of every 30.
std::string quick_rules() {
  return std::regex_replace(dashboards::repository_file("configs/prometheus/nearzero.rules.yml"),
                            std::regex("interval: 30s"), "interval: 1s");
}

struct Outcome {
  size_t series = 0;  ///< all that were returned
  size_t finite = 0;  ///< those with at least one finite value
  bool infinite = false;
  std::string error;
};

void look_at(const std::string& text, Outcome& outcome, bool& finite) {
  const double v = std::stod(text);
  finite = finite || std::isfinite(v);
  outcome.infinite = outcome.infinite || std::isinf(v);
}

// A matrix or a vector; a native histogram counts by its sum.
Outcome judge(const json& answer) {
  Outcome outcome;
  if (answer.value("status", "") != "success") {
    outcome.error = answer.dump();
    return outcome;
  }
  for (const json& series : answer["data"]["result"]) {
    ++outcome.series;
    bool finite = false;
    if (series.contains("value")) look_at(series["value"][1], outcome, finite);
    if (series.contains("histogram")) look_at(series["histogram"][1]["sum"], outcome, finite);
    for (const json& point : series.value("values", json::array()))
      look_at(point[1], outcome, finite);
    for (const json& point : series.value("histograms", json::array()))
      look_at(point[1]["sum"], outcome, finite);
    outcome.finite += finite ? 1 : 0;
  }
  return outcome;
}

class DashboardsPipeline : public ::testing::Test {
 protected:
  struct Everything {
    ServiceMetrics service;
    live::Agent agent{demo_yaml("    labels: {job: order-gateway, instance: 'gateway-1:9100'}\n")};
    Prometheus text{agent.port(), false, service.job(), quick_rules()};
    Prometheus native{agent.port(), true, service.job(), quick_rules()};
    live::Workload demo{"nz-demo", {"--rate", "500", "--duration", "0"}};
    std::set<std::string> exported;  ///< families on /metrics

    std::vector<std::pair<const char*, const Prometheus*>> both() const {
      return {{"classic", &text}, {"native", &native}};
    }
  };
  static Everything* all_;

  static void SetUpTestSuite() {
    all_ = new Everything;
    ASSERT_TRUE(all_->agent.has_member(all_->demo.pid(), 30));
    all_->demo.go();
    live::sleep_seconds(15);  // longer than the window of the queries
    static const std::regex kType("# TYPE (\\S+) ");
    const std::string metrics = all_->agent.get("/metrics");
    for (std::sregex_iterator i(metrics.begin(), metrics.end(), kType), end; i != end; ++i)
      all_->exported.insert((*i)[1]);
    ASSERT_GT(all_->exported.size(), 30U) << metrics.substr(0, 2000);
  }
  static void TearDownTestSuite() {
    delete all_;
    all_ = nullptr;
  }

  // "All", which Grafana sends as the list of values, or one of each.
  static std::map<std::string, std::string> choices(bool everything) {
    const std::string instance = "127.0.0.1:" + std::to_string(all_->agent.port());
    if (!everything) return {{"instance", instance}, {"target", "demo"}, {"stage", "persist"}};
    return {{"instance", "(" + instance + "|other:9718)"},
            {"target", "(demo|another)"},
            {"stage", "(market_data|signal|risk|persist|order)"}};
  }

  // Families of an expression, through the rules that it refers to.
  static std::set<std::string> families_of(const std::string& promql,
                                           const std::map<std::string, std::string>& rules) {
    std::set<std::string> families;
    for (const std::string& metric : dashboards::metrics_of(promql)) {
      if (metric.find(':') == std::string::npos) {
        families.insert(dashboards::family_of(metric));
      } else if (const auto rule = rules.find(metric); rule != rules.end()) {
        families.merge(families_of(rule->second, rules));
      } else {
        ADD_FAILURE() << promql << ": no rule records " << metric;
      }
    }
    return families;
  }

  // Why a query may give nothing: "" when it must answer. What is exported is asserted, unless it
  // is known to be silent.
  static std::string excuse(const std::set<std::string>& families) {
    for (const std::string& family : families) {
      const bool there = all_->exported.contains(family);
      const auto& reasons = there ? may_be_silent() : may_be_absent();
      if (const auto known = reasons.find(family); known != reasons.end())
        return family + ": " + known->second;
    }
    return "";
  }

  static void expect_answer(const std::string& where, const std::string& promql,
                            const std::string& why_not, const Outcome& outcome) {
    EXPECT_EQ(outcome.error, "") << where << ": " << promql;
    EXPECT_FALSE(outcome.infinite) << where << ": " << promql;
    if (!why_not.empty()) {
      excused_.insert(where + " (" + why_not + ")");
      return;
    }
    EXPECT_GE(outcome.finite, 1U) << where << ": " << outcome.series
                                  << " series, none with a finite value: " << promql;
  }

  static json range(const Prometheus& prometheus, const std::string& promql) {
    const double now = static_cast<double>(time(nullptr));
    return prometheus.get("/api/v1/query_range", {{"query", promql},
                                                  {"start", std::to_string(now - 5)},
                                                  {"end", std::to_string(now)},
                                                  {"step", "1"}});
  }

  static std::set<std::string> excused_;
};

DashboardsPipeline::Everything* DashboardsPipeline::all_ = nullptr;
std::set<std::string> DashboardsPipeline::excused_;

TEST_F(DashboardsPipeline, EveryPanelAnswers) {
  size_t asked = 0;
  for (const Dashboard& d : dashboards::shipped()) {
    for (const Expression& e : d.expressions()) {
      const auto families = families_of(e.promql, {});
      EXPECT_FALSE(families.empty()) << e.where;
      const auto reason = panels_that_may_be_empty().find(e.where);
      const std::string why_not =
          reason != panels_that_may_be_empty().end() ? reason->second : excuse(families);
      for (const auto& [kind, prometheus] : all_->both()) {
        // "All" with the one, one of each with the other: each query in two forms.
        const auto promql =
            dashboards::with_variables(e.promql, choices(prometheus == &all_->native), "10s");
        EXPECT_EQ(promql.find('$'), std::string::npos) << promql;
        expect_answer(e.where + ", " + kind, promql, why_not, judge(range(*prometheus, promql)));
        ++asked;
      }
    }
  }
  std::printf("%zu queries; with an excuse:\n", asked);
  for (const std::string& e : excused_) std::printf("  %s\n", e.c_str());
  EXPECT_GT(asked, 200U);
  excused_.clear();
}

TEST_F(DashboardsPipeline, EveryVariableHasChoices) {
  static const std::regex kLabelValues(R"(label_values\((.*), (\w+)\))");
  for (const Dashboard& d : dashboards::shipped()) {
    for (const auto& [name, definition] : d.variables()) {
      std::smatch parts;
      ASSERT_TRUE(std::regex_match(definition, parts, kLabelValues)) << definition;
      const auto selector = dashboards::with_variables(parts[1], choices(true), "10s");
      for (const auto& [kind, prometheus] : all_->both()) {
        const json answer =
            prometheus->get("/api/v1/label/" + parts[2].str() + "/values", {{"match[]", selector}});
        const auto values = answer["data"].get<std::set<std::string>>();
        EXPECT_TRUE(values.contains(choices(false).at(name)))
            << d.file << " " << name << ", " << kind << ": " << answer.dump();
      }
    }
  }
}

TEST_F(DashboardsPipeline, EveryRuleRecords) {
  const auto records =
      dashboards::records_of(dashboards::repository_file("configs/prometheus/nearzero.rules.yml"));
  for (const auto& [kind, prometheus] : all_->both()) {
    std::map<std::string, std::string> rules;
    const json answer = prometheus->get("/api/v1/rules");
    for (const json& group : answer["data"]["groups"]) {
      for (const json& rule : group["rules"]) {
        EXPECT_EQ(rule.value("health", ""), "ok") << rule.dump();
        rules[rule["name"]] = rule["query"];
      }
    }
    EXPECT_EQ(rules.size(), records.size());
    for (const auto& [record, promql] : rules) {
      const std::string why_not = excuse(families_of(promql, rules));
      expect_answer(record + ", " + kind, promql, why_not,
                    judge(prometheus->get("/api/v1/query", {{"query", record}})));
    }
  }
  for (const std::string& e : excused_) std::printf("  %s\n", e.c_str());
  excused_.clear();
}

// Quantiles come from the native histogram where there is one: there they lie inside its narrow
// bucket, and the classic ones of the same data within the wide one around it.
TEST_F(DashboardsPipeline, NativeAndClassicRulesAgree) {
  const std::string p99 =
      "instance_target_stage:nearzero_order_stage_duration_seconds:p99_rate5m{stage=\"signal\"}";
  const double classic = all_->text.value(p99);
  const double native = all_->native.value(p99);
  EXPECT_GT(native, 50e-6) << "compute_signal takes about 100 us";
  EXPECT_NEAR(classic, native, native * 0.5);
  const std::string mean =
      "instance_target_stage:nearzero_order_stage_duration_seconds:mean_rate5m{stage=\"signal\"}";
  EXPECT_NEAR(all_->text.value(mean), all_->native.value(mean), all_->native.value(mean) * 0.2);
}

TEST_F(DashboardsPipeline, SeriesJoinWithTheServicesOwn) {
  // By a rule, whose series carry the service's job and instance: nothing special is needed.
  const std::string by_rule =
      "target_stage:nearzero_service_stage_completed:rate5m{stage=\"persist\"}"
      " / on (job, instance) group_left () orders_in_queue";
  const std::string orders =
      "instance_target_stage:nearzero_order_stage_completed:rate5m{stage=\"persist\"}";
  // By hand, as docs/prometheus.md says.
  const std::string rate = "rate(nearzero_order_stage_completed_total{stage=\"persist\"}[10s])";
  const std::string by_hand =
      "label_replace(label_replace(" + rate +
      " * on (job, instance, target) group_left (service_job, service_instance)"
      " nearzero_target_info{service_job!=\"\"}, \"job\", \"$1\", \"service_job\", \"(.+)\"),"
      " \"instance\", \"$1\", \"service_instance\", \"(.+)\")"
      " / on (job, instance) group_left () orders_in_queue";
  for (const auto& [kind, prometheus] : all_->both()) {
    const auto joined = prometheus->query(by_rule);
    ASSERT_EQ(joined.size(), 1U) << kind;
    EXPECT_EQ(joined[0].labels.at("job"), "order-gateway");
    EXPECT_EQ(joined[0].labels.at("instance"), "gateway-1:9100");
    EXPECT_EQ(joined[0].labels.at("target"), "demo");
    EXPECT_EQ(joined[0].labels.count("service_job"), 0U);
    // Divided in one query: both at the same moment.
    EXPECT_NEAR(prometheus->value("max(" + by_rule + ") / max(" + orders + ")"), 0.25, 0.025)
        << kind << ": the two rules are evaluated up to a second apart";
    EXPECT_GT(prometheus->value(orders), 10) << kind;
    EXPECT_DOUBLE_EQ(prometheus->value("max(" + by_hand + ") / max(" + rate + ")"), 0.25) << kind;
  }
}

// Last: it changes the agent's labels. What is attached stays, and no counter begins anew.
TEST_F(DashboardsPipeline, ZLabelsChangeByAReloadWithoutDetaching) {
  const std::string completed = "nearzero_order_stage_completed_total{stage=\"persist\"}";
  const double before = all_->text.value(completed);
  std::string yaml;
  {
    std::ifstream in(all_->agent.config_file());
    yaml.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::ofstream(all_->agent.config_file())
      << std::regex_replace(yaml, std::regex("gateway-1:9100"), "gateway-2:9100");
  all_->agent.program().signal(SIGHUP);
  ASSERT_TRUE(all_->agent.program().wait_for_text("configuration reloaded", 10));
  live::sleep_seconds(2.5);
  EXPECT_EQ(all_->text.value("nearzero_target_info{service_instance=\"gateway-2:9100\"}"), 1);
  EXPECT_TRUE(
      all_->text.query("nearzero_target_info{service_instance=\"gateway-1:9100\"}").empty());
  EXPECT_GT(all_->text.value(completed), before);
  EXPECT_EQ(all_->text.value("resets(" + completed + "[1m])"), 0);
}

}  // namespace
}  // namespace nz::pipeline
