#include "userspace/agent/state_json.h"

namespace nz::agent {

std::string state_text(int version, nlohmann::json state) {
  state["version"] = version;
  return state.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace nz::agent
