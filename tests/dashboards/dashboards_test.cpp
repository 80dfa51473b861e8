// What can be known of dashboards and rules without data. That their queries answer is the business
// of tests/pipeline/dashboards_pipeline_test.cpp.
#include "tests/dashboards/dashboards.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <regex>

namespace nz::dashboards {
namespace {

using nlohmann::json;

int run(const std::string& command) {
  return std::system(("cd " NZ_SOURCE " && " + command).c_str());
}

TEST(Dashboards, AreWhatTheGeneratorMakes) {
  EXPECT_EQ(run("python3 scripts/dashboards --check"), 0) << "run python3 scripts/dashboards";
}

TEST(Dashboards, AllSixAreThereUnderNamesThatStay) {
  std::set<std::string> uids;
  std::set<std::string> titles;
  for (const Dashboard& d : shipped()) {
    uids.insert(d.root.at("uid"));
    titles.insert(d.root.at("title"));
    EXPECT_FALSE(d.root.contains("id")) << d.file << ": the number of one Grafana only";
  }
  EXPECT_THAT(uids,
              testing::ElementsAre("nearzero-host", "nearzero-itself", "nearzero-order-path",
                                   "nearzero-overview", "nearzero-scheduler", "nearzero-sqlite"));
  EXPECT_EQ(titles.size(), 6U);
}

TEST(Dashboards, PanelsHaveIdsUnitsAndDescriptions) {
  for (const Dashboard& d : shipped()) {
    std::set<int> ids;
    for (const json& panel : d.root.at("panels"))
      EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second) << d.file << panel.at("id");
    std::set<std::string> titles;
    for (const json& panel : d.panels()) {
      const std::string where = d.file + ": " + panel.at("title").get<std::string>();
      EXPECT_TRUE(titles.insert(where).second) << where << " twice: also names it in tests";
      EXPECT_FALSE(panel.at("fieldConfig").at("defaults").at("unit").get<std::string>().empty())
          << where;
      const auto description = panel.at("description").get<std::string>();
      EXPECT_GE(description.size(), 6U) << where;
      EXPECT_EQ(description.back(), '.') << where << ": a sentence";
      EXPECT_FALSE(panel.at("targets").empty()) << where;
      std::set<std::string> letters;
      for (const json& target : panel.at("targets")) {
        EXPECT_TRUE(letters.insert(target.at("refId")).second) << where;
        EXPECT_EQ(target.at("datasource").at("uid"), "${datasource}") << where;
      }
      EXPECT_EQ(panel.at("datasource").at("uid"), "${datasource}") << where;
    }
  }
}

TEST(Dashboards, PanelsFillTheGridWithoutOverlap) {
  for (const Dashboard& d : shipped()) {
    std::set<std::pair<int, int>> taken;
    for (const json& panel : d.root.at("panels")) {
      const json& at = panel.at("gridPos");
      EXPECT_LE(at.at("x").get<int>() + at.at("w").get<int>(), 24) << d.file;
      for (int x = 0; x < at.at("w"); x++) {
        for (int y = 0; y < at.at("h"); y++) {
          EXPECT_TRUE(taken.emplace(at.at("x").get<int>() + x, at.at("y").get<int>() + y).second)
              << d.file << ": " << panel.at("title") << " lies over another panel";
        }
      }
    }
  }
}

// "" when every series that is read follows the variables, else what does not.
std::string hard_coded(const std::string& promql) {
  static const std::regex kSelector(R"((nearzero_[a-z0-9_]+)(\{[^}]*\})?)");
  for (std::sregex_iterator i(promql.begin(), promql.end(), kSelector), end; i != end; ++i) {
    if ((*i)[2].str().find(R"(instance=~"$instance")") == std::string::npos) return i->str();
  }
  static const std::regex kLiteral(
      R"re(\b(instance|job|target)\s*(=|!=|=~|!~)\s*"(?!\$(instance|job|target)(\|host)?")[^"]*"|)re"
      R"re(\d+\.\d+\.\d+\.\d+|\[\d+[smhd]\])re");
  std::smatch found;
  return std::regex_search(promql, found, kLiteral) ? found.str() : "";
}

TEST(Dashboards, NothingIsHardCoded) {
  EXPECT_EQ(hard_coded(R"(rate(nearzero_x_total{instance=~"$instance"}[$__rate_interval]))"), "");
  for (const char* bad :
       {R"(nearzero_x)", R"(nearzero_x{target=~"$target"})", R"(nearzero_x{instance="h:9718"})",
        R"(nearzero_x{instance=~"$instance", target="demo"})",
        R"(rate(nearzero_x{instance=~"$instance"}[5m]))"}) {
    EXPECT_NE(hard_coded(bad), "") << "the check itself: " << bad;
  }
  for (const Dashboard& d : shipped()) {
    for (const Expression& e : d.expressions())
      EXPECT_EQ(hard_coded(e.promql), "") << e.where << ": " << e.promql;
  }
}

TEST(Dashboards, VariablesAreDefinedAndUsed) {
  static const std::regex kVariable(R"(\$([a-z]\w*))");
  for (const Dashboard& d : shipped()) {
    std::string all;
    for (const Expression& e : d.expressions()) all += e.promql + "\n";
    const auto defined = d.variables();
    for (const auto& [name, definition] : defined) all += definition + "\n";
    std::set<std::string> used;
    for (std::sregex_iterator i(all.begin(), all.end(), kVariable), end; i != end; ++i)
      used.insert((*i)[1]);
    std::set<std::string> names;
    for (const auto& [name, definition] : defined) names.insert(name);
    EXPECT_EQ(used, names) << d.file;
    EXPECT_EQ(d.root.at("templating").at("list").at(0).at("type"), "datasource") << d.file;
  }
}

TEST(Dashboards, HistogramsAreReadNativeFirstAndClassicElse) {
  size_t quantiles = 0;
  for (const Dashboard& d : shipped()) {
    for (const Expression& e : d.expressions()) {
      if (e.promql.find("histogram_quantile") == std::string::npos) continue;
      ++quantiles;
      std::set<std::string> families;
      for (const std::string& metric : metrics_of(e.promql)) families.insert(family_of(metric));
      const std::string& f = *families.begin();
      const size_t native = e.promql.find(f + "{");
      const size_t classic = e.promql.find(f + "_bucket{");
      EXPECT_NE(native, std::string::npos) << e.where;
      EXPECT_NE(classic, std::string::npos) << e.where;
      EXPECT_LT(native, classic) << e.where;
      EXPECT_NE(e.promql.find(" or ", native), std::string::npos) << e.where;
    }
  }
  EXPECT_GE(quantiles, 20U);
}

TEST(Rules, PassPromtool) {
  EXPECT_EQ(run("promtool check rules configs/prometheus/nearzero.rules.yml"), 0);
  EXPECT_EQ(run("promtool check config configs/prometheus/prometheus.yml"), 0);
}

TEST(Rules, GiveTheKnownNumbers) {
  EXPECT_EQ(run("promtool test rules tests/dashboards/nearzero.rules.test.yml"), 0);
}

TEST(Rules, EachHasAUnitTestAndAProperName) {
  const std::string tests = repository_file("tests/dashboards/nearzero.rules.test.yml");
  const auto records = records_of(repository_file("configs/prometheus/nearzero.rules.yml"));
  EXPECT_GE(records.size(), 25U);
  static const std::regex kName("[a-z]+(_[a-z]+)*:nearzero_[a-z_]+:[a-z0-9]+(_rate5m)?");
  for (const std::string& record : records) {
    EXPECT_TRUE(std::regex_match(record, kName)) << record << " is not level:metric:operations";
    const std::regex asked("expr: (round\\(1e9 \\* )?" + record + "\\)?\n");
    EXPECT_TRUE(std::regex_search(tests, asked)) << record << " has no unit test";
  }
  EXPECT_EQ(std::set<std::string>(records.begin(), records.end()).size(), records.size());
}

}  // namespace
}  // namespace nz::dashboards
