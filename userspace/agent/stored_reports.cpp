#include "userspace/agent/stored_reports.h"

#include <spdlog/spdlog.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace nz::agent {
namespace {

using nlohmann::json;

constexpr auto kReplace = json::error_handler_t::replace;

// Every text of a report by the name that it has in the store.
constexpr std::array<std::pair<const char*, std::string rest::Report::*>, 4> kTexts = {
    {{"body", &rest::Report::body},
     {"document", &rest::Report::document},
     {"html", &rest::Report::html},
     {"markdown", &rest::Report::markdown}}};

rest::Report head_of(const store::Report& kept) {
  rest::Report report;
  report.id = kept.id;
  report.title = kept.title;
  report.created = kept.created;
  report.from = kept.from;
  report.to = kept.to;
  report.findings = kept.findings;
  report.complete = kept.complete;
  report.bytes = kept.bytes;
  return report;
}

}  // namespace

Result<void> StoredReports::put(const rest::Report& report) {
  json texts;
  for (const auto& [name, text] : kTexts) texts[name] = report.*text;
  store::Report kept;
  kept.id = report.id;
  kept.title = report.title;
  kept.created = report.created;
  kept.from = report.from;
  kept.to = report.to;
  kept.findings = report.findings;
  kept.complete = report.complete;
  kept.body = texts.dump(-1, ' ', false, kReplace);
  auto put = store_.put_report(std::move(kept));
  if (put) return put;
  errors_++;
  spdlog::warn("report {} would not outlive a restart: {}", report.id, put.error().text());
  return put;
}

std::vector<rest::Report> StoredReports::list() const {
  std::vector<rest::Report> all;
  for (const store::Report& kept : store_.reports()) all.push_back(head_of(kept));
  return all;
}

std::optional<rest::Report> StoredReports::find(const std::string& id) const {
  const auto kept = store_.report(id);
  if (!kept) return std::nullopt;
  rest::Report report = head_of(*kept);
  const json texts = json::parse(kept->body, nullptr, false);
  for (const auto& [name, text] : kTexts) {
    const auto found = texts.is_object() ? texts.find(name) : texts.end();
    if (found == texts.end() || !found->is_string()) {
      errors_++;
      spdlog::warn("report {} is not as this version keeps reports: it has no {}", id, name);
      return std::nullopt;
    }
    report.*text = found->get<std::string>();
  }
  return report;
}

}  // namespace nz::agent
