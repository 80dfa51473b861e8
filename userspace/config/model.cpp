#include "userspace/config/model.h"

#include <limits>

#include "userspace/config/units.h"

namespace nz::config {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

void set(const json& value, std::string& out) {
  if (value.is_string()) out = value.get<std::string>();
}
void set(const json& value, bool& out) {
  if (value.is_boolean()) out = value.get<bool>();
}
void set(const json& value, double& out) {
  if (value.is_number()) out = value.get<double>();
}
void set(const json& value, unsigned& out) {
  if (!value.is_number_integer()) return;
  const auto number = value.get<std::int64_t>();
  if (number >= 0 && number <= std::numeric_limits<unsigned>::max())
    out = static_cast<unsigned>(number);
}
void set(const json& value, std::optional<pid_t>& out) {
  if (!value.is_number_integer()) return;
  const auto number = value.get<std::int64_t>();
  if (number > 0 && number <= std::numeric_limits<pid_t>::max()) out = static_cast<pid_t>(number);
}
void set(const json& value, std::chrono::milliseconds& out) {
  if (!value.is_string()) return;
  if (const auto parsed = parse_duration(value.get<std::string>())) out = *parsed;
}
void set_ratio(const json& value, double& out) {
  if (value.is_number()) out = value.get<double>();
  if (!value.is_string()) return;
  if (const auto parsed = parse_percent(value.get<std::string>())) out = *parsed;
}

void set(const json& value, std::vector<std::string>& out) {
  if (!value.is_array()) return;
  out.clear();
  for (const json& element : value) set(element, out.emplace_back());
}

/// The member of a map; null where there is none or it is no map.
const json& member(const json& map, const char* key) {
  static const json none;
  if (!map.is_object()) return none;
  const auto found = map.find(key);
  return found == map.end() ? none : *found;
}

Stage to_stage(const json& in) {
  Stage out;
  set(member(in, "name"), out.name);
  set(member(in, "function"), out.function);
  set(member(in, "from"), out.from);
  set(member(in, "to"), out.to);
  set(member(in, "binary"), out.binary);
  set(member(in, "nothrow"), out.nothrow);
  return out;
}

Match to_match(const json& in) {
  Match out;
  set(member(in, "pid"), out.pid);
  set(member(in, "comm"), out.comm);
  set(member(in, "exe"), out.exe);
  set(member(in, "cgroup"), out.cgroup);
  set(member(in, "cmdline"), out.cmdline);
  return out;
}

Target to_target(const json& in) {
  Target out;
  set(member(in, "name"), out.name);
  out.match = to_match(member(in, "match"));
  set(member(in, "follow_forks"), out.follow_forks);
  set(member(in, "scheduler"), out.scheduler);
  set(member(in, "syscalls"), out.syscalls);
  const json& sqlite = member(in, "sqlite");
  set(sqlite, out.sqlite);
  if (sqlite.is_object()) {
    out.sqlite = true;  // details without `enabled` mean that it is wanted
    set(member(sqlite, "enabled"), out.sqlite);
    set(member(sqlite, "library"), out.sqlite_library);
    set(member(sqlite, "plan"), out.sqlite_plan);
    set(member(sqlite, "slow"), out.sqlite_slow);
    set(member(sqlite, "keep_literals"), out.sqlite_keep_literals);
    set(member(sqlite, "explain"), out.sqlite_explain);
  }
  const json& stages = member(in, "stages");
  if (stages.is_array()) {
    for (const json& stage : stages) out.stages.push_back(to_stage(stage));
  }
  set(member(member(in, "labels"), "job"), out.labels.job);
  set(member(member(in, "labels"), "instance"), out.labels.instance);
  return out;
}

ReportSchedule to_schedule(const json& in) {
  ReportSchedule out;
  set(member(in, "name"), out.name);
  set(member(in, "every"), out.every);
  set(member(in, "offset"), out.offset);
  set(member(in, "compare"), out.compare);
  set(member(in, "format"), out.format);
  set(member(in, "title"), out.title);
  return out;
}

ordered_json to_json(const ReportSchedule& schedule) {
  return {{"name", schedule.name},
          {"every", format_duration(schedule.every)},
          {"offset", format_duration(schedule.offset)},
          {"compare", schedule.compare},
          {"format", schedule.format},
          {"title", schedule.title}};
}

void set_if_given(ordered_json& out, const char* key, const std::string& value) {
  if (!value.empty()) out[key] = value;
}

ordered_json to_json(const Target& target) {
  const Match& match = target.match;
  ordered_json conditions = ordered_json::object();
  if (match.pid) conditions["pid"] = *match.pid;
  set_if_given(conditions, "comm", match.comm);
  set_if_given(conditions, "exe", match.exe);
  set_if_given(conditions, "cgroup", match.cgroup);
  set_if_given(conditions, "cmdline", match.cmdline);

  ordered_json stages = ordered_json::array();
  for (const Stage& stage : target.stages) {
    ordered_json out;
    out["name"] = stage.name;
    set_if_given(out, "function", stage.function);
    set_if_given(out, "from", stage.from);
    set_if_given(out, "to", stage.to);
    set_if_given(out, "binary", stage.binary);
    if (!stage.function.empty() || stage.nothrow) out["nothrow"] = stage.nothrow;
    stages.push_back(std::move(out));
  }
  ordered_json labels = ordered_json::object();
  set_if_given(labels, "job", target.labels.job);
  set_if_given(labels, "instance", target.labels.instance);
  return {{"name", target.name},
          {"match", conditions},
          {"labels", labels},
          {"follow_forks", target.follow_forks},
          {"scheduler", target.scheduler},
          {"syscalls", target.syscalls},
          {"sqlite",
           {{"enabled", target.sqlite},
            {"library", target.sqlite_library},
            {"plan", target.sqlite_plan},
            {"slow", target.sqlite_slow},
            {"keep_literals", target.sqlite_keep_literals},
            {"explain", target.sqlite_explain}}},
          {"stages", stages}};
}

}  // namespace

void from_json(const json& in, Config& config) {
  set(member(in, "listen"), config.listen);
  const json& http = member(in, "http");
  set(member(member(http, "tls"), "certificate"), config.http.tls_certificate);
  set(member(member(http, "tls"), "key"), config.http.tls_key);
  set(member(http, "token_file"), config.http.token_file);
  set(member(http, "rate_limit"), config.http.rate_limit);
  set(member(http, "rate_burst"), config.http.rate_burst);
  set(member(http, "cors_origins"), config.http.cors_origins);
  set(member(in, "drain_interval"), config.drain_interval);
  set(member(in, "host"), config.host);
  set(member(in, "runtime_dir"), config.runtime_dir);

  const json& overhead = member(in, "overhead");
  set_ratio(member(overhead, "per_target"), config.overhead.per_target);
  set_ratio(member(overhead, "host"), config.overhead.host);
  set(member(overhead, "breaker_factor"), config.overhead.breaker_factor);
  set(member(overhead, "breaker_seconds"), config.overhead.breaker_seconds);
  set(member(overhead, "duty_cycle"), config.overhead.duty_cycle);
  set(member(overhead, "calibrate"), config.overhead.calibrate);

  set(member(member(in, "profile"), "hz"), config.profile.hz);
  set(member(member(in, "profile"), "window"), config.profile.window);

  const json& history = member(in, "history");
  set(member(history, "path"), config.history.path);
  set(member(history, "raw"), config.history.raw);
  set(member(history, "minutes"), config.history.minutes);
  set(member(history, "hours"), config.history.hours);
  set(member(history, "most_mib"), config.history.most_mib);

  set(member(member(in, "alerts"), "rules"), config.alerts.rules);
  set(member(member(in, "alerts"), "state"), config.alerts.state);

  const json& reports = member(in, "reports");
  set(member(reports, "folder"), config.reports.folder);
  set(member(reports, "keep"), config.reports.keep);
  const json& schedules = member(reports, "schedule");
  if (schedules.is_array()) {
    config.reports.schedule.clear();
    for (const json& schedule : schedules) config.reports.schedule.push_back(to_schedule(schedule));
  }

  set(member(member(in, "log"), "level"), config.log.level);
  set(member(member(in, "log"), "file"), config.log.file);

  const json& limits = member(in, "limits");
  set(member(limits, "targets"), config.limits.targets);
  set(member(limits, "statements"), config.limits.statements);
  set(member(limits, "syscalls"), config.limits.syscalls);
  set(member(limits, "stages"), config.limits.stages);
  set(member(limits, "threads"), config.limits.threads);

  const json& targets = member(in, "targets");
  if (!targets.is_array()) return;
  config.targets.clear();
  for (const json& target : targets) config.targets.push_back(to_target(target));
}

ordered_json to_json(const Config& config) {
  ordered_json targets = ordered_json::array();
  for (const Target& target : config.targets) targets.push_back(to_json(target));
  ordered_json schedules = ordered_json::array();
  for (const ReportSchedule& schedule : config.reports.schedule)
    schedules.push_back(to_json(schedule));
  return {
      {"listen", config.listen},
      {"http",
       {{"tls", {{"certificate", config.http.tls_certificate}, {"key", config.http.tls_key}}},
        {"token_file", config.http.token_file},
        {"rate_limit", config.http.rate_limit},
        {"rate_burst", config.http.rate_burst},
        {"cors_origins", config.http.cors_origins}}},
      {"drain_interval", format_duration(config.drain_interval)},
      {"host", config.host},
      {"runtime_dir", config.runtime_dir},
      {"overhead",
       {{"per_target", config.overhead.per_target},
        {"host", config.overhead.host},
        {"breaker_factor", config.overhead.breaker_factor},
        {"breaker_seconds", config.overhead.breaker_seconds},
        {"duty_cycle", config.overhead.duty_cycle},
        {"calibrate", config.overhead.calibrate}}},
      {"profile", {{"hz", config.profile.hz}, {"window", format_duration(config.profile.window)}}},
      {"history",
       {{"path", config.history.path},
        {"raw", format_duration(config.history.raw)},
        {"minutes", format_duration(config.history.minutes)},
        {"hours", format_duration(config.history.hours)},
        {"most_mib", config.history.most_mib}}},
      {"alerts", {{"rules", config.alerts.rules}, {"state", config.alerts.state}}},
      {"reports",
       {{"folder", config.reports.folder}, {"keep", config.reports.keep}, {"schedule", schedules}}},
      {"log", {{"level", config.log.level}, {"file", config.log.file}}},
      {"limits",
       {{"targets", config.limits.targets},
        {"statements", config.limits.statements},
        {"syscalls", config.limits.syscalls},
        {"stages", config.limits.stages},
        {"threads", config.limits.threads}}},
      {"targets", targets}};
}

}  // namespace nz::config
