// Closing many descriptors at once. A uprobe link waits for two grace periods of the kernel when it
// is closed, 20 to 40 ms, whoever closes it; links that are closed at the same time share them. One
// after the other, `nearzero off` took 12 s with 300 links, and a drain stood still while processes
// ended.
#pragma once

#include <vector>

namespace nz {

/// While one lives, what this thread's Fds give up is collected, and at its end closed by up to 64
/// threads together.
class ClosingTogether {
 public:
  enum class Wait {
    until_closed,   ///< the destructor returns when all are closed, also those of earlier scopes
    in_background,  ///< it returns at once
  };

  explicit ClosingTogether(Wait wait);
  ClosingTogether(const ClosingTogether&) = delete;
  ClosingTogether& operator=(const ClosingTogether&) = delete;
  ~ClosingTogether();

  /// Takes `fd` if this thread has a scope open; false: close it yourself.
  static bool take(int fd) noexcept;
  /// Until everything that was left to the background is closed.
  static void wait_for_background();
  /// Whether threads are still at it: who has other things to do comes back later.
  static bool busy_in_background();

 private:
  Wait wait_;
  ClosingTogether* outer_;
  std::vector<int> fds_;
};

}  // namespace nz
