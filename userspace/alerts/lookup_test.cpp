#include "userspace/alerts/lookup.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "userspace/base/test_eventually.h"

namespace nz::alerts {
namespace {

using testing::ElementsAre;

struct NoStandardException {};

/// A resolver whose name server does not answer until it is told to.
struct Slow {
  std::atomic<bool> silent = true;
  std::atomic<int> asked = 0;

  static Lookup::Resolve resolver(const std::shared_ptr<Slow>& slow) {
    return [slow](const std::string&) -> Result<Lookup::Addresses> {
      slow->asked++;
      slow->silent.wait(true);
      return Lookup::Addresses{"192.0.2.1"};
    };
  }
  void answer() {
    silent = false;
    silent.notify_all();
  }
};

TEST(Lookup, TheSystemKnowsItself) {
  Lookup lookup("localhost");
  const auto found = lookup.find(60);
  ASSERT_TRUE(found) << found.error().text();
  for (const std::string& one : *found) EXPECT_TRUE(one == "127.0.0.1" || one == "::1") << one;
}

TEST(Lookup, AnAddressIsItsOwnAnswer) {
  const auto never = [](const std::string&) -> Result<Lookup::Addresses> { return fail("asked"); };
  for (const char* address : {"192.0.2.1", "::1", "2001:db8::1"}) {
    Lookup lookup(address, never);
    const auto found = lookup.find(60);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_THAT(*found, ElementsAre(address));
  }
}

TEST(Lookup, AsksAgainAfterAnError) {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  Lookup lookup("name", [asked](const std::string& host) -> Result<Lookup::Addresses> {
    const int before = (*asked)++;
    if (before == 0) return fail("no address of " + host);
    if (before == 1) throw NoStandardException{};
    return Lookup::Addresses{"192.0.2.1", "192.0.2.2"};
  });
  EXPECT_EQ(lookup.find(60).error().what, "no address of name");
  EXPECT_FALSE(lookup.find(60)) << "what is thrown ends here";
  EXPECT_THAT(*lookup.find(60), ElementsAre("192.0.2.1", "192.0.2.2"));
}

TEST(Lookup, IsNotAskedTwiceWhileItIsAtIt) {
  const auto slow = std::make_shared<Slow>();
  Lookup lookup("name", Slow::resolver(slow));
  EXPECT_EQ(lookup.find(0.01).error().code, ETIMEDOUT);
  EXPECT_EQ(lookup.find(0.01).error().code, ETIMEDOUT);
  EXPECT_TRUE(eventually([&] { return slow->asked == 1; }));
  slow->answer();
  EXPECT_THAT(*lookup.find(60), ElementsAre("192.0.2.1"));
}

TEST(Lookup, StoppingEndsTheWaitAndLeavesNothing) {
  const auto slow = std::make_shared<Slow>();
  {
    Lookup lookup("name", Slow::resolver(slow));
    std::thread waiting([&] { EXPECT_EQ(lookup.find(3600).error().code, ECANCELED); });
    EXPECT_TRUE(eventually([&] { return slow->asked == 1; }));
    lookup.stop();
    waiting.join();
    EXPECT_EQ(lookup.find(3600).error().code, ECANCELED);
  }
  EXPECT_GT(slow.use_count(), 1) << "its resolver is still at it";
  slow->answer();
  EXPECT_TRUE(eventually([&] { return slow.use_count() == 1; }));
}

}  // namespace
}  // namespace nz::alerts
