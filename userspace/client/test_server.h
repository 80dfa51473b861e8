// Tests only: an HTTP server on a free port of 127.0.0.1, with handlers of httplib.
#pragma once

#include <httplib.h>

#include <string>
#include <thread>

namespace nz::client::testing {

class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    server.stop();
    if (thread_.joinable()) thread_.join();
  }
  /// After the handlers are set.
  void start() {
    server.set_keep_alive_timeout(1);  // else the end of a test waits for its client
    port = server.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }

  httplib::Server server;
  int port = 0;

 private:
  std::thread thread_;
};

}  // namespace nz::client::testing
