// What the last drain found, handed from the agent's thread to the HTTP thread as one immutable
// object: a scrape never waits for a drain, nor a drain for a scrape.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "userspace/rest/source.h"

namespace nz::agent {

/// Families, and what the REST interface shows besides: `findings` and `details` are those of the
/// last look of the rules, `unattached` the probes that are not.
struct Snapshot : rest::View {
  std::string health;  ///< JSON of /healthz
  bool healthy = true;
};

class SnapshotBox {
 public:
  void put(std::shared_ptr<const Snapshot> next) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
  }
  /// nullptr before the first drain.
  [[nodiscard]] std::shared_ptr<const Snapshot> get() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
};

}  // namespace nz::agent
