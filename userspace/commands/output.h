// What commands print: text for people or JSON for programs (--format).
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "userspace/base/exit_codes.h"
#include "userspace/cli/terminal.h"

namespace nz::commands {

inline void add_format(CLI::App& sub, std::string& format) {
  sub.add_option("-f,--format", format, "text for people, json for programs")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

/// Both return an exit code: the reader may have gone, the disk may be full.
inline int print(const std::string& text) { return cli::write_out(text) ? kOk : kFailed; }
inline int print_json(const nlohmann::json& object) {
  return print(object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace nz::commands
