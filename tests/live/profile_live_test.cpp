// The profile of a program that computes in two functions for known parts of its time: shares,
// names, stacks and counts against what the program did; whom it leaves alone, and what is left
// behind.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

constexpr const char* kMatch = "hot::Book::match";
constexpr const char* kPrice = "hot::price<unsigned long>";

std::string target_of(pid_t pid, const std::string& name = "hot") {
  return "  - name: " + name + "\n    match: {pid: " + std::to_string(pid) + "}\n";
}

class Profile : public testing::Test {
 protected:
  // A short window, so that a test sees the next one; 199 Hz, so that it has samples to tell.
  static std::string yaml(const std::string& targets, const std::string& window = "60s",
                          unsigned hz = 199) {
    return "host: false\nprofile: {hz: " + std::to_string(hz) + ", window: " + window +
           "}\ntargets:" + (targets.empty() ? " []\n" : "\n" + targets);
  }
  static nlohmann::json functions(const Agent& agent, const std::string& target = "hot") {
    const std::string body = agent.get("/performance/profile?target=" + target);
    const auto json = nlohmann::json::parse(body, nullptr, false);
    EXPECT_TRUE(json.is_object() && json.contains("functions")) << body;
    return json.value("functions", nlohmann::json::array());
  }
  static nlohmann::json function(const Agent& agent, const std::string& name) {
    for (const auto& f : functions(agent)) {
      if (f["function"] == name) return f;
    }
    return nlohmann::json::object();
  }
  static double share(const Agent& agent, const std::string& name) {
    return function(agent, name).value("share", 0.0);
  }
  static double samples(const Agent& agent, const std::string& target = "hot") {
    return value_of(agent.fetch(), "nearzero_profile_samples_total", {{"target", target}});
  }
  // Until what was sampled is named and told: at most two drains and a refresh.
  static void settle(const Agent& agent) {
    sleep_seconds(7);
    agent.settle();
  }
  static double seconds_of(const nlohmann::json& phase) {
    return (phase["match_ns"].get<double>() + phase["price_ns"].get<double>()) / 1e9;
  }
};

TEST_F(Profile, SharesNamesStacksAndCountsAreThoseOfTheProgram) {
  Workload hot("nz-hot", {"--share", "0.7", "--seconds", "6", "--linger", "20"});
  const Agent agent(yaml(target_of(hot.pid())));
  ASSERT_TRUE(agent.has_member(hot.pid()));
  hot.go();
  ASSERT_TRUE(eventually([&] { return !hot.out().empty(); }, 60));
  settle(agent);
  const auto phase = hot.json()["phases"][0];
  const double in_match = phase["match_ns"].get<double>() / 1e9 / seconds_of(phase);
  EXPECT_NEAR(in_match, 0.7, 0.1) << "the program's own account";

  EXPECT_NEAR(share(agent, kMatch), in_match, 0.1) << functions(agent).dump(1);
  EXPECT_NEAR(share(agent, kPrice), 1 - in_match, 0.1) << functions(agent).dump(1);
  EXPECT_EQ(function(agent, kMatch)["module"], "nz-hot");
  // Rate x time on CPU; ticks are lost where the hypervisor takes the CPU away.
  const double expected = 199 * seconds_of(phase);
  EXPECT_GT(samples(agent), 0.6 * expected);
  EXPECT_LT(samples(agent), 1.3 * expected);
  const cli::Labels target{{"target", "hot"}};
  // A tick that meets it while it lingers is read, and named, some drains later.
  cli::LiveData data;
  EXPECT_TRUE(eventually(
      [&] {
        data = agent.fetch();
        return value_of(data, "nearzero_hot_function_samples_total", target) ==
               value_of(data, "nearzero_profile_samples_total", target);
      },
      10))
      << "all of them are accounted for";
  EXPECT_EQ(value_of(data, "nearzero_drops_total", {{"probe", "profile"}}), 0);
  EXPECT_GT(value_of(data, "nearzero_probe_cost_seconds_total", {{"probe", "profile"}}), 0);

  const std::string folded = agent.get("/performance/profile?format=folded&target=hot");
  // It has frame pointers, and so the whole way from main.
  EXPECT_NE(folded.find("main;hot::trade;hot::Book::match "), std::string::npos) << folded;
  EXPECT_NE(folded.find("main;hot::trade;hot::price<unsigned long> "), std::string::npos) << folded;
}

TEST_F(Profile, AChangeOfTheMixIsNoticed) {
  Workload hot("nz-hot",
               {"--share", "0.8", "--seconds", "9", "--then-share", "0.2", "--then-seconds", "30"});
  const Agent agent(yaml(target_of(hot.pid()), "3s"));
  ASSERT_TRUE(agent.has_member(hot.pid()));
  hot.go();
  ASSERT_TRUE(eventually([&] { return std::abs(share(agent, kMatch) - 0.8) < 0.1; }, 9))
      << functions(agent).dump(1);
  nlohmann::json price;
  const bool noticed = eventually(
      [&] {
        price = function(agent, kPrice);
        return price.value("share", 0.0) > 0.7 && price["share_before"].is_number() &&
               price["share_before"].get<double>() < 0.5;
      },
      20);
  EXPECT_TRUE(noticed) << price.dump() << functions(agent).dump(1);
}

TEST_F(Profile, WhoIsNoTargetGivesNoSamples) {
  Workload idle("nz-hot", {"--linger", "60"});
  Workload other("nz-hot", {"--seconds", "3"});
  const Agent agent(yaml(target_of(idle.pid(), "idle")));
  ASSERT_TRUE(agent.has_member(idle.pid()));
  other.go();
  EXPECT_EQ(other.wait(60), 0);
  settle(agent);
  EXPECT_EQ(samples(agent, "idle"), 0);
  EXPECT_TRUE(functions(agent, "idle").empty());
  EXPECT_EQ(agent.get("/performance/profile?format=folded&target=idle"), "");
}

TEST_F(Profile, TicksOnlyWhileATargetHasAProcess) {
  Workload hot("nz-hot", {"--seconds", "1"});
  const Agent agent(yaml(target_of(hot.pid()), "60s", 49));
  ASSERT_TRUE(agent.has_member(hot.pid()));
  const auto rate = [&] { return value_of(agent.fetch(), "nearzero_profile_rate_hertz", {}); };
  EXPECT_TRUE(eventually([&] { return rate() == 49; }, 5));
  hot.go();
  EXPECT_EQ(hot.wait(30), 0);
  EXPECT_TRUE(eventually([&] { return rate() == 0; }, 5));
  EXPECT_TRUE(eventually([&] { return !functions(agent).empty(); }, 10))
      << "its last samples are named although it has ended";
  EXPECT_GT(share(agent, kMatch), 0.4) << functions(agent).dump(1);
}

TEST_F(Profile, ZeroHertzIsNoProfile) {
  Workload hot("nz-hot", {"--seconds", "1", "--linger", "20"});
  const Agent agent(yaml(target_of(hot.pid()), "60s", 0));
  ASSERT_TRUE(agent.has_member(hot.pid()));
  hot.go();
  sleep_seconds(2);
  agent.settle();
  EXPECT_EQ(samples(agent), 0);
  EXPECT_EQ(agent.get("/healthz").find("\"profile\""), std::string::npos);
}

TEST_F(Profile, OverTheBudgetOfATargetItSamplesTheOthersOnly) {
  Workload greedy("nz-hot", {"--seconds", "60"});
  Workload modest("nz-hot", {"--seconds", "1", "--linger", "60"});
  // A sample is estimated at some microseconds: 999 a second are beyond 0.02 % of a core.
  Agent agent(
      "overhead: {calibrate: false, duty_cycle: false, per_target: 0.02%, breaker_factor: 5, "
      "breaker_seconds: 2}\n" +
          yaml(target_of(greedy.pid(), "greedy") + target_of(modest.pid(), "modest"), "60s", 999),
      true);
  ASSERT_TRUE(agent.has_member(greedy.pid()));
  ASSERT_TRUE(agent.has_member(modest.pid()));
  const auto tripped = [&](const std::string& target) {
    return value_of(agent.fetch(), "nearzero_probe_tripped",
                    {{"probe", "profile"}, {"target", target}});
  };
  greedy.go();
  ASSERT_TRUE(agent.program().wait_for_text("breaker: profile for greedy", 15));
  ASSERT_TRUE(eventually([&] { return tripped("greedy") == 1; }, 5));
  EXPECT_EQ(tripped("modest"), 0);
  agent.settle();
  const double frozen = samples(agent, "greedy");
  EXPECT_GT(frozen, 100);

  modest.go();
  EXPECT_TRUE(eventually([&] { return samples(agent, "modest") > 100; }, 15));
  EXPECT_EQ(samples(agent, "greedy"), frozen);
  EXPECT_NE(agent.get("/healthz").find("tripped: over budget"), std::string::npos);

  EXPECT_EQ(agent.control("on"), "on\n");
  EXPECT_TRUE(eventually([&] { return samples(agent, "greedy") > frozen; }, 5));
}

TEST_F(Profile, NothingIsLeftAfterKill9) {
  Workload hot("nz-hot", {"--seconds", "30"});
  Agent agent(yaml(target_of(hot.pid())));
  ASSERT_TRUE(agent.has_member(hot.pid()));
  hot.go();
  ASSERT_TRUE(eventually([&] { return samples(agent) > 50; }, 15));
  EXPECT_TRUE(anything_loaded());
  agent.program().signal(SIGKILL);
  agent.program().wait(10);
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 10))
      << "an event that is still open would hold its program";
  EXPECT_TRUE(hot.running());
}

}  // namespace
}  // namespace nz::live
