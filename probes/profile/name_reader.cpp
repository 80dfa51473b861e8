#include "probes/profile/name_reader.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <chrono>
#include <exception>

#include "userspace/base/courtesy.h"
#include "userspace/base/guard.h"

namespace nz::probes::profile {
namespace {

std::string openable(const NameReader::Question& question) {
  struct stat status {};
  if (stat(question.path.c_str(), &status) == 0) return question.path;
  const symbols::FileId& id = question.id;
  const bool same = stat(question.fallback.c_str(), &status) == 0 && status.st_ino == id.inode &&
                    major(status.st_dev) == id.major && minor(status.st_dev) == id.minor;
  return same ? question.fallback : question.path;
}

}  // namespace

NameReader::~NameReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void NameReader::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back(std::move(question));
  }
  wanted_.notify_one();
  if (!thread_.joinable())
    thread_ = std::thread([this] { Guard().keep("reading names", [this] { run(); }); });
}

std::vector<NameReader::Answer> NameReader::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void NameReader::run() {
  const Courtesy courtesy(kNiceOfNames);
  // Large buffers go back to the kernel when they are freed. As it is, glibc takes them from this
  // thread's heap after the first one was freed, whose end malloc_trim() does not give back.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
    if (stopping_) return;
    const Question question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    Answer answered = answer(question);
    // The symbols of a large file took as much memory as they are long, and glibc keeps what it was
    // given back.
    malloc_trim(0);
    lock.lock();
    answers_.push_back(std::move(answered));
  }
}

NameReader::Answer NameReader::answer(const Question& question) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  Answer result{question.file, question.offsets, {}, 0};
  try {
    if (question.path.empty()) {
      for (const uint64_t address : question.offsets) {
        auto symbol = kernel_.find(address);
        result.found.push_back(symbol ? sites::FunctionRange{symbol->begin, symbol->end,
                                                             symbol->begin, std::move(symbol->name)}
                                      : sites::FunctionRange{address, address + 1, address, {}});
      }
    } else if (auto found = sites::functions_around(openable(question), question.offsets)) {
      result.found = std::move(*found);
    }
  } catch (const std::exception& e) {  // no memory for it
    spdlog::warn("names of {}: {}", question.path, e.what());
    result.found.clear();
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

}  // namespace nz::probes::profile
