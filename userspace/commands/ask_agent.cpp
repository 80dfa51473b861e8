#include "userspace/commands/ask_agent.h"

#include <fmt/format.h>

#include <cstdio>

#include "userspace/agent/instance.h"

namespace nz::commands {

using nlohmann::json;

void add_runtime_dir(CLI::App& sub, std::string& runtime_dir) {
  sub.add_option("--runtime-dir", runtime_dir, "Folder of the agent's socket")
      ->envname("NEARZERO_RUNTIME_DIR")
      ->capture_default_str();
}

std::optional<json> ask_agent(const std::string& runtime_dir, const std::string& command,
                              const char* what, int& code) {
  const auto answer = agent::send_command(runtime_dir, command);
  if (!answer) {
    code = report(what, answer.error(), kNotRunning);
    return std::nullopt;
  }
  json out = json::parse(*answer, nullptr, false);
  if (out.is_discarded()) {
    const std::string text = answer->starts_with("error: ") ? answer->substr(7) : *answer;
    fmt::print(stderr, "nearzero {}: {}", what, text);
    code = kFailed;
    return std::nullopt;
  }
  return out;
}

}  // namespace nz::commands
