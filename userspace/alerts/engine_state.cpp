// Engine::save() and restore(): the file's form is of this module alone.
#include <exception>
#include <utility>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/engine.h"

namespace nz::alerts {
namespace {

constexpr int kEngineVersion = 1;

}  // namespace

std::string Engine::save() const {
  nlohmann::json out = {{"version", kEngineVersion},
                        {"clock", clock_},
                        {"dropped", dropped_},
                        {"alerts", nlohmann::json::array()}};
  for (const auto& [key, instance] : instances_) {
    out["alerts"].push_back({{"key", key.second},
                             {"identity", instance.identity},
                             {"alert", to_json(instance.alert)},
                             {"held", instance.held},
                             {"gone", instance.gone},
                             {"unknown", instance.unknown},
                             {"ended", instance.ended},
                             {"fires", instance.fires}});
  }
  return dump(out);
}

Result<void> Engine::restore(std::string_view saved) {
  const char* remedy = "alerts begin anew: what fires now fires again";
  try {
    const auto in = nlohmann::json::parse(saved);
    if (in.at("version").get<int>() != kEngineVersion)
      return fail("saved alerts of version " + in.at("version").dump(), remedy);
    std::map<Key, Instance> instances;
    for (const auto& one : in.at("alerts")) {
      Instance instance;
      instance.alert = alert_from_json(one.at("alert"));
      instance.identity = one.at("identity").get<std::string>();
      instance.held = one.at("held").get<double>();
      instance.gone = one.at("gone").get<double>();
      instance.unknown = one.at("unknown").get<double>();
      instance.ended = one.at("ended").get<double>();
      instance.fires = one.at("fires").get<std::deque<double>>();
      if (instances.size() == options_.most) break;
      instances.emplace(Key{instance.alert.rule, one.at("key").get<std::string>()},
                        std::move(instance));
    }
    clock_ = in.at("clock").get<double>();
    dropped_ = in.at("dropped").get<std::uint64_t>();
    instances_ = std::move(instances);
    stepped_ = false;  // the time until the first step has not been watched
    return {};
  } catch (const std::exception& e) {
    return fail(std::string("saved alerts cannot be read: ") + e.what(), remedy);
  }
}

}  // namespace nz::alerts
