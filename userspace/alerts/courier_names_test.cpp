// Delivery to hosts by name: names that nobody answers for, and hosts of several addresses.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "userspace/alerts/courier.h"
#include "userspace/alerts/test_courier.h"
#include "userspace/base/clock.h"
#include "userspace/base/test_eventually.h"
#include "userspace/client/test_server.h"

namespace nz::alerts {
namespace {

using client::testing::Server;
using testing::alertmanager;
using testing::firing;

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
        alertmanager(60), "http://receiver.example:9093", "",
        [told = std::move(told)] { (*told)++; }, unix_seconds, resolve);
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
  Courier courier(alertmanager(60), "http://receiver.example:9093/", "", nullptr, unix_seconds,
                  [](const std::string& host) -> Result<Lookup::Addresses> {
                    return fail("no address of " + host, "is the URL right?");
                  });
  courier.update({firing()});
  ASSERT_TRUE(eventually([&] { return courier.stats().results["unreachable"] >= 1; }));
  EXPECT_EQ(courier.stats().trouble,
            "http://receiver.example:9093: no address of receiver.example (is the URL right?)");
}

TEST(CourierNames, EachAddressIsTriedUntilOneAnswers) {
  Server server;
  std::atomic<int> requests = 0;
  server.server.Post(".*", [&](const httplib::Request& request, httplib::Response&) {
    EXPECT_TRUE(request.get_header_value("Host").starts_with("receiver.example:"));
    requests++;
  });
  server.start();
  {
    Courier courier(alertmanager(60), "http://receiver.example:" + std::to_string(server.port), "",
                    nullptr, unix_seconds, [](const std::string&) -> Result<Lookup::Addresses> {
                      return Lookup::Addresses{"127.0.0.2", "127.0.0.1", "127.0.0.3"};
                    });
    courier.update({firing()});
    EXPECT_TRUE(eventually([&] { return courier.stats().results["ok"] == 1; }));
    EXPECT_EQ(courier.stats().results.size(), 1U) << "one attempt";
  }
  EXPECT_EQ(requests, 1);
}

}  // namespace
}  // namespace nz::alerts
