// nearzero alerts check: whether rule files are valid.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/cli/table.h"
#include "userspace/commands/alerts_subcommands.h"
#include "userspace/commands/alerts_words.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

using cli::Table;
using nlohmann::json;

struct AlertsCheckOptions {
  std::vector<std::string> files;
  std::string format = "text";
};

int run_alerts_check(const AlertsCheckOptions& options) {
  const alerts::RuleFile file = alerts::load_rules(options.files);
  if (options.format == "json") {
    json out = {
        {"rules", json::array()}, {"receivers", json::array()}, {"problems", file.problems}};
    for (const alerts::Rule& rule : file.rules) {
      out["rules"].push_back({{"name", rule.name},
                              {"kind", rule.kind},
                              {"severity", alerts::word(rule.severity)},
                              {"for", rule.for_seconds},
                              {"source", rule.source}});
    }
    for (const alerts::Receiver& receiver : file.receivers)
      out["receivers"].push_back(receiver.name);
    const int written = print_json(out);
    return written != kOk ? written : file.problems.empty() ? kOk : kBadConfig;
  }
  print_problems(file);
  std::string text;
  if (!file.rules.empty()) {
    Table table({{"RULE"}, {"KIND"}, {"SEVERITY"}, {"FOR", Table::Align::right}, {"AT"}});
    for (const alerts::Rule& rule : file.rules) {
      std::string severities;
      for (const auto severity : rule.severities())
        severities += fmt::format("{}{}", severities.empty() ? "" : ", ", alerts::word(severity));
      table.add({rule.name, rule.kind, severities,
                 rule.for_seconds > 0 ? alerts::time_text(rule.for_seconds) : "-", rule.source});
    }
    text = table.text(cli::line_limit()) + "\n";
  }
  text +=
      fmt::format("{}, {}, {}\n", counted(file.rules.size(), "rule"),
                  counted(file.receivers.size(), "receiver"),
                  file.problems.empty() ? "no problem" : counted(file.problems.size(), "problem"));
  const int written = print(text);
  return written != kOk ? written : file.problems.empty() ? kOk : kBadConfig;
}

}  // namespace

Command add_alerts_check(CLI::App& parent) {
  auto options = std::make_shared<AlertsCheckOptions>();
  auto* sub = parent.add_subcommand(
      "check", "Whether rule files are valid; all mistakes, with place and remedy");
  add_format(*sub, options->format);
  sub->add_option("file", options->files, "Rule files")->required();
  sub->footer(examples({{"nearzero alerts check /etc/nearzero/alerts.yaml", ""}}));
  return {sub, [options] { return run_alerts_check(*options); }};
}

}  // namespace nz::commands
