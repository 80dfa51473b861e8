// Debian's Alertmanager as a child of a test, and a webhook that keeps what it is told.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/free_port.h"
#include "tests/live/harness/program.h"

namespace nz::pipeline {

/// What Alertmanager tells people: "firing OrdersSlow", in order.
class Listener {
 public:
  Listener() {
    server_.Post("/", [this](const httplib::Request& request, httplib::Response&) {
      const auto body = nlohmann::json::parse(request.body, nullptr, false);
      const std::lock_guard lock(mutex_);
      for (const auto& alert : body["alerts"]) {
        told_.push_back(alert["status"].get<std::string>() + " " +
                        alert["labels"]["alertname"].get<std::string>());
        alerts_.push_back(alert);
      }
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~Listener() {
    server_.stop();
    thread_.join();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::vector<std::string> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  [[nodiscard]] nlohmann::json last() const {
    const std::lock_guard lock(mutex_);
    return alerts_.empty() ? nlohmann::json() : alerts_.back();
  }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
  std::vector<nlohmann::json> alerts_;
};

/// Tells `listener` of every alert, and of its end, within a second.
class Alertmanager {
 public:
  explicit Alertmanager(const Listener& listener) : port_(tests::free_port()) {
    config_ = live::temporary_file(
        "alertmanager.yml",
        "route: {receiver: listener, group_by: [alertname], group_wait: 1s, group_interval: 1s, "
        "repeat_interval: 4h}\n"
        "receivers: [{name: listener, webhook_configs: [{url: 'http://127.0.0.1:" +
            std::to_string(listener.port()) + "/', send_resolved: true}]}]\n");
    data_ = live::temporary_file("alertmanager", "") + ".d";
    start();
  }
  ~Alertmanager() {
    if (program_) stop();
  }
  Alertmanager(const Alertmanager&) = delete;
  Alertmanager& operator=(const Alertmanager&) = delete;

  /// Again on the same port, with what it kept on disk.
  void start() {
    program_ = std::make_unique<live::Program>(std::vector<std::string>{
        "/usr/bin/prometheus-alertmanager", "--config.file=" + config_, "--storage.path=" + data_,
        "--web.listen-address=127.0.0.1:" + std::to_string(port_), "--cluster.listen-address="});
    const bool ready = live::eventually(
        [this] {
          httplib::Client client("127.0.0.1", port_);
          const auto response = client.Get("/-/ready");
          return !program_->running() || (response && response->status == 200);
        },
        30);
    if (!ready || !program_->running())
      ADD_FAILURE() << "Alertmanager did not become ready: " << program_->err();
  }
  /// SIGTERM: it writes down whom it has told of what, and forgets the alerts themselves.
  void stop() {
    program_->signal(SIGTERM);
    program_->wait(15);
    program_.reset();
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// GET /api/v2/alerts.
  [[nodiscard]] nlohmann::json alerts() const {
    httplib::Client client("127.0.0.1", port_);
    const auto response = client.Get("/api/v2/alerts");
    return response ? nlohmann::json::parse(response->body, nullptr, false)
                    : nlohmann::json::array();
  }

 private:
  const int port_;
  std::string config_, data_;
  std::unique_ptr<live::Program> program_;
};

}  // namespace nz::pipeline
