// Plans of slow statements, asked for on a thread of its own, rarely, and each once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "userspace/advice/plan_advice.h"

namespace nz::advice {

class Explainer {
 public:
  struct Options {
    std::chrono::milliseconds pause{1000};  ///< between two looks into a database
    std::chrono::milliseconds limit{50};    ///< then a look is given up
    std::chrono::seconds again{60};  ///< an answer is so old before it is asked for anew: the
                                     ///< schema changes, and so do the indexes
    std::size_t waiting = 32, known = 512;  ///< more is not taken
  };
  struct Question {
    std::string digest;  ///< what the answer is kept under, with the target
    std::string target;
    std::string sql;  ///< whole
    pid_t pid = 0;    ///< whose open files are the databases it may mean
  };
  struct Answer {
    Explained explained;
    std::string database;  ///< as the process sees it
    std::string problem;   ///< why there is no plan; empty when there is
  };

  Explainer() : Explainer(Options{}) {}
  explicit Explainer(const Options& options);
  ~Explainer();  ///< waits for a look in progress: at most the limit and what cannot be interrupted
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  /// Remembers the question, unless its answer is fresh. Returns at once.
  void ask(const Question& question);
  [[nodiscard]] std::optional<Answer> answer(const std::string& target,
                                             const std::string& digest) const;
  /// The plans found since the last call.
  std::vector<std::pair<Question, Answer>> news();
  /// Looks given up or refused, since start.
  [[nodiscard]] std::uint64_t failed() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::string, std::string>;
  struct Known {
    Answer answer;
    Clock::time_point at;
  };
  void work(const std::stop_token& stop);

  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Question> waiting_;
  std::map<Key, Known> known_;
  std::vector<std::pair<Question, Answer>> news_;
  std::uint64_t failed_ = 0;
  std::jthread thread_;  // last: it uses the others. Started with the first question
};

/// The answer for now, from the first of the databases of `pid` that the statement compiles in.
Explainer::Answer explain_now(const Explainer::Question& question, std::chrono::milliseconds limit);

}  // namespace nz::advice
