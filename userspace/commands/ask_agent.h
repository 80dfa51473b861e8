// Commands that ask the running agent something, through the socket in its folder.
#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "userspace/base/exit_codes.h"
#include "userspace/commands/command.h"

namespace nz::commands {

inline constexpr const char* kRuntimeDir = "/run/nearzero";

/// Where the agent's socket is. A subcommand has a `runtime_dir` of its own: the environment is
/// read for all of them, whichever is called, and would overwrite what the flag of another said.
void add_runtime_dir(CLI::App& sub, std::string& runtime_dir);

/// The agent's answer as JSON; nothing, and the exit code, where there is none. `what`: the command
/// in messages, "alerts list".
std::optional<nlohmann::json> ask_agent(const std::string& runtime_dir, const std::string& command,
                                        const char* what, int& code);

/// What an answer of another version makes of the work is an error, not the end of the command.
template <class Work>
int as_expected(const char* what, const Work& work) {
  try {
    return work();
  } catch (const std::exception& e) {
    return report(what,
                  Error{std::string("the agent's answer is not what was expected: ") + e.what(),
                        "agent and command of the same version?"},
                  kFailed);
  }
}

}  // namespace nz::commands
