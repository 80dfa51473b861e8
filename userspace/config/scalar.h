// What an unquoted YAML scalar means: the core schema of YAML 1.2.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace nz::config {

/// true, false, null, a whole number (decimal, 0x, 0o), a finite number, else the text itself.
/// Not YAML 1.1: `yes`, `no`, `on` and `off` are text ("off" is a log level).
nlohmann::json resolve_plain(const std::string& text);

}  // namespace nz::config
