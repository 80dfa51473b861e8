// Delivery over TLS: only to who can prove to be the one.
#include <gmock/gmock.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "userspace/alerts/courier.h"
#include "userspace/alerts/test_courier.h"
#include "userspace/base/clock.h"
#include "userspace/base/test_eventually.h"
#include "userspace/http/test_tls.h"

namespace nz::alerts {
namespace {

class CourierTls : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = std::make_unique<httplib::SSLServer>(identity.protection().certificate.c_str(),
                                                   identity.protection().key.c_str());
    server_->Post("/api/v2/alerts",
                  [this](const httplib::Request&, httplib::Response&) { requests++; });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void TearDown() override {
    server_->stop();
    thread_.join();
  }
  /// The outcome of the first attempt.
  std::string attempt(const std::string& host, const std::string& ca_file, bool verify = true) {
    Receiver receiver = testing::alertmanager(5);
    receiver.ca_file = ca_file;
    receiver.verify = verify;
    Courier courier(receiver, "https://" + host + ":" + std::to_string(port_), "", nullptr,
                    unix_seconds);
    courier.update({testing::firing()});
    const bool any = eventually([&] { return !courier.stats().results.empty(); });
    return any ? courier.stats().results.begin()->first : "nothing";
  }

  http::testing::Identity identity;
  std::atomic<int> requests{0};

 private:
  std::unique_ptr<httplib::SSLServer> server_;
  std::thread thread_;
  int port_ = 0;
};

TEST_F(CourierTls, TrustsItsAuthorityForItsName) {
  EXPECT_EQ(attempt("localhost", identity.protection().certificate), "ok");
  EXPECT_EQ(requests, 1);
}

TEST_F(CourierTls, TellsNothingToAStranger) {
  EXPECT_EQ(attempt("localhost", ""), "tls") << "not of an authority of the system";
  EXPECT_EQ(attempt("127.0.0.1", identity.protection().certificate), "tls") << "another name";
  EXPECT_EQ(attempt("localhost", "/nowhere.pem"), "tls");
  EXPECT_EQ(requests, 0);
}

TEST_F(CourierTls, AsksNobodyWhereToldNotTo) { EXPECT_EQ(attempt("127.0.0.1", "", false), "ok"); }

}  // namespace
}  // namespace nz::alerts
