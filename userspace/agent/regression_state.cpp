#include "userspace/agent/regression_state.h"

#include <nlohmann/json.hpp>

#include "userspace/detected/json.h"

namespace nz::agent {
namespace {

using nlohmann::json;
constexpr int kVersion = 1;

}  // namespace

std::string save_regressions(const std::vector<analysis::Regression>& regressions) {
  json list = json::array();
  for (const analysis::Regression& r : regressions) list.push_back(detected::to_json(r));
  return json{{"version", kVersion}, {"regressions", std::move(list)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<analysis::Regression>> restore_regressions(std::string_view saved) {
  try {
    const json in = json::parse(saved);
    if (in.at("version") != kVersion) return fail("another version wrote it");
    std::vector<analysis::Regression> regressions;
    for (const json& r : in.at("regressions")) detected::from_json(r, regressions.emplace_back());
    return regressions;
  } catch (const std::exception& e) {  // json's and the range of `state`
    return fail(e.what());
  }
}

}  // namespace nz::agent
