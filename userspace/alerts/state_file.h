// A small file that is replaced as a whole: after a crash or a power cut there is the old one or
// the new one, never a part.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "userspace/base/guard.h"
#include "userspace/base/result.h"

namespace nz::alerts {

/// The content; empty where there is no such file. At most 64 MB.
Result<std::string> read_state(const std::string& path);

/// Writes beside it, syncs, renames, syncs the folder. The file is for its owner alone (0600). What
/// is no regular file, as /dev/null, is written to and stays what it is.
Result<void> write_state(const std::string& path, const std::string& content);

/// Moves a file that cannot be used out of the way, to PATH.damaged, and says so in the log. A
/// device or a folder stays.
void set_aside(const std::string& path, const std::string& why);

/// Writes a state on a thread of its own, at most once a second: whoever changes it never waits for
/// a disk.
class StateKeeper {
 public:
  /// `compose` gives the content, on that thread.
  StateKeeper(std::string path, std::function<std::string()> compose);
  /// Writes what has changed last, once.
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

  /// Something has changed. From any thread.
  void changed();
  /// Writes that failed, also by an exception of `compose`.
  [[nodiscard]] std::uint64_t errors() const;

 private:
  void run();
  bool write();

  const std::string path_;
  const std::function<std::string()> compose_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = false, stopping_ = false;
  std::uint64_t errors_ = 0;
  std::string trouble_;  // of the last write, on the thread alone
  Guard guard_;
  std::thread thread_;
};

}  // namespace nz::alerts
