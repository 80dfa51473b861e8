// `nearzero trace -f json` around what a test does, and its rows.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {

// A trace in JSON beside a workload that waits for it: attached, then go, then Ctrl-C.
class Trace {
 public:
  explicit Trace(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {NZ_AGENT, "trace", "-f", "json", "--yes"});
    program_ = std::make_unique<Program>(std::move(arguments));
    EXPECT_TRUE(eventually([this] { return anything_loaded() || !program_->running(); }, 10));
    sleep_seconds(0.5);  // from the first program to the last link
    EXPECT_TRUE(program_->running()) << program_->err();
  }
  // Ends it; all its rows together.
  nlohmann::json end() {
    program_->signal(SIGINT);
    code_ = program_->wait(10);
    nlohmann::json rows = nlohmann::json::array();
    for (const nlohmann::json& interval : json_lines(program_->out())) {
      EXPECT_FALSE(interval.is_discarded()) << program_->out();
      for (const nlohmann::json& row : interval["rows"]) rows.push_back(row);
      for (const nlohmann::json& slow : interval["slow"]) slow_.push_back(slow);
      lost_ = interval["not_recorded"];
    }
    return rows;
  }
  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] const nlohmann::json& slow() const { return slow_; }
  [[nodiscard]] const nlohmann::json& lost() const { return lost_; }
  [[nodiscard]] Program& program() { return *program_; }

 private:
  std::unique_ptr<Program> program_;
  int code_ = -1;
  nlohmann::json slow_ = nlohmann::json::array(), lost_;
};

// The row with this target and text; an empty object when there is none.
inline nlohmann::json row_of(const nlohmann::json& rows, const std::string& target,
                             const std::string& what) {
  for (const nlohmann::json& row : rows) {
    if (row["target"] == target && row["what"].get<std::string>().find(what) != std::string::npos)
      return row;
  }
  return nlohmann::json::object();
}

inline uint64_t count_of(const nlohmann::json& row) { return row.value("count", uint64_t{0}); }

}  // namespace nz::live
