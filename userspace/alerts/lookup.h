// The addresses of a host. The system's resolver waits for name servers as long as its own
// configuration says (5 to 30 s), and nothing interrupts it: it is asked on a thread that nobody
// waits for to the end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::alerts {

class Lookup {
 public:
  using Addresses = std::vector<std::string>;  ///< numbers, the preferred one first
  /// Blocks as long as it likes.
  using Resolve = std::function<Result<Addresses>(const std::string& host)>;

  /// `resolve` empty: the system's. It may run on after this object's end.
  explicit Lookup(std::string host, Resolve resolve = {});
  ~Lookup() = default;
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  /// From one thread; waits for `seconds` at most. A host that is an address is its own answer.
  /// Errors: that of the resolver; ETIMEDOUT: it is still at it, and is not asked a second time
  /// meanwhile; ECANCELED after stop().
  Result<Addresses> find(double seconds);
  /// From any thread: ends find(), and all that follow.
  void stop();

  [[nodiscard]] const std::string& host() const;

 private:
  struct Shared;  // outlives this object where the resolver does
  static void ask(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
};

/// By getaddrinfo().
Result<Lookup::Addresses> resolve_by_system(const std::string& host);

}  // namespace nz::alerts
