// nearzero alerts silence: the running agent tells nobody of some alerts for a while.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "userspace/agent/instance.h"
#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/amount.h"
#include "userspace/alerts/matcher.h"
#include "userspace/cli/table.h"
#include "userspace/commands/alerts_subcommands.h"
#include "userspace/commands/ask_agent.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

using cli::Table;
using nlohmann::json;

struct AlertsSilenceOptions {
  std::string matchers, duration = "1h", comment, remove;
  bool list = false;
  std::string format = "text", runtime_dir = kRuntimeDir;
};

std::string silence_text(const json& silence) {
  return fmt::format("{} until {}: {}", silence.at("id").get<std::string>(),
                     alerts::time_of_day(silence.at("until").get<double>()),
                     silence.at("matchers").get<std::string>());
}

int list_silences(const AlertsSilenceOptions& options) {
  int code = kOk;
  const auto answer = ask_agent(options.runtime_dir, "silences", "alerts silence", code);
  if (!answer) return code;
  if (options.format == "json") return print_json(*answer);
  return as_expected("alerts silence", [&] {
    Table table({{"ID"}, {"UNTIL"}, {"CONDITIONS"}, {"COMMENT"}});
    for (const json& one : *answer) {
      table.add({one.at("id").get<std::string>(),
                 alerts::time_of_day(one.at("until").get<double>()),
                 one.at("matchers").get<std::string>(), one.at("comment").get<std::string>()});
    }
    return print(table.empty() ? "No silence is in force.\n" : table.text(cli::line_limit()));
  });
}

int run_alerts_silence(const AlertsSilenceOptions& options) {
  if (options.list) return list_silences(options);
  if (!options.remove.empty()) {
    const auto answer =
        agent::send_command(options.runtime_dir, "silence remove " + options.remove);
    if (!answer) return report("alerts silence", answer.error(), kNotRunning);
    if (!answer->starts_with("error: ")) return print(*answer);
    fmt::print(stderr, "nearzero alerts silence: {}", answer->substr(7));
    return kNotFound;
  }
  // The agent checks as well; a mistake is told here even when none runs.
  const auto matchers = alerts::parse_matchers(options.matchers);
  if (!matchers) return report("alerts silence", matchers.error(), kUsage);
  if (matchers->empty())
    return report("alerts silence",
                  Error{"which alerts?",
                        "write for instance 'alertname=\"OrdersSlow\"', --list or "
                        "--remove ID"},
                  kUsage);
  const auto seconds = alerts::parse_time(options.duration);
  if (!seconds)
    return report("alerts silence", Error{"'" + options.duration + "' is no time", "write 2h"},
                  kUsage);
  const json silence = {
      {"matchers", options.matchers}, {"seconds", *seconds}, {"comment", options.comment}};
  int code = kOk;
  const auto answer = ask_agent(options.runtime_dir, "silence add " + alerts::dump(silence),
                                "alerts silence", code);
  if (!answer) return code;
  if (options.format == "json") return print_json(*answer);
  return as_expected("alerts silence", [&] { return print(silence_text(*answer) + "\n"); });
}

}  // namespace

Command add_alerts_silence(CLI::App& parent) {
  auto options = std::make_shared<AlertsSilenceOptions>();
  auto* sub = parent.add_subcommand("silence", "Tell nobody of some alerts for a while");
  add_format(*sub, options->format);
  sub->add_option("conditions", options->matchers,
                  "On labels, as inside the braces of PromQL: alertname=\"X\",target=~\"a|b\"");
  sub->add_option("--for", options->duration, "How long: 30m, 2h, 1d")->capture_default_str();
  sub->add_option("--comment", options->comment, "Why, for whoever looks");
  sub->add_flag("--list", options->list, "Those in force");
  sub->add_option("--remove", options->remove, "End the silence with this id");
  add_runtime_dir(*sub, options->runtime_dir);
  sub->footer(examples(
      {{"nearzero alerts silence 'alertname=\"OrdersSlow\"' --for 2h --comment maintenance", ""}}));
  return {sub, [options] { return run_alerts_silence(*options); }};
}

}  // namespace nz::commands
