// Reads names of functions on a thread of its own, at nice 19: a pass over the symbols of a large
// file takes tens of milliseconds, and the agent's drain waits for nobody.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "userspace/sites/functions_around.h"
#include "userspace/symbols/kernel_symbols.h"
#include "userspace/symbols/process_maps.h"

namespace nz::probes::profile {

class NameReader {
 public:
  struct Question {
    uint32_t file = 0;  ///< the caller's number for it
    std::string path;   ///< empty: the kernel
    /// Where the file may be when the process that `path` goes through has ended: taken only if it
    /// is `id`.
    std::string fallback;
    symbols::FileId id;
    std::vector<uint64_t> offsets;
  };
  struct Answer {
    uint32_t file = 0;
    std::vector<uint64_t> offsets;            ///< of the question
    std::vector<sites::FunctionRange> found;  ///< one for each; empty: the file cannot be read
    double seconds = 0;                       ///< what it took
  };

  NameReader() = default;
  NameReader(const NameReader&) = delete;
  NameReader& operator=(const NameReader&) = delete;
  ~NameReader();

  /// The thread begins with the first question.
  void ask(Question question);
  /// Answers since the last call.
  std::vector<Answer> take();

 private:
  void run();
  Answer answer(const Question& question);

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<Question> questions_;
  std::vector<Answer> answers_;
  bool stopping_ = false;
  symbols::KernelSymbols kernel_;  // of the thread
  std::thread thread_;
};

}  // namespace nz::probes::profile
