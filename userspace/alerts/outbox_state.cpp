// Outbox::save() and restore().
#include <algorithm>
#include <exception>

#include "analysis/text.h"
#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/measure.h"
#include "userspace/alerts/outbox.h"

namespace nz::alerts {
namespace {

constexpr int kOutboxVersion = 1;

}  // namespace

std::string Outbox::save() const {
  nlohmann::json out = {
      {"version", kOutboxVersion}, {"dropped", dropped_}, {"groups", nlohmann::json::array()}};
  for (const auto& [name, group] : groups_) {
    nlohmann::json items = nlohmann::json::array();
    for (const auto& [fingerprint, item] : group.items) {
      items.push_back({{"alert", to_json(item.alert)},
                       {"told", item.told ? nlohmann::json(word(*item.told)) : nlohmann::json()},
                       {"told_fired_at", item.told_fired_at},
                       {"resolved_told_at", item.resolved_told_at}});
    }
    out["groups"].push_back({{"told", group.told}, {"items", std::move(items)}});
  }
  return dump(out);
}

Result<void> Outbox::restore(std::string_view saved) {
  const char* remedy = "what fires now is told again";
  try {
    const auto in = nlohmann::json::parse(saved);
    if (in.at("version").get<int>() != kOutboxVersion)
      return fail("saved notifications of version " + in.at("version").dump(), remedy);
    std::map<std::string, Group> groups;
    std::size_t size = 0;
    for (const auto& one : in.at("groups")) {
      const auto told = one.at("told").get<double>();
      for (const auto& saved_item : one.at("items")) {
        if (size == options_.most) break;
        Item item;
        item.alert = alert_from_json(saved_item.at("alert"));
        if (saved_item.at("told").is_string()) {
          item.told = saved_item.at("told").get<std::string>() == word(State::resolved)
                          ? State::resolved
                          : State::firing;
        }
        item.told_fired_at = saved_item.at("told_fired_at").get<double>();
        item.resolved_told_at = saved_item.at("resolved_told_at").get<double>();
        // By the labels of today's configuration, which may be others.
        const analysis::Labels labels = group_labels(item.alert.labels, options_.group_by, false);
        Group& group = groups[analysis::selector("", labels)];
        group.labels = labels;
        group.told = std::max(group.told, told);
        // News goes out at once: it has waited long enough.
        if (item.is_news()) group.changed = 1e-3;
        group.items.insert_or_assign(item.alert.fingerprint(), std::move(item));
        size++;
      }
    }
    groups_ = std::move(groups);
    size_ = 0;
    for (const auto& [name, group] : groups_) size_ += group.items.size();
    dropped_ = in.at("dropped").get<std::uint64_t>();
    return {};
  } catch (const std::exception& e) {
    return fail(std::string("saved notifications cannot be read: ") + e.what(), remedy);
  }
}

}  // namespace nz::alerts
