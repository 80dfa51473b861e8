// Service::command(): what `nearzero alerts list` and `silence` ask over the control socket.
#include <nlohmann/json.hpp>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/service.h"

namespace nz::alerts {
namespace {

using nlohmann::json;

std::string error_line(const Error& error) { return "error: " + error.text() + "\n"; }

json to_json(const Silence& silence) {
  return {{"id", silence.id},
          {"matchers", silence.matchers_text()},
          {"from", silence.from},
          {"until", silence.until},
          {"comment", silence.comment}};
}

}  // namespace

std::optional<std::string> Service::command(const std::string& line) {
  constexpr std::string_view kAdd = "silence add ", kRemove = "silence remove ";
  if (line == "alerts") return list_json();
  if (line == "silences") return silences_json();
  if (line.starts_with(kAdd)) return add_silence(line.substr(kAdd.size()));
  if (!line.starts_with(kRemove)) return std::nullopt;
  return remove_silence(line.substr(kRemove.size()));
}

std::string Service::remove_silence(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto removed = silences_.remove(id);
  if (!removed) return error_line(removed.error());
  publish();
  note_change();
  return "removed " + id + "\n";
}

std::string Service::list_json() const {
  std::vector<Alert> told;
  std::shared_ptr<const RuleFile> file;
  std::shared_ptr<const Seen> seen;
  Couriers couriers;
  {
    const std::lock_guard lock(mutex_);
    told = silenced();
    file = file_;
    seen = seen_;
    couriers = couriers_;
  }
  json out = {{"alerts", json::array()},
              {"rules", file->rules.size()},
              {"problems", file->problems},
              {"unknown", json::array()},
              {"receivers", json::array()}};
  for (const Alert& alert : told) out["alerts"].push_back(alerts::to_json(alert));
  for (const Engine::Unknown& unknown : seen->unknown)
    out["unknown"].push_back({{"rule", unknown.rule}, {"why", unknown.why}});
  for (const auto& courier : couriers) {
    const Courier::Stats stats = courier->stats();
    out["receivers"].push_back({{"name", courier->receiver()},
                                {"waiting", stats.waiting},
                                {"results", stats.results},
                                {"trouble", stats.trouble}});
  }
  return dump(out) + "\n";
}

std::string Service::silences_json() {
  json out = json::array();
  const std::lock_guard lock(mutex_);
  silences_.expire(options_.now());
  for (const Silence& silence : silences_.all()) out.push_back(to_json(silence));
  return dump(out) + "\n";
}

std::string Service::add_silence(const std::string& text) {
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object() || !in.contains("matchers") || !in.at("matchers").is_string() ||
      !in.contains("seconds") || !in.at("seconds").is_number()) {
    return error_line(Error{"this is no silence", "agent and command of the same version?"});
  }
  auto matchers = parse_matchers(in.at("matchers").get<std::string>());
  if (!matchers) return error_line(matchers.error());
  std::string comment;
  if (in.contains("comment") && in.at("comment").is_string())
    comment = in.at("comment").get<std::string>();
  const std::lock_guard lock(mutex_);
  const auto added =
      silences_.add(std::move(*matchers), options_.now(), in.at("seconds").get<double>(), comment);
  if (!added) return error_line(added.error());
  publish();
  note_change();
  return dump(to_json(*added)) + "\n";
}

}  // namespace nz::alerts
