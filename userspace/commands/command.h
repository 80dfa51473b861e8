// A subcommand: its flags and help in CLI11's terms, and what it does. One file here for each;
// help, man pages and shell completions are all made from the same CLI::App.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::commands {

struct Command {
  CLI::App* app = nullptr;
  std::function<int()> run;  ///< after parsing; an exit code (userspace/base/exit_codes.h)
};

/// A line of a help text's "Examples:"; tests/live runs every one of them.
struct Example {
  std::string command;
  std::string what;  ///< a few words, or empty
};
/// The footer: examples in aligned columns, then `more` if any.
std::string examples(std::initializer_list<Example> lines, const std::string& more = {});

Command add_agent(CLI::App& app);
std::vector<Command> add_control(CLI::App& app);  ///< off, on, status
Command add_top(CLI::App& app);
Command add_trace(CLI::App& app);
Command add_report(CLI::App& app);
Command add_list(CLI::App& app);
Command add_check(CLI::App& app);
Command add_analyze(CLI::App& app);
Command add_history(CLI::App& app);
Command add_baseline(CLI::App& app);
Command add_alerts(CLI::App& app);
Command add_completion(CLI::App& app);
Command add_man(CLI::App& app);

/// Describes the program and adds every subcommand, in the order of `nearzero --help`.
std::vector<Command> add_all(CLI::App& app);

/// What `-p` takes; says so of anything else.
CLI::Validator pid_validator();

/// `nearzero WHAT: MESSAGE (REMEDY)` on standard error, and the exit code that fits the error:
/// `otherwise` unless errno says more.
int report(const std::string& what, const Error& error, int otherwise);

}  // namespace nz::commands
