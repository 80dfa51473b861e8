// The states that the agent keeps over a restart are JSON with a version. What reads one throws
// where it is not what was written; restore_state() makes an Error of it.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace nz::agent {

/// As one line; what is not UTF-8 (a label of somebody's making) is replaced.
std::string state_text(int version, nlohmann::json state);

/// What `read` makes of a state of this version. Error: another version wrote it, or it is none.
template <class Read>
auto restore_state(std::string_view saved, int version, Read read)
    -> Result<decltype(read(nlohmann::json()))> {
  try {
    const nlohmann::json in = nlohmann::json::parse(saved);
    if (in.at("version") != version) return fail("another version wrote it");
    return read(in);
  } catch (const std::exception& e) {  // json's, and of ranges
    return fail(e.what());
  }
}

}  // namespace nz::agent
