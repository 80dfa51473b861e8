// The real agent as a child of a test, with its configuration, and what it exports.
#pragma once

#include <memory>
#include <string>

#include "tests/live/harness/program.h"
#include "userspace/cli/live_data.h"

namespace nz::live {

class Agent {
 public:
  /// Starts `nearzero agent` on a free loopback port and a runtime folder of its own, and waits
  /// until it is ready. `yaml`: everything but listen and runtime_dir. Without `history` in it
  /// nothing is kept on disk. Unless `own_overhead`,
  /// nothing is calibrated and nothing rests: counts are exact.
  explicit Agent(const std::string& yaml, bool own_overhead = false);

  [[nodiscard]] Program& program() { return *program_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const std::string& runtime_dir() const { return runtime_dir_; }
  [[nodiscard]] const std::string& config_file() const { return config_file_; }

  /// Waits until the drain after the next, so that everything recorded up to now is in fetch().
  void settle() const;
  /// /live.json, cumulative.
  [[nodiscard]] cli::LiveData fetch() const;
  /// GET path: body, status in *status if given.
  [[nodiscard]] std::string get(const std::string& path, int* status = nullptr) const;
  /// Runs `nearzero off|on|status` against it and returns its output.
  [[nodiscard]] std::string control(const std::string& command) const;
  /// Waits until /healthz lists process `pid` as a member, attached.
  [[nodiscard]] bool has_member(pid_t pid, double seconds = 10) const;
  /// SIGTERM, and its exit code.
  int stop();

 private:
  int port_ = 0;
  std::string runtime_dir_, config_file_;
  std::unique_ptr<Program> program_;
};

/// The one histogram of `family` whose labels include `labels`; empty when there is none. Several:
/// merged.
analysis::Histogram histogram_of(const cli::LiveData& data, const std::string& family,
                                 const cli::Labels& labels);
/// Sum of the values of `family` whose labels include `labels`.
double value_of(const cli::LiveData& data, const std::string& family, const cli::Labels& labels);

/// Whether any program, map or link of ours is loaded (names of our programs, from `bpftool`).
bool anything_loaded();

}  // namespace nz::live
