// nearzero off, on, status: one line to the running agent, its answer to the terminal.
#include <fmt/format.h>

#include <memory>

#include "userspace/agent/instance.h"
#include "userspace/base/exit_codes.h"
#include "userspace/commands/ask_agent.h"
#include "userspace/commands/command.h"

namespace nz::commands {
namespace {

Command control(CLI::App& app, const std::string& name, const std::string& help,
                std::initializer_list<Example> lines) {
  auto runtime_dir = std::make_shared<std::string>(kRuntimeDir);
  auto* sub = app.add_subcommand(name, help);
  add_runtime_dir(*sub, *runtime_dir);
  sub->footer(examples(lines));
  return {sub, [name, runtime_dir]() -> int {
            const auto answer = agent::send_command(*runtime_dir, name);
            if (!answer) {
              fmt::print(stderr, "nearzero {}: {}\n", name, answer.error().text());
              return kNotRunning;
            }
            fmt::print("{}", *answer);
            return answer->starts_with("error") ? kFailed : kOk;
          }};
}

}  // namespace

std::vector<Command> add_control(CLI::App& app) {
  return {control(app, "off", "Detach everything at once; the agent goes on running",
                  {{"nearzero off", ""},
                   {"nearzero off && nearzero status | head -1", ""},
                   {"nearzero off --runtime-dir /run/nearzero", ""}}),
          control(app, "on", "Attach again after `off` or after the breaker tripped",
                  {{"nearzero on", ""},
                   {"nearzero on && nearzero status | jq .attached", ""},
                   {"nearzero on --runtime-dir /run/nearzero", ""}}),
          control(app, "status", "What is attached, what is not and why (JSON)",
                  {{"nearzero status", ""},
                   {"nearzero status | jq '.probes[] | select(.attached | not)'", ""},
                   {"nearzero status --runtime-dir /run/nearzero", ""}})};
}

}  // namespace nz::commands
