// `nearzero top`: a live table of the running agent's histograms, read over HTTP.
#pragma once

#include <optional>
#include <string>

namespace nz::cli {

struct TopOptions {
  std::string url = "http://127.0.0.1:9718";
  double interval = 1;             ///< seconds between two tables on a terminal
  std::optional<double> duration;  ///< seconds; nothing: until Ctrl-C
  bool once = false;               ///< one table of everything since the agent's start
};

/// Returns an exit code.
int top(const TopOptions& options);

}  // namespace nz::cli
