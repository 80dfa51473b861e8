// The metrics of a monitored service itself, for the join with ours.
#pragma once

#include <httplib.h>

#include <string>
#include <thread>

namespace nz::pipeline {

/// Exports one gauge, orders_in_queue 4, on a free loopback port.
class ServiceMetrics {
 public:
  ServiceMetrics() {
    server_.Get("/metrics", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("# TYPE orders_in_queue gauge\norders_in_queue 4\n", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~ServiceMetrics() {
    server_.stop();
    thread_.join();
  }
  ServiceMetrics(const ServiceMetrics&) = delete;
  ServiceMetrics& operator=(const ServiceMetrics&) = delete;
  /// Its entry in scrape_configs: job order-gateway, instance gateway-1:9100.
  [[nodiscard]] std::string job() const {
    return "  - job_name: order-gateway\n"
           "    static_configs: [{targets: ['127.0.0.1:" +
           std::to_string(port_) + "'], labels: {instance: 'gateway-1:9100'}}]\n";
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace nz::pipeline
