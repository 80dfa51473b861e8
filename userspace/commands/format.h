// --format text|json, the same for every command that has it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace nz::commands {

inline void add_format(CLI::App& sub, std::string& format) {
  sub.add_option("-f,--format", format, "text for people, json for programs")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

}  // namespace nz::commands
