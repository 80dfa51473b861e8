// Runs a workload program in a test and parses the JSON it prints.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace nz::workload {

struct ProgramRun {
  int exit_code = -1;
  nlohmann::json report;
};

// `command` is a shell command, relative to the directory of the workload programs.
inline ProgramRun run_program(const std::string& command) {
  ProgramRun result;
  const std::string line = "cd " NZ_WORKLOAD_DIR " && " + command;
  FILE* pipe = popen(line.c_str(), "r");
  if (!pipe) return result;
  std::string output;
  std::array<char, 4096> chunk{};
  for (size_t n; (n = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    output.append(chunk.data(), n);
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.report = nlohmann::json::parse(output, nullptr, false);
  EXPECT_FALSE(result.report.is_discarded()) << command << " printed: " << output;
  return result;
}

// The report of a program that must succeed.
inline nlohmann::json report_of(const std::string& command) {
  ProgramRun run = run_program(command);
  EXPECT_EQ(run.exit_code, 0) << command;
  return run.report.is_object() ? run.report : nlohmann::json::object();
}

}  // namespace nz::workload
