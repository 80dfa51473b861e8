// Brings the alerts of one outbox to one URL, on a thread of its own: a receiver that hangs holds
// nobody else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "userspace/alerts/outbox.h"
#include "userspace/alerts/post.h"
#include "userspace/base/result.h"

namespace nz::alerts {

class Courier {
 public:
  struct Stats {
    std::map<std::string, std::uint64_t> results;  ///< attempts by outcome
    std::size_t waiting = 0;                       ///< alerts whose newest state is not delivered
    std::uint64_t dropped = 0;
    std::string trouble;  ///< of the last attempt; empty: it went well, or there was none
  };
  /// Unix seconds; tests bring their own.
  using Now = std::function<double()>;

  /// `changed` is called from its thread, with its lock held, when what was told has changed and is
  /// worth saving: it may set a flag, not call back. `resolve` as Lookup takes it. Throws
  /// std::system_error where there can be no further thread.
  Courier(const Receiver& receiver, const std::string& url, std::string generator,
          std::function<void()> changed, Now now, Lookup::Resolve resolve = {});
  /// Ends as stop() does, and waits for its thread, which has nothing to wait for then; at most a
  /// second, after which it is left to end by itself.
  ~Courier();
  /// Ends a request under way and begins no other; returns at once.
  void stop();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// All alerts that fire or were lately resolved, as of now; those that do not go here are left
  /// out. Never waits for the network.
  void update(const std::vector<Alert>& alerts);
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] const std::string& receiver() const;
  [[nodiscard]] const std::string& url() const;

  /// The outbox, for the state file. restore() before the first update().
  [[nodiscard]] std::string save() const;
  Result<void> restore(std::string_view saved);

 private:
  struct Shared;  // outlives this object where the thread does
  static void run(const std::shared_ptr<Shared>& shared);
  static void deliver(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
};

/// How an outbox of this receiver works.
Outbox::Options outbox_options(const Receiver& receiver);

/// Whether an alert goes to this receiver.
bool goes_to(const Alert& alert, const Receiver& receiver);

}  // namespace nz::alerts
