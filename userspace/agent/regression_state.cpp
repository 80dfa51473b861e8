#include "userspace/agent/regression_state.h"

#include <utility>

#include "userspace/agent/state_json.h"
#include "userspace/detected/json.h"

namespace nz::agent {
namespace {

using nlohmann::json;
constexpr int kRegressionsVersion = 1;

}  // namespace

std::string save_regressions(const std::vector<analysis::Regression>& regressions) {
  json list = json::array();
  for (const analysis::Regression& r : regressions) list.push_back(detected::to_json(r));
  return state_text(kRegressionsVersion, {{"regressions", std::move(list)}});
}

Result<std::vector<analysis::Regression>> restore_regressions(std::string_view saved) {
  return restore_state(saved, kRegressionsVersion, [](const json& in) {
    std::vector<analysis::Regression> regressions;
    for (const json& r : in.at("regressions")) detected::from_json(r, regressions.emplace_back());
    return regressions;
  });
}

}  // namespace nz::agent
