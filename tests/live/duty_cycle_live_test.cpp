// The duty cycle on real processes: the budget is held, rates and quantiles stay true, every start
// is accounted for, and while a target rests its text is that of its file.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/live/harness/machine.h"
#include "tests/live/kernel_view.h"
#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The exported maximum is that of the last second; this one is of all time, to within a bucket.
double longest(analysis::Histogram h) {
  h.max_ns = 0;
  return h.quantile(1);
}

const cli::Labels kStages{{"probe", "stages"}, {"target", "demo"}};

double observed(const cli::LiveData& data) {
  return value_of(data, "nearzero_probe_observed_seconds_total", kStages);
}

double cost(const cli::LiveData& data) {
  return value_of(data, "nearzero_probe_cost_seconds_total", {{"target", "demo"}});
}

std::string demo_yaml(pid_t pid, const std::string& budget) {
  return "overhead: {per_target: " + budget + ", calibrate: false}\ntargets:\n" +
         target_yaml("demo", pid,
                     {span_stage("risk", "demo::check_risk", "demo::persist_order"),
                      span_stage("order", "demo::on_market_data", "demo::acknowledge"),
                      function_stage("signal", "demo::compute_signal")}) +
         "    sqlite: true\n    syscalls: true\n";
}

TEST(DutyCycle, HoldsTheBudgetAndStaysTrue) {
  const std::string truth_file = temporary_file("truth.json", "");
  Workload demo("nz-demo", {"--rate", "1500", "--duration", "26", "--truth", truth_file});
  Agent agent(demo_yaml(demo.pid(), "3%"), true);
  ASSERT_TRUE(agent.has_member(demo.pid()));
  demo.go();
  ASSERT_TRUE(eventually(
      [&] { return value_of(agent.fetch(), "nearzero_probe_duty_ratio", kStages) < 1; }, 20));
  sleep_seconds(2);
  const auto before = agent.fetch();
  sleep_seconds(10);  // two periods
  const auto after = agent.fetch();

  const double ratio = value_of(after, "nearzero_probe_duty_ratio", kStages);
  const double observed_seconds = observed(after) - observed(before);
  std::printf("duty ratio %.3f, observed %.2f s of 10 s, cost %.3f %% of a core\n", ratio,
              observed_seconds, (cost(after) - cost(before)) / 10 * 100);
  EXPECT_GT(ratio, 0.019);
  EXPECT_LT(ratio, 0.9);
  EXPECT_GT(observed_seconds, 0.15);
  EXPECT_LT(observed_seconds, 9);
  // It aims lower; the scheduler, which cannot be paused, is in the account.
  EXPECT_LT((cost(after) - cost(before)) / 10, 0.03);

  EXPECT_EQ(demo.wait(60), 0);
  agent.settle();
  const auto end = agent.fetch();
  const auto truth = nlohmann::json::parse(read_text(truth_file));
  const double true_rate = truth["stages"]["demo::on_market_data"]["started"].get<double>() / 26;
  for (const char* stage : {"order", "risk", "signal"}) {
    SCOPED_TRACE(stage);
    const StageCounts c = stage_counts(end, "demo", stage);
    EXPECT_EQ(c.started, c.completed + c.abandoned() + c.in_flight);
    EXPECT_EQ(c.duration.count(), c.completed);
  }
  // No duration spans a pause: those are seconds long.
  const StageCounts order = stage_counts(end, "demo", "order");
  EXPECT_LT(longest(order.duration), 2);
  const double rate = static_cast<double>(order.started) / observed(end);
  std::printf("orders: %.1f/s observed, %.1f/s in truth; cut %lu, unmatched %lu\n", rate, true_rate,
              order.paused, order.unmatched);
  EXPECT_NEAR(rate / true_rate, 1, 0.15);
  const double p50 = order.duration.quantile(0.5);
  // Observed orders have the probes in them, others have not.
  const double probes = 0.05 * (trap_factor() - 1);
  EXPECT_NEAR(p50 / (truth["orders"]["latency"]["p50_ns"].get<double>() / 1e9), 1, 0.25 + probes);
}

TEST(DutyCycle, WhileItRestsTheTextIsThatOfTheFile) {
  Workload demo("nz-demo", {"--rate", "1500", "--duration", "60"});
  Agent agent(demo_yaml(demo.pid(), "0.1%"), true);
  ASSERT_TRUE(agent.has_member(demo.pid()));
  demo.go();
  EXPECT_GT(changed_text_bytes(demo.pid()), 0) << "it begins with a look";
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(demo.pid()) == 0; }, 10));
  EXPECT_EQ(health_row(agent, "demo", "order")["attached"], true) << "it rests, it is not broken";
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_probe_attached", kStages), 0)
      << "rows are by stage: there is no such row";
  ASSERT_TRUE(eventually([&] { return observed(agent.fetch()) > 0; }, 5)) << "told by a drain";
  const double resting = observed(agent.fetch());
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(demo.pid()) > 0; }, 10)) << "again";
  ASSERT_TRUE(eventually([&] { return observed(agent.fetch()) > resting; }, 10));

  // Off and on in the middle of a pause.
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(demo.pid()) == 0; }, 10));
  agent.control("off");
  EXPECT_EQ(agent.control("on"), "on\n");
  EXPECT_GT(changed_text_bytes(demo.pid()), 0);
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(demo.pid()) == 0; }, 10));
  EXPECT_EQ(agent.stop(), 0);
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 2));
  EXPECT_EQ(changed_text_bytes(demo.pid()), 0);
}

// Returns are seen only by who saw the entry; a pause lies between them now and then.
TEST(DutyCycle, AFunctionWithAReturnProbeStaysBalanced) {
  Workload w("nz-functions", {"--call", "nz_entry_push", "--count", "2000000000"});
  Agent agent("overhead: {per_target: 0.5%, breaker_factor: 1000, calibrate: false}\ntargets:\n" +
                  target_yaml("greedy", w.pid(), {function_stage("s", "nz_entry_push", true)}),
              true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  w.go();
  sleep_seconds(11);  // two pauses
  agent.control("off");
  const StageCounts c = stage_counts(agent.fetch(), "greedy", "s");
  EXPECT_GT(static_cast<double>(c.completed), 100'000 / trap_factor());
  EXPECT_LE(c.started - c.completed - c.abandoned(), 1U) << "one thread";
  EXPECT_LE(c.unmatched, 10U);
  EXPECT_LT(longest(c.duration), 1) << "no duration spans a pause";
}

// A process that comes while its target rests is not attached until the next look.
TEST(DutyCycle, AProcessThatComesInAPauseIsObservedAfterIt) {
  Workload busy("nz-demo", {"--rate", "1500", "--duration", "60"});
  Agent agent(
      "overhead: {per_target: 0.2%, calibrate: false}\ntargets:\n"
      "  - name: demo\n    match: {comm: nz-demo}\n    stages:\n      - {" +
          span_stage("order", "demo::on_market_data", "demo::acknowledge") + "}\n",
      true);
  ASSERT_TRUE(agent.has_member(busy.pid()));
  busy.go();
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(busy.pid()) == 0; }, 10));
  Workload late("nz-demo", {"--rate", "100", "--duration", "60"});
  ASSERT_TRUE(agent.has_member(late.pid()));
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(late.pid()) > 0; }, 10));
  EXPECT_GT(changed_text_bytes(busy.pid()), 0) << "both at once";
}

}  // namespace
}  // namespace nz::live
