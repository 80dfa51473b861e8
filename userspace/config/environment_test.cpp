#include <gmock/gmock.h>
#include <stdlib.h>

#include <map>

#include "userspace/config/config.h"

namespace nz::config {
namespace {

using testing::HasSubstr;

Environment fake(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(Environment, OverridesScalars) {
  Config config;
  config.log.file = "/keep";
  const auto result = apply_environment(config, fake({{"NEARZERO_LISTEN", "127.0.0.1:0"},
                                                      {"NEARZERO_LOG_LEVEL", "debug"},
                                                      {"NEARZERO_DRAIN_INTERVAL", "250ms"},
                                                      {"NEARZERO_HOST", "false"},
                                                      {"NEARZERO_OVERHEAD_PER_TARGET", "5%"},
                                                      {"NEARZERO_OVERHEAD_HOST", "0.02"},
                                                      {"NEARZERO_LIMITS_TARGETS", "3"},
                                                      {"NEARZERO_RUNTIME_DIR", ""}}));
  ASSERT_TRUE(result) << result.error().text();
  Config want;
  want.log = {"debug", "/keep"};
  want.listen = "127.0.0.1:0";
  want.drain_interval = std::chrono::milliseconds(250);
  want.host = false;
  want.overhead.per_target = 0.05;
  want.overhead.host = 0.02;
  want.limits.targets = 3;
  EXPECT_EQ(config, want);
}

TEST(Environment, NamesEachBadVariableAndChangesNothing) {
  Config config;
  const auto result = apply_environment(config, fake({{"NEARZERO_LISTEN", "nowhere"},
                                                      {"NEARZERO_HOST", "yes"},
                                                      {"NEARZERO_LOG_LEVEL", "debug"}}));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what,
              HasSubstr("NEARZERO_LISTEN: listen: 'nowhere' is not host:port"));
  EXPECT_THAT(result.error().what, HasSubstr("NEARZERO_HOST: host: expected true or false"));
  EXPECT_EQ(config, defaults());
}

TEST(Environment, WhatIsNotUtf8IsNamed) {
  Config config;
  for (const char* value : {"\xfe", "/\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2", "/\xc3", "/a\x7f"}) {
    const auto result = apply_environment(config, fake({{"NEARZERO_LOG_FILE", value}}));
    ASSERT_FALSE(result) << value;
    EXPECT_THAT(result.error().what, HasSubstr("NEARZERO_LOG_FILE: log.file: not UTF-8 text"));
  }
  config.listen = "127.0.0.1:\xff";
  ASSERT_FALSE(check(config));
  EXPECT_THAT(check(config).error().what, HasSubstr("listen: not UTF-8 text"));
}

TEST(Environment, IsCheckedTogetherWithTheFile) {
  auto config = parse("targets: [{name: a, match: {comm: a}}, {name: b, match: {comm: b}}]", "f");
  ASSERT_TRUE(config);
  const auto result = apply_environment(*config, fake({{"NEARZERO_LIMITS_TARGETS", "1"}}));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("2 targets, but limits.targets is 1"));
}

TEST(Environment, TextsAreTakenAsTheyAre) {
  Config config;
  const auto result = apply_environment(
      config, fake({{"NEARZERO_LOG_FILE", "/true"}, {"NEARZERO_LOG_LEVEL", "true"}}));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what,
              HasSubstr("NEARZERO_LOG_LEVEL: log.level: 'true' is not one of"));
}

TEST(Environment, EveryScalarHasAVariable) {
  std::vector<std::string> names;
  for (const auto& variable : environment_variables()) names.push_back(variable.name);
  EXPECT_THAT(
      names,
      testing::ElementsAre(
          "NEARZERO_ALERTS_STATE", "NEARZERO_DRAIN_INTERVAL", "NEARZERO_HISTORY_HOURS",
          "NEARZERO_HISTORY_MINUTES", "NEARZERO_HISTORY_MOST_MIB", "NEARZERO_HISTORY_PATH",
          "NEARZERO_HISTORY_RAW", "NEARZERO_HOST", "NEARZERO_HTTP_RATE_BURST",
          "NEARZERO_HTTP_RATE_LIMIT", "NEARZERO_HTTP_TLS_CERTIFICATE", "NEARZERO_HTTP_TLS_KEY",
          "NEARZERO_HTTP_TOKEN_FILE", "NEARZERO_LIMITS_STAGES", "NEARZERO_LIMITS_STATEMENTS",
          "NEARZERO_LIMITS_SYSCALLS", "NEARZERO_LIMITS_TARGETS", "NEARZERO_LIMITS_THREADS",
          "NEARZERO_LISTEN", "NEARZERO_LOG_FILE", "NEARZERO_LOG_LEVEL",
          "NEARZERO_OVERHEAD_BREAKER_FACTOR", "NEARZERO_OVERHEAD_BREAKER_SECONDS",
          "NEARZERO_OVERHEAD_CALIBRATE", "NEARZERO_OVERHEAD_DUTY_CYCLE", "NEARZERO_OVERHEAD_HOST",
          "NEARZERO_OVERHEAD_PER_TARGET", "NEARZERO_PROFILE_HZ", "NEARZERO_PROFILE_WINDOW",
          "NEARZERO_REPORTS_FOLDER", "NEARZERO_REPORTS_KEEP", "NEARZERO_RUNTIME_DIR"));
}

TEST(Environment, ReadsTheProcess) {
  setenv("NEARZERO_LOG_LEVEL", "trace", 1);
  Config config;
  EXPECT_TRUE(apply_environment(config));
  unsetenv("NEARZERO_LOG_LEVEL");
  EXPECT_EQ(config.log.level, "trace");
}

}  // namespace
}  // namespace nz::config
