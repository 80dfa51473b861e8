// Delivery against a server that refuses, hangs, answers 500, is slow, and comes back.
#include "userspace/alerts/courier.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "userspace/alerts/test_courier.h"
#include "userspace/base/clock.h"
#include "userspace/base/fd.h"
#include "userspace/base/test_eventually.h"
#include "userspace/client/test_server.h"

namespace nz::alerts {
namespace {

using nlohmann::json;
using testing::alertmanager;
using testing::firing;
using ::testing::HasSubstr;
using testing::resolved;
using testing::webhook;

/// Takes what is posted and does with it what it is told.
class Receiving {
 public:
  explicit Receiving(int port = 0) {
    server_.server.Post(".*", [this](const httplib::Request& request, httplib::Response& response) {
      {
        const std::lock_guard lock(mutex_);
        bodies_.push_back(request.body);
        paths_.push_back(request.path);
        authorization_ = request.get_header_value("Authorization");
      }
      requests++;
      for (int i = 0; i < hang_ms.load() / 10 && !stopping_; i++)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      response.status = status;
      if (status != 200) response.set_content("no, \x1b[31mnot today", "text/plain");
    });
    server_.start(port);
  }
  ~Receiving() { stopping_ = true; }
  Receiving(const Receiving&) = delete;
  Receiving& operator=(const Receiving&) = delete;

  [[nodiscard]] int port() const { return server_.port; }
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] json last() const {
    const std::lock_guard lock(mutex_);
    return bodies_.empty() ? json() : json::parse(bodies_.back(), nullptr, false);
  }
  [[nodiscard]] std::string path() const {
    const std::lock_guard lock(mutex_);
    return paths_.empty() ? "" : paths_.back();
  }
  [[nodiscard]] std::string authorization() const {
    const std::lock_guard lock(mutex_);
    return authorization_;
  }
  std::atomic<int> status{200}, hang_ms{0}, requests{0};

 private:
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_, paths_;
  std::string authorization_;
  client::testing::Server server_;  // ends first: its threads use the others
};

TEST(Courier, BringsAnAlertmanagerWhatItWants) {
  Receiving server;
  Courier courier(alertmanager(), server.url() + "/prefix/", "http://agent", nullptr, unix_seconds);
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["ok"] == 1; }));
  EXPECT_EQ(server.path(), "/prefix/api/v2/alerts");
  const json body = server.last();
  ASSERT_EQ(body.size(), 1U) << body;
  EXPECT_EQ(body[0]["labels"]["alertname"], "A");
  EXPECT_EQ(body[0]["labels"]["target"], "demo");
  EXPECT_EQ(body[0]["annotations"]["summary"], "it is \"bad\"");
  EXPECT_EQ(body[0]["startsAt"], "2025-11-27T15:00:00.250Z");
  EXPECT_EQ(body[0]["generatorURL"], "http://agent");
  EXPECT_GT(body[0]["endsAt"].get<std::string>(), rfc3339(unix_seconds() + 200));
  courier.update({resolved()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["ok"] == 2; }));
  EXPECT_EQ(server.last()[0]["endsAt"], rfc3339(1'764'255'670));
  EXPECT_EQ(courier.stats().waiting, 0U);
}

TEST(Courier, BringsAWebhookAlertmanagersFormat) {
  Receiving server;
  Courier courier(webhook(), server.url() + "/hook?a=b", "http://agent", nullptr, unix_seconds);
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["ok"] == 1; }));
  EXPECT_EQ(server.path(), "/hook");
  json body = server.last();
  EXPECT_EQ(body["version"], "4");
  EXPECT_EQ(body["status"], "firing");
  EXPECT_EQ(body["receiver"], "hook");
  EXPECT_EQ(body["groupLabels"], json({{"alertname", "A"}}));
  EXPECT_EQ(body["commonLabels"]["target"], "demo");
  EXPECT_EQ(body["alerts"][0]["status"], "firing");
  EXPECT_EQ(body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
  EXPECT_EQ(body["alerts"][0]["fingerprint"], firing().fingerprint());
  courier.update({resolved()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["ok"] == 2; }));
  body = server.last();
  EXPECT_EQ(body["status"], "resolved");
  EXPECT_EQ(body["alerts"][0]["endsAt"], rfc3339(1'764'255'670));
}

TEST(Courier, ComesBackToAServerThatFails) {
  Receiving server;
  server.status = 503;
  Courier courier(webhook(), server.url(), "", nullptr, unix_seconds);
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["server_error"] >= 2; }));
  EXPECT_EQ(courier.stats().waiting, 1U);
  EXPECT_THAT(courier.stats().trouble, HasSubstr("answered 503: no, ?[31mnot today"));
  server.status = 200;
  ASSERT_TRUE(eventually([&] { return courier.stats().waiting == 0; }));
  EXPECT_EQ(courier.stats().trouble, "");
  server.status = 400;
  courier.update({resolved()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["rejected"] >= 1; }));
  server.status = 200;
  ASSERT_TRUE(eventually([&] { return courier.stats().waiting == 0; }))
      << "nor is a refusal the end";
  EXPECT_EQ(server.last()["status"], "resolved");
}

TEST(Courier, WaitsForAServerThatIsNotThereAndTellsItTheTruthThen) {
  int port = 0;
  {
    const Receiving server;
    port = server.port();
  }
  Courier courier(alertmanager(), "http://127.0.0.1:" + std::to_string(port), "", nullptr,
                  unix_seconds);
  courier.update({firing("A"), firing("B")});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["unreachable"] >= 1; }));
  courier.update({resolved("A"), firing("B")});
  EXPECT_EQ(courier.stats().waiting, 2U);
  const Receiving server(port);
  ASSERT_TRUE(eventually([&] { return courier.stats().waiting == 0; }));
  const json body = server.last();
  ASSERT_EQ(body.size(), 2U);
  EXPECT_EQ(body[0]["labels"]["alertname"], "B");
  EXPECT_EQ(body[1]["endsAt"], rfc3339(1'764'255'670));
}

TEST(Courier, AServerThatHangsHoldsNobody) {
  Receiving server;
  server.hang_ms = 20'000;
  const auto start = std::chrono::steady_clock::now();
  {
    Courier courier(alertmanager(), server.url(), "", nullptr, unix_seconds);
    courier.update({firing()});
    ASSERT_TRUE(eventually([&] { return server.requests > 0; }));
    const auto update = std::chrono::steady_clock::now();
    courier.update({firing(), firing("B")});
    EXPECT_LT(std::chrono::steady_clock::now() - update, std::chrono::seconds(5));
    ASSERT_TRUE(eventually([&] { return courier.stats().results["timeout"] >= 1; }));
    EXPECT_EQ(courier.stats().waiting, 2U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15))
      << "its end waits for no answer";
}

// A listener whose queue is full: who connects hears nothing.
class Silent {
 public:
  Silent() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    EXPECT_EQ(bind(listener_.get(), address, size), 0);
    EXPECT_EQ(getsockname(listener_.get(), address, &size), 0);
    EXPECT_EQ(listen(listener_.get(), 0), 0);
    for (Fd& one : queue_) {
      one.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      connect(one.get(), address, size);
    }
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port));
  }

 private:
  sockaddr_in address_{};
  Fd listener_;
  std::array<Fd, 4> queue_;
};

TEST(Courier, StoppingWaitsForNoConnection) {
  const Silent server;
  Receiver receiver = alertmanager();
  receiver.timeout = 40;
  const auto start = std::chrono::steady_clock::now();
  {
    Courier courier(receiver, server.url(), "", nullptr, unix_seconds);
    courier.update({firing()});
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until it connects
    courier.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10))
        << "the agent's thread calls it";
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Courier, SecretsComeFromFilesThatOthersCannotRead) {
  Receiving server;
  const std::string path = ::testing::TempDir() + "nz_alerts_token";
  std::ofstream(path) << "sesame\n";
  chmod(path.c_str(), 0644);
  Receiver receiver = webhook();
  receiver.token_file = path;
  {
    Courier courier(receiver, server.url(), "", nullptr, unix_seconds);
    courier.update({firing()});
    ASSERT_TRUE(eventually([&] { return courier.stats().results["secret"] >= 1; }));
    EXPECT_THAT(courier.stats().trouble, HasSubstr("chmod 600"));
    EXPECT_THAT(courier.stats().trouble, ::testing::Not(HasSubstr("sesame")));
    EXPECT_EQ(server.requests, 0);
    chmod(path.c_str(), 0600);
    ASSERT_TRUE(eventually([&] { return courier.stats().waiting == 0; })) << "read anew each time";
    EXPECT_EQ(server.authorization(), "Bearer sesame");
  }
  receiver.token_file.clear();
  receiver.user = "u";
  receiver.password_file = path;
  Courier courier(receiver, server.url(), "", nullptr, unix_seconds);
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().waiting == 0 && server.requests == 2; }));
  EXPECT_EQ(server.authorization(), "Basic dTpzZXNhbWU=");
}

TEST(Courier, NoTlsWhereNoneIsSpoken) {
  Receiving server;
  Courier courier(alertmanager(), "https://127.0.0.1:" + std::to_string(server.port()), "", nullptr,
                  unix_seconds);
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return !courier.stats().results.empty(); }));
  EXPECT_EQ(courier.stats().results["ok"], 0U);
  EXPECT_EQ(server.requests, 0);
}

TEST(Courier, AnErrorOfItsThreadEndsNothing) {
  Receiving server;
  const auto own = std::this_thread::get_id();
  std::atomic<int> failures{2};
  const auto now = [&] {
    if (std::this_thread::get_id() != own && failures.fetch_sub(1) > 0)
      throw std::runtime_error("no clock");
    return unix_seconds();
  };
  Courier courier(webhook(), server.url(), "", nullptr, now);
  ASSERT_TRUE(eventually([&] { return courier.stats().trouble == "no clock"; }));
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["ok"] == 1; }));
  EXPECT_EQ(courier.stats().trouble, "");
}

TEST(Courier, TakesOnlyWhatGoesThere) {
  Receiver receiver = webhook();
  receiver.least_severity = Severity::critical;
  Alert a = firing();
  a.severity = Severity::warning;
  EXPECT_FALSE(goes_to(a, receiver));
  a.severity = Severity::critical;
  EXPECT_TRUE(goes_to(a, receiver));
  a.receivers = {"other"};
  EXPECT_FALSE(goes_to(a, receiver));
  a.receivers = {"other", "hook"};
  EXPECT_TRUE(goes_to(a, receiver));
  a.state = State::pending;
  EXPECT_FALSE(goes_to(a, receiver));
}

TEST(Courier, TellsNothingTwiceAfterARestart) {
  Receiving server;
  std::string saved;
  std::atomic<int> changes{0};
  {
    Courier courier(
        webhook(), server.url(), "", [&] { changes++; }, unix_seconds);
    courier.update({firing()});
    ASSERT_TRUE(eventually([&] { return courier.stats().waiting == 0 && server.requests == 1; }));
    ASSERT_TRUE(eventually([&] { return changes == 1; }));
    saved = courier.save();
  }
  Courier courier(webhook(), server.url(), "", nullptr, unix_seconds);
  ASSERT_TRUE(courier.restore(saved));
  courier.update({firing()});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(server.requests, 1);
  courier.update({resolved()});
  ASSERT_TRUE(eventually([&] { return server.requests == 2; }));
  EXPECT_EQ(server.last()["status"], "resolved");
}

}  // namespace
}  // namespace nz::alerts
