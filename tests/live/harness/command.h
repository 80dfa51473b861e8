// The executable's short-lived commands as a test runs them.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/live/harness/program.h"

namespace nz::live {

struct Outcome {
  int code = -1;
  std::string out, err;
};

/// Runs `nearzero ARGUMENTS...` to its end.
inline Outcome run(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  arguments.insert(arguments.begin(), NZ_AGENT);
  Program program(std::move(arguments), std::move(environment));
  const int code = program.wait(60);
  return {code, program.out(), program.err()};
}

inline ::testing::AssertionResult says(const std::string& text,
                                       std::initializer_list<const char*> words) {
  for (const char* word : words) {
    if (text.find(word) == std::string::npos)
      return ::testing::AssertionFailure() << "no '" << word << "' in: " << text;
  }
  return ::testing::AssertionSuccess();
}

/// Each line of JSON that a command printed.
inline std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> all;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) all.push_back(nlohmann::json::parse(text.substr(at, end - at), nullptr, false));
    at = end + 1;
  }
  return all;
}

}  // namespace nz::live
