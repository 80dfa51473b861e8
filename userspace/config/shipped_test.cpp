// The files in configs/ are the first that a user sees: they are valid, complete and mean what they
// say.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "nearzero/abi.h"
#include "userspace/config/config.h"
#include "userspace/config/schema.h"
#include "userspace/config/units.h"

namespace nz::config {
namespace {

std::string shipped(const std::string& name) { return std::string(NZ_CONFIGS_DIR "/") + name; }

std::string text_of(const std::string& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(Shipped, EveryYamlHereIsValid) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(NZ_CONFIGS_DIR)) {
    // alerts.yaml is of another kind: userspace/alerts/shipped_test.cpp
    if (entry.path().extension() != ".yaml" || entry.path().filename() == "alerts.yaml") continue;
    ++files;
    const auto config = load_file(entry.path());
    ASSERT_TRUE(config) << config.error().text();
    auto again = parse(to_yaml(*config), "again");
    ASSERT_TRUE(again) << again.error().text();
    again->source = config->source;
    EXPECT_EQ(*again, *config) << to_yaml(*config);
  }
  EXPECT_GE(files, 4);
}

TEST(Shipped, TheDefaultFileStatesTheDefaults) {
  auto config = load_file(shipped("nearzero.yaml"));
  ASSERT_TRUE(config) << config.error().text();
  config->source.clear();
  EXPECT_EQ(*config, defaults());
}

TEST(Shipped, TheCommentedTargetIsValid) {
  std::istringstream in(text_of(shipped("nearzero.yaml")));
  std::string yaml;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    inside = inside || line == "# targets:";
    if (inside) yaml += (line.size() > 2 ? line.substr(2) : "") + '\n';
  }
  const auto config = parse(yaml, "f");
  ASSERT_TRUE(config) << config.error().text() << yaml;
  ASSERT_EQ(config->targets.size(), 1U);
  EXPECT_EQ(config->targets[0].stages.size(), 2U);
}

TEST(Shipped, TheDefaultFileExplainsEveryKey) {
  const std::string text = text_of(shipped("nearzero.yaml"));
  const std::function<void(const nlohmann::json&)> visit = [&](const nlohmann::json& rule) {
    if (rule.contains("properties")) {
      for (const auto& [key, value] : rule.at("properties").items()) {
        EXPECT_NE(text.find(key + ':'), std::string::npos) << key;
        EXPECT_TRUE(value.contains("description") || resolve(value).contains("description")) << key;
        EXPECT_TRUE(resolve(value).contains("examples") || resolve(value).contains("properties"))
            << key;
        visit(resolve(value));
      }
    } else if (rule.contains("items")) {
      visit(resolve(rule.at("items")));
    }
  };
  visit(schema());
}

TEST(Shipped, TheDemoMeasuresTheWholePath) {
  const auto config = load_file(shipped("demo.yaml"));
  ASSERT_TRUE(config) << config.error().text();
  ASSERT_EQ(config->targets.size(), 1U);
  const Target& demo = config->targets[0];
  EXPECT_EQ(demo.name, "demo");
  EXPECT_EQ(demo.match.comm, "nz-demo");
  EXPECT_TRUE(demo.sqlite && demo.syscalls && demo.scheduler && demo.follow_forks);
  ASSERT_EQ(demo.stages.size(), 5U);
  for (std::size_t i = 0; i + 2 < demo.stages.size(); ++i) {
    EXPECT_EQ(demo.stages[i].to, demo.stages[i + 1].from);
  }
  EXPECT_EQ(demo.stages[4],
            (Stage{"order", "", "demo::on_market_data", "demo::acknowledge", "", false}));
}

TEST(Schema, AgreesWithTheKernelSideAndTheStructs) {
  // A sixteenth target would share slot 0 with the host.
  EXPECT_EQ(schema_at("/limits/targets")->at("maximum"), NZ_MAX_TARGETS);
  EXPECT_EQ(defaults().limits.targets, unsigned{NZ_MAX_TARGETS});
  const auto check_default = [](const char* pointer, const nlohmann::json& value) {
    EXPECT_EQ(schema_at(pointer)->at("default"), value) << pointer;
  };
  const Config config = defaults();
  check_default("/listen", config.listen);
  check_default("/http/tls/certificate", config.http.tls_certificate);
  check_default("/http/tls/key", config.http.tls_key);
  check_default("/http/token_file", config.http.token_file);
  check_default("/http/rate_limit", config.http.rate_limit);
  check_default("/http/rate_burst", config.http.rate_burst);
  check_default("/http/cors_origins", config.http.cors_origins);
  check_default("/host", config.host);
  check_default("/runtime_dir", config.runtime_dir);
  check_default("/overhead/per_target", config.overhead.per_target);
  check_default("/overhead/host", config.overhead.host);
  check_default("/overhead/duty_cycle", config.overhead.duty_cycle);
  check_default("/overhead/breaker_factor", config.overhead.breaker_factor);
  check_default("/overhead/breaker_seconds", config.overhead.breaker_seconds);
  check_default("/overhead/calibrate", config.overhead.calibrate);
  check_default("/log/level", config.log.level);
  check_default("/log/file", config.log.file);
  check_default("/profile/hz", config.profile.hz);
  check_default("/history/path", config.history.path);
  check_default("/history/raw", format_duration(config.history.raw));
  check_default("/history/minutes", format_duration(config.history.minutes));
  check_default("/history/hours", format_duration(config.history.hours));
  check_default("/history/most_mib", config.history.most_mib);
  check_default("/alerts/rules", config.alerts.rules);
  check_default("/alerts/state", config.alerts.state);
  check_default("/reports/folder", config.reports.folder);
  check_default("/reports/keep", config.reports.keep);
  const ReportSchedule schedule;
  check_default("/reports/schedule/0/every", format_duration(schedule.every));
  check_default("/reports/schedule/0/compare", schedule.compare);
  check_default("/reports/schedule/0/format", schedule.format);
  check_default("/reports/schedule/0/title", schedule.title);
  EXPECT_EQ(parse_duration("0s"), schedule.offset);
  check_default("/limits/targets", config.limits.targets);
  check_default("/limits/statements", config.limits.statements);
  check_default("/limits/syscalls", config.limits.syscalls);
  check_default("/limits/stages", config.limits.stages);
  check_default("/limits/threads", config.limits.threads);
  const Target target;
  check_default("/targets/0/follow_forks", target.follow_forks);
  check_default("/targets/0/scheduler", target.scheduler);
  check_default("/targets/0/syscalls", target.syscalls);
  check_default("/targets/0/sqlite", target.sqlite);
  check_default("/targets/0/sqlite/plan", target.sqlite_plan);
  check_default("/targets/0/sqlite/slow", target.sqlite_slow);
  check_default("/targets/0/sqlite/keep_literals", target.sqlite_keep_literals);
  check_default("/targets/0/sqlite/explain", target.sqlite_explain);
}

TEST(Schema, IsTheFile) {
  EXPECT_EQ(nlohmann::json::parse(schema_text()),
            nlohmann::json::parse(text_of(shipped("nearzero.schema.json"))));
}

TEST(ToYaml, ReadsBackWhatYamlWouldMistake) {
  Config config;
  config.overhead.per_target = 0.1 + 0.2;  // no short decimal form
  config.overhead.breaker_seconds = 0.1;
  config.drain_interval = std::chrono::milliseconds(1500);
  config.limits.threads = 4096;
  Target target;
  target.name = "123";
  target.match.pid = 4194304;
  target.match.comm = "true";
  target.match.exe = "null \" ' # : \\ \xc3\xa4";
  target.stages = {{"1e5", "a<b>::c", "", "", "", true}};
  config.reports.schedule = {
      {"123", std::chrono::minutes(90), std::chrono::milliseconds(1), "none", "json", "true"}};
  config.targets = {target};
  const std::string yaml = to_yaml(config);
  const auto again = parse(yaml, "");
  ASSERT_TRUE(again) << again.error().text() << yaml;
  EXPECT_EQ(*again, config) << yaml;
}

}  // namespace
}  // namespace nz::config
