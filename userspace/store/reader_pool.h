// Connections to read with, one for each thread that asks at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "userspace/store/reader.h"

namespace nz::store {

class ReaderPool {
 public:
  ReaderPool(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  /// Runs `ask` with a reader; its result.
  template <class Ask>
  auto with(const Ask& ask) -> decltype(ask(std::declval<Reader&>())) {
    std::uint64_t generation = 0;
    auto reader = take(generation);
    if (!reader) return tl::unexpected(reader.error());
    auto answer = ask(**reader);
    if (answer) give(std::move(*reader), generation);
    return answer;
  }
  /// Another file stands at the path: those that are open read the old one.
  void forget() {
    const std::lock_guard lock(mutex_);
    generation_++;
    idle_.clear();
  }

 private:
  static constexpr std::size_t kIdle = 2;  // that are kept: each has some 200 KB

  Result<std::unique_ptr<Reader>> take(std::uint64_t& generation) {
    {
      const std::lock_guard lock(mutex_);
      generation = generation_;
      if (!idle_.empty()) {
        auto reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return Reader::open(path_, vfs_);
  }
  void give(std::unique_ptr<Reader> reader, std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    if (generation == generation_ && idle_.size() < kIdle) idle_.push_back(std::move(reader));
  }

  const std::string path_, vfs_;
  std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::vector<std::unique_ptr<Reader>> idle_;
};

}  // namespace nz::store
