// The connections that are open: which have been for too long, and who has to go when there are too
// many. Only for the server's own thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace nz::http {

class Connections {
 public:
  using Clock = std::chrono::steady_clock;
  using Handle = const void*;

  struct Limits {
    std::size_t all = 1024;      ///< at once
    std::size_t of_one = 768;    ///< of one client (see client_of())
    Clock::duration deadline{};  ///< from the first byte of a request to the end of its answer
  };
  explicit Connections(Limits limits) : limits_(limits) {}

  /// A new connection. Where its client, or all together, come within a sixteenth of their limit,
  /// the oldest connections that have never finished a request are ended to make room: a silent
  /// handshake gives way, a scrape in its first second does not. Returns how many were ended.
  /// `keep` lives as long as the connection: the certificate it was given.
  std::size_t opened(Handle handle, int fd, std::string client, Clock::time_point now,
                     std::shared_ptr<const void> keep = nullptr);

  /// It is closed. Returns whether any request was answered on it.
  bool closed(Handle handle);

  void answering(Handle handle);                        ///< a response is queued
  void answered(Handle handle, Clock::time_point now);  ///< and sent; the next request may come

  /// Ends those over the deadline, whose number it returns, and those whose client has closed.
  std::size_t sweep(Clock::time_point now);

  [[nodiscard]] const std::string& client(Handle handle) const;
  [[nodiscard]] std::size_t size() const { return open_.size(); }

 private:
  struct Connection {
    int fd = -1;
    std::string client;
    std::shared_ptr<const void> keep;
    Clock::time_point since;  // accepted, or its last request completed
    bool answering = false;   // a response is queued and not yet sent
    bool has_asked = false;   // a request was answered
    bool ended = false;       // the last sweep found that the client has closed
    bool shut = false;        // by us: libmicrohttpd is about to notice
  };
  static void end(Connection& connection);
  std::size_t make_room(const std::string& client);
  /// The oldest that has not asked yet; of one client, or of all when null.
  Connection* oldest_silent(const std::string* client);

  Limits limits_;
  std::unordered_map<Handle, Connection> open_;
  std::unordered_map<std::string, std::size_t> by_client_;
  std::size_t shut_ = 0;  // of open_: ended and not yet closed
};

}  // namespace nz::http
