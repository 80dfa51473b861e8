#include "userspace/commands/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "userspace/base/exit_codes.h"

namespace nz::commands {

std::string examples(std::initializer_list<Example> lines, const std::string& more) {
  // What is longer than this is not aligned: one long line would push all remarks out of the
  // window.
  constexpr size_t kColumn = 52;
  size_t column = 0;
  for (const Example& line : lines) {
    if (line.command.size() <= kColumn && !line.what.empty())
      column = std::max(column, line.command.size());
  }
  std::string text = "\nExamples:";
  for (const Example& line : lines) {
    text += line.what.empty() ? "\n  " + line.command
                              : fmt::format("\n  {:<{}}  {}", line.command, column, line.what);
  }
  return more.empty() ? text : text + "\n\n" + more;
}

std::vector<Command> add_all(CLI::App& app) {
  app.description(
      "nearzero tells where the time of an order went, on a live host, at near-zero overhead.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "nearzero " NZ_VERSION);
  app.footer(examples(
      {{"nearzero agent", "observe the host alone"},
       {"nearzero agent --config /etc/nearzero/nearzero.yaml", "and the targets named there"},
       {"nearzero top", "live table of the running agent"},
       {"nearzero off", "detach everything at once"},
       {"nearzero trace runq offcpu -d 10", "without an agent, now"},
       {"nearzero list libsqlite3:sqlite3_step", "what can be probed"},
       {"nearzero check", "what this host allows"},
       {"curl -s http://127.0.0.1:9718/metrics", "what Prometheus scrapes"}},
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 configuration not valid,\n"
      "4 no privilege, 5 kernel lacks what is needed, 6 listen address in use, 7 another agent "
      "runs,\n8 no agent runs, 9 no such process, file or function, 10 refused as unsafe or too "
      "dear."));

  std::vector<Command> all;
  all.push_back(add_agent(app));
  all.push_back(add_top(app));
  for (Command& command : add_control(app)) all.push_back(std::move(command));
  all.push_back(add_report(app));
  all.push_back(add_trace(app));
  all.push_back(add_list(app));
  all.push_back(add_check(app));
  all.push_back(add_analyze(app));
  all.push_back(add_history(app));
  all.push_back(add_baseline(app));
  all.push_back(add_alerts(app));
  all.push_back(add_completion(app));
  all.push_back(add_man(app));
  return all;
}

CLI::Validator pid_validator() {
  const auto check = [](std::string& text) -> std::string {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits && text.size() < 10 && std::stol(text) > 0) return {};
    return "'" + text + "' is not the id of a process, which is a whole number above 0" +
           (text.empty() || text.front() == '-' ? " (does what should print it print nothing?)"
                                                : "");
  };
  return {check, "PID", "pid"};
}

int report(const std::string& what, const Error& error, int otherwise) {
  fmt::print(stderr, "nearzero {}: {}\n", what, error.text());
  if (error.code == EPERM || error.code == EACCES) return kNoPrivilege;
  return otherwise;
}

}  // namespace nz::commands
