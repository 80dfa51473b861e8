// nearzero alerts list: alerts of the running agent.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "userspace/alerts/alert_json.h"
#include "userspace/cli/table.h"
#include "userspace/commands/alerts_subcommands.h"
#include "userspace/commands/alerts_words.h"
#include "userspace/commands/ask_agent.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

using alerts::Alert;
using cli::Table;
using nlohmann::json;

struct AlertsListOptions {
  std::string format = "text", runtime_dir = kRuntimeDir;
};

std::string alert_list_text(const json& in) {
  std::string text;
  Table table({{"STATE"},
               {"SEVERITY"},
               {"ALERT"},
               {"SINCE"},
               {"VALUE", Table::Align::right},
               {"LABELS"},
               {"SUMMARY"}});
  std::size_t firing = 0;
  for (const json& one : in.at("alerts")) {
    const Alert alert = alerts::alert_from_json(one);
    firing += alert.state == alerts::State::firing ? 1 : 0;
    std::string state = alerts::word(alert.state);
    if (!alert.silenced_by.empty()) state += " (" + alert.silenced_by + ")";
    if (alert.flapping) state += " (flaps)";
    table.add({state, alerts::word(alert.severity), alert.rule,
               alerts::time_of_day(alert.active_since), alerts::value_text(alert.value, alert.unit),
               labels_text(alert), summary_text(alert)});
  }
  if (!table.empty()) text = table.text(cli::line_limit()) + "\n";
  text += fmt::format("{}, {} of them firing; {}\n", counted(in.at("alerts").size(), "alert"),
                      firing, counted(in.at("rules").get<std::size_t>(), "rule"));
  for (const json& problem : in.at("problems"))
    text += "not in force: " + problem.get<std::string>() + "\n";
  for (const json& unknown : in.at("unknown")) {
    text += fmt::format("{} cannot be judged: {}\n", unknown.at("rule").get<std::string>(),
                        unknown.at("why").get<std::string>());
  }
  for (const json& receiver : in.at("receivers")) {
    const auto trouble = receiver.at("trouble").get<std::string>();
    if (trouble.empty()) continue;
    text += fmt::format("receiver {}: {} wait: {}\n", receiver.at("name").get<std::string>(),
                        counted(receiver.at("waiting").get<std::size_t>(), "alert"), trouble);
  }
  return text;
}

int run_alerts_list(const AlertsListOptions& options) {
  int code = kOk;
  const auto answer = ask_agent(options.runtime_dir, "alerts", "alerts list", code);
  if (!answer) return code;
  if (options.format == "json") return print_json(*answer);
  return as_expected("alerts list", [&] { return print(alert_list_text(*answer)); });
}

}  // namespace

Command add_alerts_list(CLI::App& parent) {
  auto options = std::make_shared<AlertsListOptions>();
  auto* sub = parent.add_subcommand("list", "Alerts of the running agent");
  add_format(*sub, options->format);
  add_runtime_dir(*sub, options->runtime_dir);
  sub->footer(examples({{"nearzero alerts list", ""}}));
  return {sub, [options] { return run_alerts_list(*options); }};
}

}  // namespace nz::commands
