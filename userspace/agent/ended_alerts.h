// Alerts that have ended, for reports of the time in which they fired; the engine forgets them
// after minutes. Kept over a restart where history is.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/report/input.h"

namespace nz::agent {

class EndedAlerts {
 public:
  static constexpr std::size_t kMost = 1000;  ///< the newest

  void add(report::Alert alert);
  /// Oldest first.
  [[nodiscard]] const std::deque<report::Alert>& all() const { return all_; }

  [[nodiscard]] std::string save() const;  ///< as JSON
  /// Error: it is not what save() wrote; then nothing changes.
  Result<void> restore(std::string_view saved);

 private:
  std::deque<report::Alert> all_;
};

}  // namespace nz::agent
