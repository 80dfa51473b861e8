// One HTTP request to a receiver: https with its authorities, a bearer token or a password from a
// file, and an end to each wait.
#pragma once

#include <memory>
#include <string>

#include "userspace/alerts/lookup.h"
#include "userspace/alerts/rule.h"

namespace nz::alerts {

/// How an attempt ended. The outcome is the label `result` of nearzero_alert_notifications_total.
struct Attempt {
  enum class Outcome {
    ok,            ///< 2xx
    unreachable,   ///< no address, or no connection
    timeout,       ///< connected, connecting or looking up its name, and no answer in time
    tls,           ///< certificate or handshake
    secret,        ///< the file of the token or password cannot be read
    rejected,      ///< 3xx and 4xx
    server_error,  ///< 5xx
  };
  Outcome outcome = Outcome::ok;
  std::string why;  ///< for the log, with a remedy; empty when ok
};
const char* word(Attempt::Outcome outcome);

class Poster {
 public:
  /// `url` of a receiver; `path` is put behind it. `resolve` as Lookup takes it.
  Poster(Receiver receiver, const std::string& url, const std::string& path,
         Lookup::Resolve resolve = {});
  ~Poster();
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  /// From one thread. Ends after the receiver's timeout for each of looking up its name,
  /// connecting (to each address until one answers), sending and waiting.
  Attempt post(const std::string& body);
  /// From any thread: ends a post() that waits for whatever it may, and all that follow.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nz::alerts
