// All of it together: a rule file, a receiver, restarts, silences, the control socket's lines.
#include "userspace/alerts/service.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/test_scene.h"
#include "userspace/base/test_eventually.h"
#include "userspace/client/test_server.h"

namespace nz::alerts {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::kNow;
using testing::Scene;

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "nz-alerts.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    server_.server.Post("/", [this](const httplib::Request& request, httplib::Response&) {
      const std::lock_guard lock(mutex_);
      const json body = json::parse(request.body);
      for (const json& alert : body["alerts"])
        told_.push_back(alert["status"].get<std::string>() + " " +
                        alert["labels"]["alertname"].get<std::string>());
    });
    server_.start();
    write_rules(
        "rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}, keep_firing_for: "
        "0s}\n");
    scene.gauge("nearzero_off", {}, 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write_rules(const std::string& rules) {
    std::ofstream(folder_ + "/rules.yaml")
        << "receivers:\n  - name: hook\n    webhook: {url: '" << server_.url()
        << "/', group_wait: 0s, group_interval: 0s}\n"
        << rules;
  }
  [[nodiscard]] Service::Options options() const {
    Service::Options o;
    o.rule_files = {folder_ + "/rules.yaml"};
    o.state_file = folder_ + "/alerts.json";
    o.host = "h";
    o.now = [this] { return now.load(); };
    return o;
  }
  bool told(const std::vector<std::string>& what) {
    const bool all = eventually([&] {
      const std::lock_guard lock(mutex_);
      return told_ == what;
    });
    if (all) return true;
    const std::lock_guard lock(mutex_);
    ADD_FAILURE() << ::testing::PrintToString(told_);
    return false;
  }
  Engine::Changes step(Service& service) {
    now = now + 10;
    return service.step(scene, now);
  }

  Scene scene;
  std::atomic<double> now{kNow};
  std::string folder_;

 private:
  std::mutex mutex_;
  std::vector<std::string> told_;
  client::testing::Server server_;  // ends first: its threads use the others
};

TEST_F(ServiceTest, ARestartInBetweenLosesNothingAndRepeatsNothing) {
  {
    Service service(options());
    EXPECT_EQ(step(service).fired.size(), 1U);
    EXPECT_TRUE(told({"firing A"}));
  }
  {
    Service service(options());
    EXPECT_EQ(step(service).fired.size(), 0U);
    ASSERT_EQ(service.alerts().size(), 1U);
    EXPECT_EQ(service.alerts()[0].state, State::firing);
  }
  scene.series[0].value = 0;
  {
    Service service(options());
    EXPECT_EQ(step(service).resolved.size(), 1U);
    EXPECT_TRUE(told({"firing A", "resolved A"}));
  }
}

TEST_F(ServiceTest, AStateThatIsDamagedIsSetAside) {
  std::ofstream(folder_ + "/alerts.json") << "{\"version\":1,\"engi";
  Service service(options());
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/alerts.json.damaged"));
  EXPECT_EQ(step(service).fired.size(), 1U);
  EXPECT_TRUE(told({"firing A"}));
}

TEST_F(ServiceTest, AStateThatCannotBeReadIsSetAside) {
  std::filesystem::create_directory(folder_ + "/alerts.json");
  {
    Service service(options());
    EXPECT_EQ(step(service).fired.size(), 1U);
  }
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/alerts.json.damaged"));
  EXPECT_TRUE(std::filesystem::is_regular_file(folder_ + "/alerts.json"));
}

TEST_F(ServiceTest, AStateOfAnotherFormIsSetAside) {
  {
    Service service(options());
    EXPECT_EQ(step(service).fired.size(), 1U);
  }
  json state;
  std::ifstream(folder_ + "/alerts.json") >> state;
  for (const json& odd : {json(), json::array(), json("text")}) {
    state["receivers"] = odd;
    std::ofstream(folder_ + "/alerts.json") << state.dump();
    const Service service(options());
    EXPECT_TRUE(std::filesystem::remove(folder_ + "/alerts.json.damaged")) << odd.dump();
  }
}

TEST_F(ServiceTest, AStateThatCannotBeWrittenStopsNothing) {
  Service::Options o = options();
  o.state_file = folder_ + "/missing/alerts.json";
  Service service(o);
  EXPECT_EQ(step(service).fired.size(), 1U);
  EXPECT_TRUE(told({"firing A"}));
  const auto is_counted = [&] {
    std::vector<metrics::Family> families;
    service.collect(families);
    return std::any_of(families.begin(), families.end(), [](const metrics::Family& family) {
      return family.name == "nearzero_alert_state_errors_total" && family.samples[0].value > 0;
    });
  };
  EXPECT_TRUE(eventually(is_counted));
}

TEST_F(ServiceTest, SilencesHoldOverARestart) {
  std::string id;
  {
    Service service(options());
    const auto answer = service.command(
        R"(silence add {"matchers":"alertname=\"A\"","seconds":60,"comment":"works"})");
    ASSERT_TRUE(answer);
    id = json::parse(*answer)["id"].get<std::string>();
    EXPECT_EQ(step(service).fired.size(), 1U) << "it fires all the same";
    EXPECT_EQ(service.alerts()[0].silenced_by, id);
  }
  Service service(options());
  step(service);
  EXPECT_EQ(service.alerts()[0].silenced_by, id);
  EXPECT_THAT(*service.command("silences"), HasSubstr("works"));
  EXPECT_TRUE(told({}));
  EXPECT_EQ(*service.command("silence remove " + id), "removed " + id + "\n");
  EXPECT_TRUE(told({"firing A"}));
  EXPECT_THAT(*service.command("silence remove " + id), ::testing::StartsWith("error: "));
}

TEST_F(ServiceTest, AnswersItsOwnLinesAlone) {
  Service service(options());
  step(service);
  EXPECT_FALSE(service.command("status"));
  EXPECT_FALSE(service.command("silence"));
  for (const char* bad :
       {"silence add", "silence add {", "silence add {\"matchers\":1,\"seconds\":1}",
        "silence add {\"matchers\":\"a=b\",\"seconds\":1}",
        "silence add {\"matchers\":\"\",\"seconds\":1}"}) {
    const auto answer = service.command(bad);
    if (answer) {
      EXPECT_THAT(*answer, ::testing::StartsWith("error: ")) << bad;
    }
  }
  const json list = json::parse(*service.command("alerts"));
  ASSERT_EQ(list["alerts"].size(), 1U);
  const Alert alert = alert_from_json(list["alerts"][0]);
  EXPECT_EQ(alert.rule, "A");
  EXPECT_EQ(list["rules"], 1);
  EXPECT_EQ(list["receivers"][0]["name"], "hook");
}

TEST_F(ServiceTest, ReloadKeepsWhatStays) {
  write_rules(
      "rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}}\n"
      "  - {name: Bad, threshold: {series: nearzero_of, above: 0}}\n");
  Service service(options());
  EXPECT_EQ(step(service).fired.size(), 1U);
  EXPECT_TRUE(told({"firing A"}));
  EXPECT_EQ(service.file()->bad_rules, 1U);
  write_rules(
      "rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}}\n"
      "  - {name: B, threshold: {series: nearzero_off, above: 0}}\n");
  service.reload(options().rule_files);
  const auto changes = step(service);
  ASSERT_EQ(changes.fired.size(), 1U);
  EXPECT_EQ(changes.fired[0].rule, "B");
  EXPECT_TRUE(told({"firing A", "firing B"}));
  EXPECT_EQ(service.file()->bad_rules, 0U);
  write_rules("rules: [\n");
  service.reload(options().rule_files);
  EXPECT_TRUE(step(service).resolved.empty()) << "a mistake in an editor ends nothing";
  EXPECT_EQ(service.file()->rules.size(), 2U);
  EXPECT_EQ(service.file()->problems.size(), 1U);
  write_rules("rules: []\n");
  service.reload(options().rule_files);
  EXPECT_EQ(step(service).resolved.size(), 2U) << "no rule is left";
}

TEST_F(ServiceTest, WhatAReceiverWasToldOutlivesAMistakeInIt) {
  const std::string rules =
      "rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}, keep_firing_for: 0s}\n";
  Service service(options());
  EXPECT_EQ(step(service).fired.size(), 1U);
  EXPECT_TRUE(told({"firing A"}));
  EXPECT_TRUE(eventually(
      [&] { return json::parse(*service.command("alerts"))["receivers"][0]["waiting"] == 0; }));
  std::ofstream(folder_ + "/rules.yaml") << "receivers: [{name: hook, webhook: {url: nonsense}}]\n"
                                         << rules;
  service.reload(options().rule_files);
  EXPECT_TRUE(step(service).resolved.empty());
  write_rules(rules);
  service.reload(options().rule_files);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  scene.series[0].value = 0;
  EXPECT_EQ(step(service).resolved.size(), 1U);
  EXPECT_TRUE(told({"firing A", "resolved A"})) << "told neither twice nor not at all";
}

TEST_F(ServiceTest, RulesThatCannotBeReadAtTheStartEndNothing) {
  {
    Service service(options());
    EXPECT_EQ(step(service).fired.size(), 1U);
    EXPECT_TRUE(told({"firing A"}));
  }
  const std::string rules = folder_ + "/rules.yaml";
  std::filesystem::rename(rules, rules + ".away");
  {
    Service service(options());
    EXPECT_TRUE(step(service).resolved.empty());
    EXPECT_EQ(service.alerts().size(), 1U);
  }
  std::filesystem::rename(rules + ".away", rules);
  Service service(options());
  EXPECT_TRUE(step(service).fired.empty());
  EXPECT_EQ(service.alerts()[0].state, State::firing);
  scene.series[0].value = 0;
  EXPECT_EQ(step(service).resolved.size(), 1U);
  EXPECT_TRUE(told({"firing A", "resolved A"})) << "nor was anybody told twice";
}

TEST_F(ServiceTest, ExportsItsState) {
  Service service(options());
  step(service);
  EXPECT_TRUE(told({"firing A"}));
  std::vector<metrics::Family> families;
  const auto value = [&](const std::string& name, const analysis::Labels& labels) -> double {
    for (const auto& family : families) {
      if (family.name != name) continue;
      for (const auto& sample : family.samples) {
        if (analysis::has_labels(sample.labels, labels)) return sample.value;
      }
    }
    return -1;
  };
  // The receiver has it before its courier has read the answer.
  EXPECT_TRUE(eventually([&] {
    families.clear();
    service.collect(families);
    return value("nearzero_alert_queue_length", {{"receiver", "hook"}}) == 0;
  }));
  EXPECT_EQ(value("nearzero_alerts", {{"rule", "A"}, {"state", "firing"}, {"severity", "warning"}}),
            1);
  EXPECT_EQ(value("nearzero_alerts", {{"rule", "A"}, {"state", "pending"}}), 0);
  EXPECT_EQ(value("nearzero_alert_rules", {}), 1);
  EXPECT_EQ(value("nearzero_alert_rule_errors", {}), 0);
  EXPECT_EQ(value("nearzero_alert_rule_no_data", {{"rule", "A"}}), 0);
  EXPECT_EQ(value("nearzero_alert_notifications_total", {{"receiver", "hook"}, {"result", "ok"}}),
            1);
  for (const auto& family : families) EXPECT_FALSE(family.help.empty()) << family.name;
}

}  // namespace
}  // namespace nz::alerts
