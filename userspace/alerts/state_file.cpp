#include "userspace/alerts/state_file.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <utility>

#include "userspace/base/courtesy.h"
#include "userspace/base/fd.h"
#include "userspace/base/write_through.h"

namespace nz::alerts {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr std::chrono::seconds kPause{1};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read_state(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    if (errno == ENOENT) return std::string();
    return fail_errno("read " + path, errno);
  }
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read " + path, errno);
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostBytes) return fail(path + ": larger than 64 MB", "", EFBIG);
  }
}

Result<void> write_state(const std::string& path, const std::string& content) {
  if (is_special(path)) return write_through(path, content, false);  // alerts.state: /dev/null
  const std::string fresh = path + ".new";
  const char* remedy = "alerts go on; a restart now would not know what has been told";
  Fd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return fail_errno("write " + fresh, errno, remedy);
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t n = write(fd.get(), content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = n < 0 ? errno : EIO;
      unlink(fresh.c_str());
      return fail_errno("write " + fresh, error, remedy);
    }
    written += static_cast<std::size_t>(n);
  }
  if (fsync(fd.get()) != 0) {
    const int error = errno;
    unlink(fresh.c_str());
    return fail_errno("sync " + fresh, error, remedy);
  }
  fd.reset();
  if (std::rename(fresh.c_str(), path.c_str()) != 0)
    return fail_errno("rename " + fresh, errno, remedy);
  const Fd folder(open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.valid() && fsync(folder.get()) != 0 && errno != EINVAL)
    return fail_errno("sync " + folder_of(path), errno, remedy);
  return {};
}

void set_aside(const std::string& path, const std::string& why) {
  const std::string aside = path + ".damaged";
  // A folder may be moved; a device belongs to the system.
  const bool device = is_special(path) && !std::filesystem::is_directory(path);
  if (!device && std::rename(path.c_str(), aside.c_str()) == 0) {
    spdlog::error("{}: {}; it is kept as {}, and a new one is begun", path, why, aside);
  } else {
    spdlog::error("{}: {}; a new one is begun", path, why);
  }
}

StateKeeper::StateKeeper(std::string path, std::function<std::string()> compose)
    : path_(std::move(path)),
      compose_(std::move(compose)),
      thread_([this] { guard_.keep("keeping the state of alerts", [this] { run(); }); }) {}

StateKeeper::~StateKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void StateKeeper::changed() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  wake_.notify_all();
}

std::uint64_t StateKeeper::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_ + guard_.errors();
}

void StateKeeper::run() {
  const Courtesy courtesy(kNiceOfAnswers);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return changed_ || stopping_; });
    if (changed_) {
      changed_ = false;
      lock.unlock();
      bool written = false;
      guard_.run("writing the state of alerts", [&] { written = write(); });
      lock.lock();
      // Until it can be written; also where nothing changes any more. Not at the end, which would
      // be waited for.
      if (!written && !stopping_) changed_ = true;
    }
    if (stopping_ && !changed_) return;
    wake_.wait_for(lock, kPause, [this] { return stopping_; });
  }
}

// Whether it was.
bool StateKeeper::write() {
  std::string trouble;
  try {
    const auto written = write_state(path_, compose_());
    if (!written) trouble = written.error().text();
  } catch (const std::exception& e) {
    trouble = path_ + ": " + e.what();
  }
  if (trouble.empty()) {
    if (!trouble_.empty()) spdlog::info("{} can be written again", path_);
    trouble_.clear();
    return true;
  }
  // A full disk is told once, not each second.
  if (trouble != trouble_) spdlog::error("state of alerts: {}", trouble);
  trouble_ = std::move(trouble);
  const std::lock_guard lock(mutex_);
  errors_++;
  return false;
}

}  // namespace nz::alerts
