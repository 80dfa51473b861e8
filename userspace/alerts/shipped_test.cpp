// configs/alerts.yaml and its examples.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "userspace/alerts/rule_file.h"

namespace nz::alerts {
namespace {

std::string shipped() {
  std::ifstream in(std::string(NZ_SOURCE) + "/configs/alerts.yaml");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Shipped, RulesAreValidAndSayWhatTheyAreAbout) {
  const RuleFile file = parse_rules(shipped(), "configs/alerts.yaml");
  ASSERT_TRUE(file.problems.empty()) << file.problems[0];
  EXPECT_GE(file.rules.size(), 30U);
  EXPECT_TRUE(file.receivers.empty()) << "where alerts go is the owner's decision";
  for (const Rule& rule : file.rules) {
    ASSERT_FALSE(rule.annotations.empty()) << rule.name;
    const auto is_summary = [](const auto& a) { return a.first == "summary"; };
    EXPECT_TRUE(std::any_of(rule.annotations.begin(), rule.annotations.end(), is_summary))
        << rule.name;
  }
}

TEST(Shipped, ExamplesInCommentsAreValidToo) {
  std::string text = shipped();
  const auto begin = text.find("\n# ---- what only the owner");
  ASSERT_NE(begin, std::string::npos);
  std::string examples = "rules:\n";
  std::istringstream lines(text.substr(begin + 1));
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("#  ")) examples += line.substr(1) + "\n";
  }
  const RuleFile file = parse_rules(examples, "examples");
  ASSERT_TRUE(file.problems.empty()) << file.problems[0];
  EXPECT_EQ(file.rules.size(), 4U);
  const auto at = text.find("# receivers:\n");
  ASSERT_NE(at, std::string::npos);
  std::string receivers;
  std::istringstream more(text.substr(at));
  while (std::getline(more, line) && line.starts_with("# ")) receivers += line.substr(2) + "\n";
  const RuleFile to = parse_rules(receivers, "receivers");
  ASSERT_TRUE(to.problems.empty()) << to.problems[0];
  EXPECT_EQ(to.receivers.size(), 2U);
}

// Every example of the reference is a rule that can be used as it stands.
TEST(Document, ExamplesAreValid) {
  std::ifstream in(std::string(NZ_SOURCE) + "/docs/alerts.md");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::set<std::string> kinds;
  std::size_t blocks = 0;
  const std::string fence = "```yaml\n";
  for (std::size_t at = 0; (at = text.find(fence, at)) != std::string::npos;) {
    at += fence.size();
    const std::string block = text.substr(at, text.find("```", at) - at);
    const RuleFile file = parse_rules(block, "docs/alerts.md");
    EXPECT_TRUE(file.problems.empty()) << block << file.problems[0];
    for (const Rule& rule : file.rules) kinds.insert(rule.kind);
    blocks++;
  }
  EXPECT_GE(blocks, 10U);
  EXPECT_EQ(kinds.size(), 10U) << "an example of each kind: " << testing::PrintToString(kinds);
}

}  // namespace
}  // namespace nz::alerts
