// Every example of every help text is run; completions and manual pages are made of the same texts.
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

std::vector<std::string> subcommands() {
  std::vector<std::string> names;
  std::istringstream lines(run({"--help"}).out);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.empty()) inside = false;
    std::istringstream words(line);
    std::string name;
    if (inside && words >> name) names.push_back(name);
    if (line == "Subcommands:") inside = true;
  }
  return names;
}

// Commands alone, without the remark behind them (which follows two blanks).
std::vector<std::string> examples_of(const std::string& help) {
  std::vector<std::string> commands;
  const size_t begin = help.find("Examples:\n");
  if (begin == std::string::npos) return commands;
  std::istringstream lines(help.substr(begin + 10));
  std::string line;
  while (std::getline(lines, line) && line.starts_with("  ")) {
    line.erase(0, 2);
    commands.push_back(line.substr(0, line.find("  ")));
  }
  return commands;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// What an example names stands here under another name: the agent of the test, its files.
std::string here(std::string command, const Agent& agent, const std::string& folder) {
  const std::string own = "127.0.0.1:" + std::to_string(agent.port());
  const bool starts_agent = command.find("nearzero agent") != std::string::npos;
  replace_all(command, "/etc/nearzero/alerts.yaml",
              std::string(NZ_SOURCE) + "/configs/alerts.yaml");
  replace_all(command, "/etc/nearzero/nearzero.yaml",
              std::string(NZ_SOURCE) + "/configs/nearzero.yaml");
  replace_all(command, "--config orders.yaml",
              std::string("--config ") + NZ_SOURCE + "/configs/demo.yaml");
  for (const char* file : {"latency.csv", "disk.csv"})
    replace_all(command, file, std::string(NZ_SOURCE) + "/docs/analyze/" + file);
  replace_all(command, "/run/nearzero", agent.runtime_dir());
  if (!starts_agent) {
    replace_all(command, "127.0.0.1:9718", own);
    replace_all(command, "127.0.0.1:9800", own);
    return "NEARZERO_URL=http://" + own + " NEARZERO_RUNTIME_DIR=" + agent.runtime_dir() +
           " NEARZERO_HISTORY=" + folder +
           "/history.db; export NEARZERO_URL NEARZERO_RUNTIME_DIR NEARZERO_HISTORY; " + command;
  }
  // A second agent beside the first: its own lock and port.
  replace_all(command, "127.0.0.1:9800", "127.0.0.1:0");
  return "NEARZERO_LISTEN=127.0.0.1:0 NEARZERO_RUNTIME_DIR=" + folder +
         "/run; export NEARZERO_LISTEN NEARZERO_RUNTIME_DIR; " + command;
}

// Something for the examples of `nearzero history` and `nearzero baseline` to find.
void make_history(const std::string& folder) {
  const auto now = std::time(nullptr);
  std::string lines;
  const auto add = [&](const char* level, std::time_t from) {
    lines +=
        R"({"series":"nearzero_disk_in_flight","labels":{"device":"vda"},"type":"gauge","level":")" +
        std::string(level) + R"(","from":)" + std::to_string(from) + R"(,"to":)" +
        std::to_string(from + 60) +
        R"(,"value":3})"
        "\n";
  };
  for (int minute = 130; minute > 1; minute--) add("minute", now - 60 * minute);
  add("hour", now - 120);
  const Outcome o = run({"history", "import", temporary_file("history.jsonl", lines), "--db",
                         folder + "/history.db"});
  ASSERT_EQ(o.code, 0) << o.err;
}

TEST(Help, EveryExampleRuns) {
  const std::string folder = temporary_file("examples", "") + ".d";
  std::filesystem::create_directories(folder);
  std::filesystem::create_symlink(NZ_AGENT, folder + "/nearzero");
  make_history(folder);
  std::ofstream(folder + "/day.jsonl") << R"({"at":1,"families":{"nearzero_off":[{"value":0}]}})"
                                       << "\n";
  Agent agent("host: true\nalerts: {rules: [" NZ_SOURCE "/configs/alerts.yaml], state: ''}\n");
  std::vector<std::string> texts = {run({"--help"}).out};
  for (const std::string& sub : subcommands()) texts.push_back(run({sub, "--help"}).out);
  ASSERT_GE(texts.size(), 10U);
  size_t examples = 0;
  for (const std::string& help : texts) {
    const auto commands = examples_of(help);
    EXPECT_GE(commands.size(), 3U) << help;
    EXPECT_LE(commands.size(), 8U) << help;
    for (const std::string& example : commands) {
      examples++;
      std::string command = here(example, agent, folder);
      replace_all(command, "man -l -", "cat");  // man-db need not be there
      // What runs until it is stopped is stopped, as a person would: its own exit code counts.
      Program program({"/usr/bin/timeout", "--preserve-status", "-s", "INT", "-k", "10", "4",
                       "/bin/bash", "-c",
                       "cd " + folder + " && PATH=" + folder + ":$PATH; " + command});
      const int code = program.wait(30);
      // bash itself reports the SIGINT that its child survived.
      EXPECT_TRUE(code == 0 || code == 130) << example << ": " << code << "\n" << program.err();
      EXPECT_FALSE(code == 130 && program.out().empty() && program.err().empty()) << example;
    }
  }
  EXPECT_GT(examples, 30U);
  EXPECT_EQ(agent.stop(), 0);
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 5));
  std::filesystem::remove_all(folder);
}

TEST(Completion, ScriptsAreValidAndNameEveryFlag) {
  const Outcome bash = run({"completion", "bash"});
  ASSERT_EQ(bash.code, 0);
  const std::string file = temporary_file("completion.bash", bash.out);
  Program check({"/bin/bash", "-n", file});
  EXPECT_EQ(check.wait(10), 0) << check.err();
  // As the shell would ask: the word under the cursor is --sl of `nearzero trace --sl`.
  Program ask({"/bin/bash", "-c",
               "source " + file +
                   "; COMP_WORDS=(nearzero trace --sl); COMP_CWORD=2; _nearzero; echo "
                   "\"${COMPREPLY[@]}\""});
  EXPECT_EQ(ask.wait(10), 0);
  EXPECT_EQ(ask.out(), "--slower\n");
  Program choice({"/bin/bash", "-c",
                  "source " + file +
                      "; COMP_WORDS=(nearzero trace --format j); COMP_CWORD=3; _nearzero; echo "
                      "\"${COMPREPLY[@]}\""});
  EXPECT_EQ(choice.wait(10), 0);
  EXPECT_EQ(choice.out(), "json\n");
  for (const char* shell : {"zsh", "fish"}) {
    const Outcome o = run({"completion", shell});
    EXPECT_EQ(o.code, 0);
    EXPECT_TRUE(says(o.out, {"trace", "slower", "check-config"})) << shell;
  }
  EXPECT_EQ(run({"completion", "tcsh"}).code, 2);
}

TEST(Man, APageForEachSubcommandWithItsOptionsAndExamples) {
  for (const std::string& sub : subcommands()) {
    const Outcome o = run({"man", sub});
    ASSERT_EQ(o.code, 0) << sub;
    EXPECT_TRUE(
        says(o.out, {".TH nearzero", ".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH EXAMPLES"}))
        << sub;
  }
  EXPECT_TRUE(says(run({"man"}).out, {"nearzero\\-trace (1)", ".SH SUBCOMMANDS"}));
  EXPECT_EQ(run({"man", "nothing"}).code, 2);
}

}  // namespace
}  // namespace nz::live
