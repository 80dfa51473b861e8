// nearzero alerts: rules checked, tried on recorded history and written for Prometheus; what fires
// in the running agent, and silences.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "userspace/agent/instance.h"
#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/amount.h"
#include "userspace/alerts/promql.h"
#include "userspace/alerts/replay.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/alerts/stored/stored_moments.h"
#include "userspace/base/clock.h"
#include "userspace/base/exit_codes.h"
#include "userspace/baselines/named_values.h"
#include "userspace/cli/table.h"
#include "userspace/cli/terminal.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"
#include "userspace/rest/time.h"
#include "userspace/store/answers.h"
#include "userspace/store/store.h"

namespace nz::commands {
namespace {

using alerts::Alert;
using cli::Table;
using nlohmann::json;

struct AlertsOptions {
  std::vector<std::string> files;
  std::string history = store::Options().path;
  std::string from, to, format = "text", runtime_dir = "/run/nearzero";
  std::string interval = "10s";
  std::string matchers, duration = "1h", comment, remove;
  bool list_silences = false;
};

// ---- what all of them share

void print_problems(const alerts::RuleFile& file) {
  for (const std::string& problem : file.problems) fmt::print(stderr, "{}\n", problem);
}

std::string counted(std::size_t n, const std::string& one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::string labels_of(const Alert& alert) {
  std::string text;
  for (const auto& [name, value] : alert.labels) {
    if (name != "alertname" && name != "severity")
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

std::string summary_of(const Alert& alert) {
  for (const auto& [name, text] : alert.annotations) {
    if (name == "summary") return text;
  }
  return alert.annotations.empty() ? "" : alert.annotations.front().second;
}

/// As other commands take it (-24h, Unix seconds, RFC 3339), or a date in UTC without a zone:
/// 2026-11-27, 2026-11-27T14:03, 2026-11-27T14:03:10.
std::optional<double> parse_moment(const std::string& text, double now) {
  if (const auto parsed = rest::parse_time(text, now)) return parsed;
  for (const char* form :
       {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    std::tm t{};
    const char* end = strptime(text.c_str(), form, &t);
    if (end != nullptr && (*end == '\0' || std::string_view(end) == "Z"))
      return static_cast<double>(timegm(&t));
  }
  return std::nullopt;
}

// ---- check

int run_check(const AlertsOptions& options) {
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

// ---- prometheus

int run_prometheus(const AlertsOptions& options) {
  const alerts::RuleFile file = alerts::load_rules(options.files);
  print_problems(file);
  const auto made = alerts::prometheus_file(file.rules, file.name);
  for (const std::string& note : made.notes) fmt::print(stderr, "note: {}\n", note);
  const int written = print(made.yaml);
  return written != kOk ? written : file.problems.empty() ? kOk : kBadConfig;
}

// ---- test

std::string lasted(const Alert& alert) {
  return alert.resolved_at == 0
             ? "still fires"
             : fmt::format("{:.0f} s", std::max(0.0, alert.resolved_at - alert.fired_at));
}

int print_replayed(const AlertsOptions& options, const alerts::RuleFile& file,
                   const alerts::Replayed& replayed) {
  if (options.format == "json") {
    json out = {
        {"from", replayed.from},    {"to", replayed.to},         {"moments", replayed.moments},
        {"steps", replayed.steps},  {"alerts", json::array()},   {"unknown", json::array()},
        {"in_part", json::array()}, {"problems", file.problems}, {"bad_lines", replayed.bad_lines}};
    for (const Alert& alert : replayed.alerts) out["alerts"].push_back(alerts::to_json(alert));
    for (const auto& unknown : replayed.unknown)
      out["unknown"].push_back({{"rule", unknown.rule}, {"why", unknown.why}});
    for (const auto& part : replayed.in_part) {
      out["in_part"].push_back(
          {{"rule", part.rule}, {"why", part.why}, {"first", part.first}, {"steps", part.steps}});
    }
    return print_json(out);
  }
  std::string text;
  if (!replayed.alerts.empty()) {
    Table table({{"FIRED"},
                 {"LASTED", Table::Align::right},
                 {"SEVERITY"},
                 {"RULE"},
                 {"VALUE", Table::Align::right},
                 {"LABELS"},
                 {"SUMMARY"}});
    for (const Alert& alert : replayed.alerts) {
      table.add({alerts::time_of_day(alert.fired_at), lasted(alert), alerts::word(alert.severity),
                 alert.rule, alerts::value_text(alert.value, alert.unit), labels_of(alert),
                 summary_of(alert)});
    }
    text = table.text(cli::line_limit()) + "\n";
  }
  text += fmt::format("{} would have fired in {:.0f} s of history ({} moments, judged {} times)\n",
                      counted(replayed.alerts.size(), "alert"), replayed.to - replayed.from,
                      replayed.moments, replayed.steps);
  for (const auto& unknown : replayed.unknown)
    text += fmt::format("{} could never be judged: {}\n", unknown.rule, unknown.why);
  for (const auto& part : replayed.in_part) {
    text += fmt::format("{} could not be judged {} of {} times, first at {}: {}\n", part.rule,
                        part.steps, replayed.steps, alerts::time_of_day(part.first), part.why);
  }
  return print(text);
}

bool is_store(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;  // it would take from a pipe
  constexpr std::string_view kMagic = "SQLite format 3";
  std::string head(kMagic.size(), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  return in && head == kMagic;
}

/// The file that an agent keeps, while it may go on writing to it.
Result<alerts::Replayed> replay_store(const std::string& path, const alerts::RuleFile& file,
                                      alerts::ReplayOptions replay) {
  auto reader = store::Reader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  // What the first windows hold lies before.
  const double from =
      replay.from > 0 ? replay.from - alerts::longest_window(file.rules) - 60 : replay.from;
  auto moments = alerts::StoredMoments::open(**reader, alerts::families_of(file.rules),
                                             std::max(from, 0.0), replay.to);
  if (!moments) return tl::unexpected(moments.error());
  cli::Progress progress("reading history, seconds of it:");
  replay.progress = [&](std::size_t done) { progress.at(done, (*moments)->all()); };
  replay.trends = [&](const history::Selector& selector, double begin, double end, double step) {
    return store::trends(**reader, selector, begin, end, step)
        .value_or(std::vector<history::Trend>{});
  };
  baselines::StoredValues kept(**reader);
  replay.baseline = [&kept](const analysis::Quantity& of, const std::string& name, double) {
    return kept.value(of, name);
  };
  auto replayed = alerts::replay(file.rules, **moments, replay);
  for (const auto& problems : {kept.problems(), (*moments)->problems()}) {
    for (const std::string& problem : problems) {
      replayed.problems.push_back(path + ": " + problem);
      replayed.bad_lines++;
    }
  }
  return replayed;
}

Result<alerts::Replayed> replay_lines(const std::string& path, const alerts::RuleFile& file,
                                      alerts::ReplayOptions replay) {
  std::ifstream in(path);
  if (!in) return fail(path + " cannot be read", "check the path");
  in.seekg(0, std::ios::end);
  const auto bytes = static_cast<std::size_t>(std::max<std::streamoff>(0, in.tellg()));
  in.seekg(0);
  in.clear();  // a pipe has no places, and is read all the same
  alerts::Recording recording(in, path);
  cli::Progress progress("reading history, bytes:");
  replay.progress = [&](std::size_t) {
    const auto at = in.tellg();
    if (at > 0) progress.at(static_cast<std::size_t>(at), bytes);
  };
  return alerts::replay(file.rules, recording, replay);
}

int run_test(const AlertsOptions& options) {
  alerts::ReplayOptions replay;
  const double now = unix_seconds();
  for (const auto& [text, out] :
       {std::pair{&options.from, &replay.from}, std::pair{&options.to, &replay.to}}) {
    if (text->empty()) continue;
    const auto moment = parse_moment(*text, now);
    if (!moment)
      return report("alerts test",
                    Error{"'" + *text + "' is no time",
                          "2026-11-27T14:00, Unix seconds, or a time before now: -24h"},
                    kUsage);
    *out = *moment;
  }
  if (replay.to > 0 && replay.from >= replay.to)
    return report("alerts test", Error{"--from is not before --to", "swap them"}, kUsage);
  const auto interval = alerts::parse_time(options.interval);
  if (!interval || *interval < 1)
    return report("alerts test", Error{"'" + options.interval + "' is no interval", "write 10s"},
                  kUsage);
  replay.interval = *interval;
  const alerts::RuleFile file = alerts::load_rules(options.files);
  print_problems(file);
  const auto tried = is_store(options.history) ? replay_store(options.history, file, replay)
                                               : replay_lines(options.history, file, replay);
  if (!tried) return report("alerts test", tried.error(), kNotFound);
  const alerts::Replayed& replayed = *tried;
  for (const std::string& problem : replayed.problems) fmt::print(stderr, "{}\n", problem);
  if (replayed.bad_lines > replayed.problems.size())
    fmt::print(stderr, "... and {} more places that could not be read\n",
               replayed.bad_lines - replayed.problems.size());
  const int written = print_replayed(options, file, replayed);
  if (written != kOk) return written;
  if (!file.problems.empty()) return kBadConfig;
  return replayed.bad_lines > 0 ? kFailed : kOk;
}

// ---- of the running agent

/// The agent's answer as JSON; nothing, and the exit code, where there is none.
std::optional<json> ask(const AlertsOptions& options, const std::string& command, const char* what,
                        int& code) {
  const auto answer = agent::send_command(options.runtime_dir, command);
  if (!answer) {
    code = report(what, answer.error(), kNotRunning);
    return std::nullopt;
  }
  json out = json::parse(*answer, nullptr, false);
  if (out.is_discarded()) {
    const std::string text = answer->starts_with("error: ") ? answer->substr(7) : *answer;
    fmt::print(stderr, "nearzero {}: {}", what, text);
    code = kFailed;
    return std::nullopt;
  }
  return out;
}

/// What an answer of another version makes of the work is an error, not the end of the command.
template <class Work>
int as_expected(const char* what, const Work& work) {
  try {
    return work();
  } catch (const std::exception& e) {
    return report(what,
                  Error{std::string("the agent's answer is not what was expected: ") + e.what(),
                        "agent and command of the same version?"},
                  kFailed);
  }
}

std::string list_text(const json& in) {
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
               labels_of(alert), summary_of(alert)});
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

int run_list(const AlertsOptions& options) {
  int code = kOk;
  const auto answer = ask(options, "alerts", "alerts list", code);
  if (!answer) return code;
  if (options.format == "json") return print_json(*answer);
  return as_expected("alerts list", [&] { return print(list_text(*answer)); });
}

std::string silence_text(const json& silence) {
  return fmt::format("{} until {}: {}", silence.at("id").get<std::string>(),
                     alerts::time_of_day(silence.at("until").get<double>()),
                     silence.at("matchers").get<std::string>());
}

int list_silences(const AlertsOptions& options) {
  int code = kOk;
  const auto answer = ask(options, "silences", "alerts silence", code);
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

int run_silence(const AlertsOptions& options) {
  if (options.list_silences) return list_silences(options);
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
  const auto answer = ask(options, "silence add " + alerts::dump(silence), "alerts silence", code);
  if (!answer) return code;
  if (options.format == "json") return print_json(*answer);
  return as_expected("alerts silence", [&] { return print(silence_text(*answer) + "\n"); });
}

// ---- command line

CLI::App* add_sub(CLI::App& parent, const std::string& name, const std::string& help,
                  AlertsOptions& options) {
  CLI::App* sub = parent.add_subcommand(name, help);
  add_format(*sub, options.format);
  return sub;
}

void add_files(CLI::App& sub, AlertsOptions& options) {
  sub.add_option("file", options.files, "Rule files")->required();
}

void add_runtime_dir(CLI::App& sub, AlertsOptions& options) {
  sub.add_option("--runtime-dir", options.runtime_dir, "Folder of the agent's socket")
      ->envname("NEARZERO_RUNTIME_DIR")
      ->capture_default_str();
}

}  // namespace

Command add_alerts(CLI::App& app) {
  auto options = std::make_shared<AlertsOptions>();
  auto* sub = app.add_subcommand(
      "alerts", "Alert rules: check, test on history, for Prometheus; what fires, and silences");
  sub->require_subcommand(1);

  auto* check = add_sub(
      *sub, "check", "Whether rule files are valid; all mistakes, with place and remedy", *options);
  add_files(*check, *options);
  check->footer(examples({{"nearzero alerts check /etc/nearzero/alerts.yaml", ""}}));

  auto* test = add_sub(*sub, "test", "What would have fired when, on recorded history", *options);
  add_files(*test, *options);
  test->add_option("--history", options->history,
                   "The agent's history, or a recording in JSON lines (docs/alerts.md)")
      ->envname("NEARZERO_HISTORY")
      ->capture_default_str();
  test->add_option("--from", options->from,
                   "Judge from here on: 2026-11-27T14:00 (UTC), Unix seconds, or before now: -24h");
  test->add_option("--to", options->to, "... until here");
  test->add_option("--interval", options->interval, "Between two judgements")
      ->capture_default_str();
  test->footer(
      examples({{"nearzero alerts test /etc/nearzero/alerts.yaml", "on the history of this host"},
                {"nearzero alerts test /etc/nearzero/alerts.yaml --from -24h", "the last day"},
                {"nearzero alerts test /etc/nearzero/alerts.yaml --from 2026-11-27T08:00 --to "
                 "2026-11-27T17:30",
                 ""},
                {"nearzero alerts test /etc/nearzero/alerts.yaml --history day.jsonl", ""}}));

  auto* list = add_sub(*sub, "list", "Alerts of the running agent", *options);
  add_runtime_dir(*list, *options);
  list->footer(examples({{"nearzero alerts list", ""}}));

  auto* silence = add_sub(*sub, "silence", "Tell nobody of some alerts for a while", *options);
  silence->add_option("conditions", options->matchers,
                      "On labels, as inside the braces of PromQL: alertname=\"X\",target=~\"a|b\"");
  silence->add_option("--for", options->duration, "How long: 30m, 2h, 1d")->capture_default_str();
  silence->add_option("--comment", options->comment, "Why, for whoever looks");
  silence->add_flag("--list", options->list_silences, "Those in force");
  silence->add_option("--remove", options->remove, "End the silence with this id");
  add_runtime_dir(*silence, *options);
  silence->footer(examples(
      {{"nearzero alerts silence 'alertname=\"OrdersSlow\"' --for 2h --comment maintenance", ""}}));

  auto* prometheus = sub->add_subcommand("prometheus", "The same rules as a Prometheus rule file");
  add_files(*prometheus, *options);
  prometheus->footer(examples(
      {{"nearzero alerts prometheus /etc/nearzero/alerts.yaml > nearzero.alerts.yml", ""}}));

  sub->footer(examples(
      {{"nearzero alerts check /etc/nearzero/alerts.yaml", "all mistakes, with place and remedy"},
       {"nearzero alerts test /etc/nearzero/alerts.yaml", "what would have fired"},
       {"nearzero alerts list", "pending, firing, lately resolved"},
       {"nearzero alerts silence 'alertname=\"OrdersSlow\"' --for 2h", ""},
       {"nearzero alerts silence --list", ""},
       {"nearzero alerts prometheus /etc/nearzero/alerts.yaml", "for promtool and Prometheus"}},
      "Each subcommand has its own --help."));
  return {sub, [=]() -> int {
            if (check->parsed()) return run_check(*options);
            if (test->parsed()) return run_test(*options);
            if (list->parsed()) return run_list(*options);
            if (silence->parsed()) return run_silence(*options);
            return run_prometheus(*options);
          }};
}

}  // namespace nz::commands
