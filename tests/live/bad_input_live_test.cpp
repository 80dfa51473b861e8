// What a person can get wrong before the agent observes anything: each ends with its documented
// exit code and a text that says what, where and what to do.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

std::string runtime_dir() { return temporary_file("run", "") + ".d"; }

// ---- command lines
// ------------------------------------------------------------------------------------

TEST(CommandLine, WrongOnesEndWithTwo) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"agnet"},
                                                       {"agent", "--cofnig", "x"},
                                                       {"agent", "extra"},
                                                       {"agent", "--config"},
                                                       {"top", "--interval", "0"},
                                                       {"top", "--interval", "fast"},
                                                       {"top", "--duration", "-1"},
                                                       {"off", "now"},
                                                       {"--no-such-flag"},
                                                       {"agent", "top"}};
  for (const auto& arguments : wrong) {
    const Outcome o = run(arguments);
    std::string shown;
    for (const std::string& a : arguments) shown += " " + a;
    EXPECT_EQ(o.code, 2) << shown << ": " << o.err;
    EXPECT_FALSE(o.err.empty()) << shown;
    EXPECT_TRUE(says(o.err, {"--help"})) << shown;
  }
}

TEST(CommandLine, HelpOfEachSubcommandShowsExamples) {
  const Outcome all = run({"--help"});
  EXPECT_EQ(all.code, 0);
  EXPECT_TRUE(says(all.out, {"agent", "top", "off", "on", "status", "Examples:", "Exit codes:"}));
  for (const char* sub : {"agent", "top", "off", "on", "status"}) {
    const Outcome o = run({sub, "--help"});
    EXPECT_EQ(o.code, 0) << sub;
    EXPECT_TRUE(says(o.out, {"Examples:", (std::string("nearzero ") + sub).c_str()})) << sub;
    EXPECT_TRUE(o.err.empty()) << o.err;
  }
}

TEST(CommandLine, Version) {
  const Outcome o = run({"--version"});
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.out, std::string("nearzero ") + NZ_VERSION + "\n");
}

TEST(CommandLine, AlertsAreTestedOnHistoryFromAPipe) {
  const std::string rules = temporary_file(
      "rules.yaml", "rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}}\n");
  const std::string pipe = temporary_file("history", "") + ".fifo";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread([pipe] {
    std::ofstream out(pipe);
    for (int i = 0; i < 10; i++)
      out << R"({"at": )" << 1'764'255'600 + 10 * i
          << R"(, "families": {"nearzero_off": [{"value": 1}]}})"
          << "\n";
  }).detach();
  const Outcome o = run({"alerts", "test", rules, "--history", pipe});
  EXPECT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.out, {"1 alert would have fired", "10 moments"}));
  std::filesystem::remove(pipe);
}

// ---- configuration
// --------------------------------------------------------------------------------------

TEST(BadConfig, EveryProblemWithItsLine) {
  const std::string file = temporary_file("bad.yaml",
                                          "lisen: 127.0.0.1:1\n"
                                          "drain_interval: 5 parsecs\n"
                                          "targets:\n"
                                          "  - name: a\n"
                                          "    match: {com: x}\n"
                                          "    stages:\n"
                                          "      - {name: s, from: f}\n");
  for (const bool check : {true, false}) {
    std::vector<std::string> arguments{"agent", "--config", file};
    if (check) arguments.emplace_back("--check-config");
    const Outcome o = run(arguments);
    EXPECT_EQ(o.code, 3) << o.err;
    EXPECT_TRUE(says(o.err, {(file + ":1:").c_str(), (file + ":2:").c_str(), (file + ":5:").c_str(),
                             (file + ":7:").c_str(), "lisen", "listen", "parsecs", "comm"}));
    EXPECT_TRUE(o.out.empty()) << o.out;
  }
}

TEST(BadConfig, WhatIsNoConfigurationFile) {
  const std::string folder = std::filesystem::path(temporary_file("x", "")).parent_path().string();
  for (const std::string& file :
       {std::string("/no/such/file.yaml"), folder,
        temporary_file("b.yaml", std::string("\x7f"
                                             "ELF\0\1\2",
                                             7)),
        temporary_file("c.yaml", "targets: [\n"), temporary_file("d.yaml", "- a\n- b\n")}) {
    const Outcome o = run({"agent", "--config", file});
    EXPECT_EQ(o.code, 3) << file << ": " << o.err;
    EXPECT_TRUE(says(o.err, {file.c_str()}));
  }
}

TEST(BadConfig, UnreadableForThisUser) {
  const std::string file = temporary_file("secret.yaml", "host: true\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  Program program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", NZ_AGENT, "agent",
                   "--config", file});
  EXPECT_EQ(program.wait(30), 3);
  EXPECT_TRUE(says(program.err(), {file.c_str(), "Permission denied"}));
}

TEST(BadConfig, FlagsAndEnvironmentAreCheckedToo) {
  const Outcome flag = run({"agent", "--listen", "0.0.0.0:99999"});
  EXPECT_EQ(flag.code, 3) << flag.err;
  EXPECT_TRUE(says(flag.err, {"listen"}));
  const Outcome variable = run({"agent"}, {"NEARZERO_DRAIN_INTERVAL=soon"});
  EXPECT_EQ(variable.code, 3);
  EXPECT_TRUE(says(variable.err, {"NEARZERO_DRAIN_INTERVAL", "soon"}));
  const Outcome level = run({"agent", "--log-level", "loud"});
  EXPECT_EQ(level.code, 3) << level.err;
  EXPECT_TRUE(says(level.err, {"log.level"}));
}

TEST(BadConfig, ALogFileThatCannotBeWritten) {
  const Outcome o = run({"agent"}, {"NEARZERO_LOG_FILE=/proc/nearzero.log"});
  EXPECT_EQ(o.code, 3) << o.err;
  EXPECT_TRUE(says(o.err, {"/proc/nearzero.log", "log.file"}));
}

TEST(CheckConfig, ValidOnes) {
  const Outcome built_in = run({"agent", "--check-config"});
  EXPECT_EQ(built_in.code, 0);
  EXPECT_EQ(built_in.out, "built-in defaults: valid, 0 target(s)\n");
  const std::string demo = std::string(NZ_SOURCE) + "/configs/demo.yaml";
  const Outcome shipped = run({"agent", "--check-config", "--config", demo});
  EXPECT_EQ(shipped.code, 0);
  EXPECT_EQ(shipped.out, demo + ": valid, 1 target(s)\n");
}

TEST(PrintConfig, IsAcceptedAgainAndShowsWhatIsInForce) {
  const Outcome first =
      run({"agent", "--print-config", "--config", std::string(NZ_SOURCE) + "/configs/demo.yaml",
           "--listen", "127.0.0.1:9999"},
          {"NEARZERO_DRAIN_INTERVAL=250ms"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_TRUE(says(first.out, {"127.0.0.1:9999", "250ms", "demo::check_risk"}));
  const Outcome second =
      run({"agent", "--print-config", "--config", temporary_file("again.yaml", first.out)});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(second.out, first.out);
}

// ---- the host
// ---------------------------------------------------------------------------------------------

TEST(Host, NoPrivilege) {
  // A folder that nobody may write: what refuses is the kernel, not the lock.
  const std::string folder = runtime_dir();
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  const std::string file =
      temporary_file("nobody.yaml", "runtime_dir: " + folder + "\nlisten: 127.0.0.1:0\n");
  Program program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", NZ_AGENT, "agent",
                   "--config", file});
  EXPECT_EQ(program.wait(30), 4) << program.err();
  EXPECT_TRUE(says(program.err(), {"no privilege to load BPF programs", "CAP_BPF", "run as root"}));
}

TEST(Host, NoPrivilegeForTheRuntimeFolder) {
  const std::string file =
      temporary_file("nobody.yaml", "runtime_dir: /run/nearzero-not-yours\nlisten: 127.0.0.1:0\n");
  Program program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", NZ_AGENT, "agent",
                   "--config", file});
  EXPECT_EQ(program.wait(30), 4) << program.err();
  EXPECT_TRUE(says(program.err(), {"/run/nearzero-not-yours", "run as root", "runtime_dir"}));
}

TEST(Host, ARuntimeFolderInAFolderThatIsNotThere) {
  const std::string file =
      temporary_file("a.yaml", "runtime_dir: /no/such/folder\nlisten: 127.0.0.1:0\n");
  const Outcome o = run({"agent", "--config", file});
  EXPECT_EQ(o.code, 1) << o.err;
  EXPECT_TRUE(says(o.err, {"/no/such/folder", "No such file or directory", "runtime_dir"}));
}

TEST(Host, NoBtf) {
  const std::string file =
      temporary_file("btf.yaml", "runtime_dir: " + runtime_dir() + "\nlisten: 127.0.0.1:0\n");
  const Outcome o = run({"agent", "--config", file}, {"NEARZERO_BTF=/no/such/vmlinux"});
  EXPECT_EQ(o.code, 5) << o.err;
  EXPECT_TRUE(
      says(o.err, {"this kernel cannot be observed", "/no/such/vmlinux", "CONFIG_DEBUG_INFO_BTF"}));
  const Outcome garbage = run({"agent", "--config", file},
                              {"NEARZERO_BTF=" + temporary_file("btf", "not type information")});
  EXPECT_EQ(garbage.code, 5) << garbage.err;
}

TEST(Host, TwoAgentsAtOnce) {
  Agent first("");
  const std::string file = temporary_file(
      "second.yaml", "listen: 127.0.0.1:0\nruntime_dir: " + first.runtime_dir() + "\n");
  const Outcome o = run({"agent", "--config", file});
  EXPECT_EQ(o.code, 7) << o.err;
  EXPECT_TRUE(
      says(o.err, {("pid " + std::to_string(first.program().pid())).c_str(), "runtime_dir"}));
  int status = 0;
  (void)first.get("/readyz", &status);
  EXPECT_EQ(status, 200) << "the first one is not disturbed";
}

TEST(Host, PortInUse) {
  const Agent first("");
  const std::string address = "127.0.0.1:" + std::to_string(first.port());
  const std::string file =
      temporary_file("port.yaml", "listen: " + address + "\nruntime_dir: " + runtime_dir() + "\n");
  // The type information is missing too: with code 6 the port was tried before anything was loaded.
  const Outcome o = run({"agent", "--config", file}, {"NEARZERO_BTF=/no/such/vmlinux"});
  EXPECT_EQ(o.code, 6) << o.err;
  EXPECT_TRUE(says(o.err, {address.c_str(), "Address already in use", "--listen"}));
}

// ---- talking to an agent that is not there
// ------------------------------------------------------------------

TEST(NoAgent, EverySubcommandEndsWithEight) {
  const std::string folder = runtime_dir();
  for (const char* sub : {"off", "on", "status"}) {
    const Outcome o = run({sub, "--runtime-dir", folder});
    EXPECT_EQ(o.code, 8) << sub;
    EXPECT_TRUE(says(o.err, {folder.c_str(), "nearzero agent"}));
  }
  const Outcome top = run({"top", "--url", "http://127.0.0.1:1", "--once"});
  EXPECT_EQ(top.code, 8);
  EXPECT_TRUE(says(top.err, {"no agent answers at http://127.0.0.1:1", "nearzero agent", "--url"}));
  const Outcome url = run({"top", "--url", "nonsense"});
  EXPECT_EQ(url.code, 8) << url.err;
}

TEST(NoAgent, AFlagGoesBeforeTheEnvironment) {
  const std::string folder = runtime_dir();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"status"}, {"alerts", "list"}, {"alerts", "silence", "--list"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--runtime-dir", folder});
    const Outcome o = run(arguments, {"NEARZERO_RUNTIME_DIR=/no/such/folder"});
    EXPECT_EQ(o.code, 8) << command.back();
    EXPECT_TRUE(says(o.err, {folder.c_str()})) << command.back();
  }
}

}  // namespace
}  // namespace nz::live
