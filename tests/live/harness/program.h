// A child process of a test: started with its output captured, signalled and reaped by pid alone.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace nz::live {

class Program {
 public:
  /// Starts `arguments[0]`; stdout and stderr go to files of their own. `stdin_open`: gives it a
  /// pipe as standard input that stays open until the end.
  explicit Program(std::vector<std::string> arguments, std::vector<std::string> environment = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();  ///< SIGKILL if it still runs

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits until standard error contains `text`; false after `seconds` or when it has ended.
  [[nodiscard]] bool wait_for_text(const std::string& text, double seconds) const;
  /// Waits for its end: exit code, or 128 + signal; -1 when it still runs after `seconds`.
  int wait(double seconds = 60);
  [[nodiscard]] bool running();
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// The last line of standard output as JSON (workloads print one).
  [[nodiscard]] nlohmann::json json() const;

 private:
  pid_t pid_ = -1;
  int status_ = -1;
  std::string out_path_, err_path_;
};

/// A workload from tests/workloads with --wait: it has started and stands still until go().
class Workload : public Program {
 public:
  explicit Workload(const std::string& name, std::vector<std::string> arguments = {});
  /// SIGUSR2: begin. The agent should have attached by now.
  void go() const;
};

/// Polls `condition` every 20 ms for at most `seconds`.
template <class Condition>
bool eventually(Condition condition, double seconds);

/// A file below a temporary folder that is removed at exit.
std::string temporary_file(const std::string& name, const std::string& content);

void sleep_seconds(double seconds);

template <class Condition>
bool eventually(Condition condition, double seconds) {
  for (double waited = 0; waited < seconds; waited += 0.02) {
    if (condition()) return true;
    sleep_seconds(0.02);
  }
  return condition();
}

}  // namespace nz::live
