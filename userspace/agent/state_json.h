// What the states that the agent keeps over a restart are written in: parts of findings,
// regressions and incidents as JSON, and back. What reads throws where it is not what was written;
// restore_state() makes an Error of it.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "analysis/regression.h"
#include "userspace/base/result.h"

namespace nz::agent {

nlohmann::json event_json(const analysis::Event& event);
analysis::Event event_of(const nlohmann::json& in);

/// Into an object that has other members too.
void put_quantity(nlohmann::json& out, const analysis::Quantity& of);
analysis::Quantity quantity_of(const nlohmann::json& in);

/// A figure that may be none: JSON has neither NaN nor infinity, and both come back as NaN.
double number_of(const nlohmann::json& in, const char* key);

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
