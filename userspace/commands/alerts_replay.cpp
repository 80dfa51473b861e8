// nearzero alerts test: what rules would have said on recorded history. (No alerts_test.cpp: that
// name is a unit test's.)
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/amount.h"
#include "userspace/alerts/replay.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/alerts/stored/stored_moments.h"
#include "userspace/base/clock.h"
#include "userspace/baselines/named_values.h"
#include "userspace/cli/table.h"
#include "userspace/commands/alerts_subcommands.h"
#include "userspace/commands/alerts_words.h"
#include "userspace/commands/output.h"
#include "userspace/rest/time.h"
#include "userspace/store/answers.h"
#include "userspace/store/store.h"

namespace nz::commands {
namespace {

using alerts::Alert;
using cli::Table;
using nlohmann::json;

struct AlertsTestOptions {
  std::vector<std::string> files;
  std::string history = store::Options().path;
  std::string from, to, interval = "10s", format = "text";
};

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

std::string lasted(const Alert& alert) {
  return alert.resolved_at == 0
             ? "still fires"
             : fmt::format("{:.0f} s", std::max(0.0, alert.resolved_at - alert.fired_at));
}

int print_replayed(const AlertsTestOptions& options, const alerts::RuleFile& file,
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
                 alert.rule, alerts::value_text(alert.value, alert.unit), labels_text(alert),
                 summary_text(alert)});
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

int run_alerts_test(const AlertsTestOptions& options) {
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

}  // namespace

Command add_alerts_test(CLI::App& parent) {
  auto options = std::make_shared<AlertsTestOptions>();
  auto* sub = parent.add_subcommand("test", "What would have fired when, on recorded history");
  add_format(*sub, options->format);
  sub->add_option("file", options->files, "Rule files")->required();
  sub->add_option("--history", options->history,
                  "The agent's history, or a recording in JSON lines (docs/alerts.md)")
      ->envname("NEARZERO_HISTORY")
      ->capture_default_str();
  sub->add_option("--from", options->from,
                  "Judge from here on: 2026-11-27T14:00 (UTC), Unix seconds, or before now: -24h");
  sub->add_option("--to", options->to, "... until here");
  sub->add_option("--interval", options->interval, "Between two judgements")->capture_default_str();
  sub->footer(
      examples({{"nearzero alerts test /etc/nearzero/alerts.yaml", "on the history of this host"},
                {"nearzero alerts test /etc/nearzero/alerts.yaml --from -24h", "the last day"},
                {"nearzero alerts test /etc/nearzero/alerts.yaml --from 2026-11-27T08:00 --to "
                 "2026-11-27T17:30",
                 ""},
                {"nearzero alerts test /etc/nearzero/alerts.yaml --history day.jsonl", ""}}));
  return {sub, [options] { return run_alerts_test(*options); }};
}

}  // namespace nz::commands
