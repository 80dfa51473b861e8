// Tests only: an HTTP server on a free port of 127.0.0.1, with handlers of httplib.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
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
  /// After the handlers are set. `at`: the port; 0: a free one.
  void start(int at = 0) {
    server.set_keep_alive_timeout(1);  // else the end of a test waits for its client
    port = at == 0 ? server.bind_to_any_port("127.0.0.1") : at;
    if (at != 0) {
      EXPECT_TRUE(server.bind_to_port("127.0.0.1", at));
    }
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
