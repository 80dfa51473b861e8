// Delivery to hosts by name: names that nobody answers for, and hosts of several addresses.
#include <gmock/gmock.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "userspace/alerts/courier.h"

namespace nz::alerts {
namespace {

double system_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 4000; i++) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

Receiver receiver() {
  Receiver r;
  r.name = "am";
  r.kind = Receiver::Kind::alertmanager;
  r.timeout = 60;
  return r;
}

Alert firing() {
  Alert a;
  a.rule = "A";
  a.labels = {{"alertname", "A"}};
  a.state = State::firing;
  return a;
}

TEST(CourierNames, StoppingWaitsForNoName) {
  struct Resolver {
    std::atomic<bool> silent = true, asked = false;
  };
  const auto resolver = std::make_shared<Resolver>();
  const auto resolve = [resolver](const std::string&) -> Result<Lookup::Addresses> {
    resolver->asked = true;
    resolver->silent.wait(true);
    return fail("no address");
  };
  auto told = std::make_shared<int>();
  const std::weak_ptr<int> thread_has_it = told;
  {
    Courier courier(
        receiver(), "http://receiver.example:9093", "", [told = std::move(told)] { (*told)++; },
        system_now, resolve);
    courier.update({firing()});
    EXPECT_TRUE(eventually([&] { return resolver->asked.load(); }));
  }
  // The resolver is still at it; the courier's thread is not.
  EXPECT_TRUE(eventually([&] { return thread_has_it.expired(); }));
  EXPECT_TRUE(resolver->silent.load());
  resolver->silent = false;
  resolver->silent.notify_all();
}

TEST(CourierNames, ANameThatIsNobodysIsTold) {
  Courier courier(receiver(), "http://receiver.example:9093/", "", nullptr, system_now,
                  [](const std::string& host) -> Result<Lookup::Addresses> {
                    return fail("no address of " + host, "is the URL right?");
                  });
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["unreachable"] >= 1; }));
  EXPECT_EQ(courier.stats().trouble,
            "http://receiver.example:9093: no address of receiver.example (is the URL right?)");
}

TEST(CourierNames, EachAddressIsTriedUntilOneAnswers) {
  httplib::Server server;
  std::atomic<int> requests = 0;
  server.Post(".*", [&](const httplib::Request& request, httplib::Response&) {
    EXPECT_TRUE(request.get_header_value("Host").starts_with("receiver.example:"));
    requests++;
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  {
    Courier courier(receiver(), "http://receiver.example:" + std::to_string(port), "", nullptr,
                    system_now, [](const std::string&) -> Result<Lookup::Addresses> {
                      return Lookup::Addresses{"127.0.0.2", "127.0.0.1", "127.0.0.3"};
                    });
    courier.update({firing()});
    EXPECT_TRUE(eventually([&] { return courier.stats().results["ok"] == 1; }));
    EXPECT_EQ(courier.stats().results.size(), 1U) << "one attempt";
  }
  EXPECT_EQ(requests, 1);
  server.stop();
  thread.join();
}

}  // namespace
}  // namespace nz::alerts
