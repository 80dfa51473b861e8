// What the agent does with history: a service that loses an index, drained each second.
#include "userspace/agent/detection.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "userspace/agent/incident_state.h"
#include "userspace/agent/regression_state.h"
#include "userspace/base/clock.h"
#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

using analysis::FindingState;
using analysis::Regression;

constexpr double kFirst = 1'764'000'000;
constexpr const char* kStage = "nearzero_order_stage_duration_seconds";
constexpr const char* kStatement = "nearzero_sqlite_statement_duration_seconds";

std::optional<targets::Process> no_process(pid_t /*pid*/, const std::string& /*proc*/) {
  return std::nullopt;
}

// 300 orders a second, each of which looks up its limits: by an index in 8 us, or by a scan that
// ends somewhere within 20,000 rows.
class Service {
 public:
  void second(bool scans) {
    at_ += 1 + jitter_(random_);
    for (int order = 0; order < 300; order++) {
      const double lookup = scans ? scan_(random_) : by_index_(random_);
      record(kStatement, lookup);
      record(kStage, lookup + arithmetic_(random_));
    }
    std::vector<metrics::Family> families;
    for (const char* name : {kStage, kStatement}) {
      families.push_back({name,
                          "",
                          metrics::Type::histogram,
                          {{{{"target", "demo"}, {"of", "risk"}},
                            0,
                            std::make_shared<const analysis::Histogram>(values_[name])}}});
    }
    history_.add(at_, families);
    detection_.step(at_, tracker_);
    changes_ += detection_.changed() ? 1 : 0;
  }

  /// Open ones that are worse, by family.
  [[nodiscard]] std::map<std::string, Regression> open() const {
    std::map<std::string, Regression> open;
    for (const Regression& r : detection_.regressions()) {
      if (r.state != FindingState::resolved && r.worse) open[r.of.name] = r;
    }
    return open;
  }
  void tell(analysis::Event event) { detection_.tell(std::move(event)); }
  [[nodiscard]] const std::vector<analysis::Incident>& incidents() const {
    return detection_.incidents();
  }
  [[nodiscard]] double at() const { return at_; }
  [[nodiscard]] int changes() const { return changes_; }

 private:
  void record(const char* name, double seconds) {
    values_[name].record(static_cast<std::uint64_t>(std::llround(seconds * 1e9)));
  }

  std::mt19937_64 random_{1};
  std::uniform_real_distribution<double> jitter_{-2e-3, 2e-3}, scan_{20e-6, 1500e-6};
  std::lognormal_distribution<double> by_index_{std::log(8e-6), 0.1};
  std::lognormal_distribution<double> arithmetic_{std::log(100e-6), 0.05};
  std::map<std::string, analysis::Histogram> values_;
  double at_ = kFirst;
  history::History history_{history::History::Options{}};
  targets::Tracker tracker_{&no_process};
  Detection detection_{history_, nullptr};
  int changes_ = 0;
};

class DetectionTest : public testing::TestWithParam<int> {};

// Whatever the moment between two looks. scripts/bench regression-alert is the same with a demo.
TEST_P(DetectionTest, ALostIndexIsToldInTimeSinceWhenAndItsEnd) {
  Service service;
  for (int i = 0; i < GetParam(); i++) {
    service.second(false);
    ASSERT_TRUE(service.open().empty()) << i;
  }
  const double loss = service.at();
  std::map<std::string, double> told;
  for (int i = 0; i < 200; i++) {
    service.second(true);
    for (const auto& [name, regression] : service.open()) {
      if (!told.emplace(name, service.at()).second) continue;
      EXPECT_LE(service.at() - loss, 92) << name;
      EXPECT_NEAR(regression.since, loss, 10) << name;
      EXPECT_GE(regression.after / regression.before, 3) << name;
      EXPECT_GE(regression.confidence, 0.99) << name;
    }
  }
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(service.open().size(), 2U) << "it lasts";
  const double cure = service.at();
  int seconds = 0;
  for (; seconds < 240 && !service.open().empty(); seconds++) service.second(false);
  EXPECT_TRUE(service.open().empty());
  EXPECT_GE(service.at() - cure, 30) << "one good look is no cure";
  EXPECT_GE(service.changes(), 2);
  for (int i = 0; i < 120; i++) service.second(false);
  EXPECT_TRUE(service.open().empty());
}

INSTANTIATE_TEST_SUITE_P(Moments, DetectionTest, testing::Values(340, 343, 346, 348));

TEST(Detection, AnIncidentTellsWhatHappenedThen) {
  Service service;
  for (int i = 0; i < 3000; i++) service.second(false);
  const double loss = service.at();
  service.tell({loss - 5000, "process_start", "demo", "long before"});
  service.tell({loss - 20, "config_reload", "host", "the configuration was read again"});
  service.tell({loss - 10, "new_build", "another", "of another service"});
  for (int i = 0; i < 60; i++) service.second(true);
  bool told = false;
  for (const analysis::Incident& incident : service.incidents()) {
    if (incident.since < loss - 20) continue;  // a false alarm a month is in the contract
    told = true;
    ASSERT_EQ(incident.events.size(), 1U);
    EXPECT_EQ(incident.events[0].kind, "config_reload");
  }
  EXPECT_TRUE(told);
}

std::optional<targets::Process> gateway(pid_t pid, const std::string& /*proc*/) {
  targets::Process process;
  process.pid = pid;
  process.start_time = 1;
  process.comm = "gateway";
  process.exe = "/opt/gateway";
  return process;
}

TEST(Detection, BuildsAreKnownAfterARestart) {
  const store::testing::Folder folder;
  const auto store = store::testing::open_store({.path = folder.file()});
  ASSERT_NE(store, nullptr);
  config::Target target;
  target.name = "orders";
  target.match.comm = "gateway";
  targets::Tracker tracker(&gateway);
  tracker.configure({target});
  // Its executable is this test, which itself is never looked at.
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  ASSERT_GT(child, 0);
  tracker.scan({child});
  ASSERT_EQ(tracker.members().size(), 1U);
  const history::History history{history::History::Options{}};
  const auto new_builds = [&] {
    Detection detection(history, store.get());
    detection.step(kFirst, tracker);
    int count = 0;
    for (const analysis::Event& event : detection.events())
      count += event.kind == "new_build" ? 1 : 0;
    return count;
  };
  EXPECT_EQ(new_builds(), 0) << "nothing is known of before";
  EXPECT_EQ(new_builds(), 0) << "the same";
  const auto put = store->put_state(
      "target_builds", R"([{"of":"orders\n/opt/gateway","build":"aaaaaaaaaaaaaaaa","seen":1}])");
  ASSERT_TRUE(put) << put.error().text();
  EXPECT_EQ(new_builds(), 1);
  EXPECT_EQ(new_builds(), 0) << "told once";
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(Detection, EventsAreKnownAfterARestart) {
  const store::testing::Folder folder;
  const history::History history{history::History::Options{}};
  const double now = unix_seconds();
  for (const bool first : {true, false}) {
    const auto store = store::testing::open_store({.path = folder.file()});
    ASSERT_NE(store, nullptr);
    Detection detection(history, store.get());
    if (first) {
      detection.tell({now - 3 * 86400.0, "new_build", "demo", "three days ago"});
      detection.tell({now - 60, "config_reload", "host", "a minute ago"});
      continue;
    }
    ASSERT_EQ(detection.events().size(), 1U);
    EXPECT_EQ(detection.events().front().kind, "config_reload");
    EXPECT_EQ(detection.events().front().text, "a minute ago");
  }
}

// Since before kFirst, and it lasts.
Regression more_threads() {
  Regression known;
  known.id = "r";
  known.of = {"nearzero_target_threads", {{"target", "demo"}}, "value", ""};
  known.worse = true;
  known.before = 100;
  known.after = 150;
  known.since = known.earliest = known.latest = kFirst - 100;
  known.confidence = 0.999;
  known.state = FindingState::ongoing;
  return known;
}

TEST(Detection, AFurtherStepOutlivesARestart) {
  const store::testing::Folder folder;
  const auto store = store::testing::open_store({.path = folder.file()});
  ASSERT_NE(store, nullptr);
  const Regression known = more_threads();
  ASSERT_TRUE(store->put_state("regressions", save_regressions({known})));
  history::History history{history::History::Options{}};
  const targets::Tracker tracker{&no_process};
  Detection detection(history, store.get(), kFirst);
  std::mt19937_64 random{1};
  std::normal_distribution<double> noise{0, 1};
  for (int look = 0; look < 700; look++) {
    const double at = kFirst + 10.0 * look;
    const double threads = (look < 600 ? 150 : 300) + noise(random);
    history.add(at, {store::testing::gauge("nearzero_target_threads", threads, known.of.labels)});
    detection.step(at, tracker);
    EXPECT_FALSE(detection.changed()) << "nothing began or ended, " << look;
  }
  const auto kept = restore_regressions(store->get_state("regressions").value_or(""));
  ASSERT_TRUE(kept) << kept.error().text();
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->at(0).since, known.since);
  EXPECT_NEAR(kept->at(0).after, 300, 10);
}

TEST(Detection, AFileThatIsBegunAnewGetsRegressionsThatLast) {
  const store::testing::Folder folder;
  const auto store = store::testing::open_store({.path = folder.file()});
  ASSERT_NE(store, nullptr);
  const Regression known = more_threads();
  ASSERT_TRUE(store->put_state("regressions", save_regressions({known})));
  history::History history{history::History::Options{}};
  const targets::Tracker tracker{&no_process};
  Detection detection(history, store.get(), kFirst);
  for (int second = 0; second <= 700; second += 10) {
    const double at = kFirst + second;
    history.add(at, {store::testing::gauge("nearzero_target_threads", 150, known.of.labels)});
    detection.step(at, tracker);
    if (second == 50) store->remove_state("regressions");
  }
  const auto kept = restore_regressions(store->get_state("regressions").value_or(""));
  ASSERT_TRUE(kept) << kept.error().text();
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->at(0).id, known.id);
  EXPECT_EQ(kept->at(0).state, FindingState::ongoing);
}

// Open since kFirst, seen last a minute later: it ends three minutes after that.
analysis::IncidentGrouper::Open open_incident() {
  analysis::IncidentGrouper::Open open;
  open.incident.id = "x";
  open.incident.since = kFirst;
  open.incident.members = {{{kStage, {{"target", "demo"}}, "p99", "seconds"}, kFirst, 2, 1, 0.999}};
  open.last_joined = kFirst;
  open.last_seen = kFirst + 60;
  return open;
}

class DetectionOfIncidents : public testing::Test {
 protected:
  DetectionOfIncidents() { put("incidents", save_incidents({open_incident()})); }
  void put(const std::string& key, const std::string& value) const {
    const auto done = store_->put_state(key, value);
    EXPECT_TRUE(done) << done.error().text();
  }
  // A look of `detection`, from the second drain on.
  void drain(Detection& detection, double at) {
    history_.add(at, {store::testing::gauge("nearzero_off", 0)});
    detection.step(at, tracker_);
  }

  const store::testing::Folder folder_;
  const std::unique_ptr<store::Store> store_ = store::testing::open_store({.path = folder_.file()});
  history::History history_{history::History::Options{}};
  const targets::Tracker tracker_{&no_process};
};

TEST_F(DetectionOfIncidents, GoOnAfterARestartOrHaveEnded) {
  store_->add_event({kFirst - 20, "config_reload", "host", "before the restart"});
  {
    const Detection detection(history_, store_.get(), kFirst + 100);
    ASSERT_EQ(detection.incidents().size(), 1U);
    EXPECT_EQ(detection.incidents()[0].id, "x");
    EXPECT_EQ(detection.incidents()[0].since, kFirst);
    EXPECT_EQ(detection.incidents()[0].until, 0);
    ASSERT_EQ(detection.incidents()[0].events.size(), 1U);
    EXPECT_EQ(detection.incidents()[0].events[0].text, "before the restart");
  }
  {
    const Detection detection(history_, store_.get(), kFirst + 3600);
    ASSERT_EQ(detection.incidents().size(), 1U);
    EXPECT_EQ(detection.incidents()[0].until, kFirst + 60) << "when it was seen last";
  }
  EXPECT_TRUE(Detection(history_, store_.get(), kFirst + 3700).incidents().empty()) << "told once";
  put("incidents", R"({"version":99,"open":[]})");
  EXPECT_TRUE(Detection(history_, store_.get(), kFirst).incidents().empty());
}

TEST_F(DetectionOfIncidents, WhenOneWasSeenLastIsWrittenEach30Seconds) {
  Detection detection(history_, store_.get(), kFirst + 100);
  put("incidents", "another");
  for (const int second : {100, 110, 120}) {
    drain(detection, kFirst + second);
    EXPECT_EQ(store_->get_state("incidents"), "another") << "it was written lately, " << second;
  }
  drain(detection, kFirst + 130);
  const auto kept = restore_incidents(store_->get_state("incidents").value_or(""));
  ASSERT_TRUE(kept) << kept.error().text();
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->at(0).last_seen, kFirst + 60);
}

TEST_F(DetectionOfIncidents, OneThatEndedMeanwhileHasEndedForAlertRules) {
  const std::string key = std::string(detected::key_prefix<analysis::Incident>()) + "000";
  put(key, detected::save(detected::Spell<analysis::Incident>{open_incident().incident, kFirst}));
  const auto spell = [&] {
    return detected::parse<analysis::Incident>(store_->get_state(key).value_or("")).value();
  };
  Detection detection(history_, store_.get(), kFirst + 3600);
  EXPECT_EQ(spell().to, 0) << "until the first look";
  drain(detection, kFirst + 3600);
  drain(detection, kFirst + 3610);
  EXPECT_EQ(spell().from, kFirst);
  EXPECT_EQ(spell().to, kFirst + 3610);
}

}  // namespace
}  // namespace nz::agent
