#include "userspace/agent/start_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

using testing::ElementsAre;

class StartEvents : public testing::Test {
 protected:
  StartEvents() {
    std::filesystem::create_directories(proc_ + "/sys/kernel/random");
    host("boot-1", "6.1.0");
  }
  void host(const std::string& boot, const std::string& kernel) const {
    std::ofstream(proc_ + "/sys/kernel/random/boot_id") << boot << '\n';
    std::ofstream(proc_ + "/sys/kernel/osrelease") << kernel << '\n';
    up("100.50 180.00");
  }
  void up(const std::string& line) const { std::ofstream(proc_ + "/uptime") << line << '\n'; }
  void open(const std::string& name) {
    store_.reset();
    store_ = store::testing::open_store({.path = folder_.file(name)});
  }
  // Of a start 100.5 s after a boot; what is told is kept, as the agent does.
  [[nodiscard]] std::vector<std::string> kinds(double now = 1000) const {
    std::vector<std::string> kinds;
    for (const analysis::Event& e : start_events(now, store_.get(), proc_)) {
      kinds.push_back(e.kind);
      if (e.kind == "boot") {
        EXPECT_NEAR(e.at, now - 100.5, 1e-6);
      }
      store_->add_event(e);
    }
    return kinds;
  }

  const store::testing::Folder folder_;
  const std::string proc_ = folder_.file("proc");
  std::unique_ptr<store::Store> store_ = store::testing::open_store({.path = folder_.file()});
};

TEST_F(StartEvents, ABootAndANewKernelAreToldOnce) {
  up("90000 180.00");
  EXPECT_THAT(kinds(), ElementsAre("agent_start")) << "nothing is known of before, and it is old";
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
  host("boot-2", "6.1.0");
  EXPECT_THAT(kinds(2000), ElementsAre("boot", "agent_start"));
  host("boot-3", "6.2.0");
  EXPECT_THAT(kinds(3000), ElementsAre("boot", "new_kernel", "agent_start"));
  EXPECT_THAT(kinds(3000), ElementsAre("agent_start"));
}

// As after a file that was damaged and set aside.
TEST_F(StartEvents, AYoungBootIsToldOnceWhereNothingIsKnownOfBefore) {
  EXPECT_THAT(kinds(), ElementsAre("boot", "agent_start"));
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
}

TEST_F(StartEvents, AHistoryThatCannotBeReadHidesNoBoot) {
  EXPECT_THAT(kinds(), ElementsAre("boot", "agent_start"));
  host("boot-2", "6.2.0");
  open("not/there/history.db");
  EXPECT_THAT(kinds(2000), ElementsAre("boot", "agent_start"));
  open("history.db");
  EXPECT_THAT(kinds(2000), ElementsAre("boot", "new_kernel", "agent_start"))
      << "what was not read was not replaced";
}

TEST_F(StartEvents, ABootThatWasToldByItsAgeIsNotToldAgain) {
  EXPECT_THAT(kinds(), ElementsAre("boot", "agent_start"));
  host("boot-2", "6.1.0");
  store_->add_event({1900, "boot", "host", "the host started"});
  EXPECT_THAT(kinds(2000), ElementsAre("agent_start"));
}

TEST_F(StartEvents, TwoBootsWithinAMinuteAreTwo) {
  EXPECT_THAT(kinds(), ElementsAre("boot", "agent_start"));
  host("boot-2", "6.1.0");
  EXPECT_THAT(kinds(2000), ElementsAre("boot", "agent_start"));
  host("boot-3", "6.1.0");
  EXPECT_THAT(kinds(2030), ElementsAre("boot", "agent_start"));
  EXPECT_THAT(kinds(2040), ElementsAre("agent_start"));
}

// The clock was set after the boot, and the file that knew of it is a new one.
TEST_F(StartEvents, WhereNothingIsKnownOfBeforeABootMayHaveMovedByAMinute) {
  store_->add_event({860, "boot", "host", "the host started"});
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
}

TEST_F(StartEvents, ABootWithoutAnIdIsNotToldWithEachStart) {
  std::filesystem::remove(proc_ + "/sys/kernel/random/boot_id");
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
}

TEST_F(StartEvents, WithoutAStoreTheStartAloneIsTold) {
  ASSERT_EQ(start_events(1000, nullptr, proc_).size(), 1U);
}

}  // namespace
}  // namespace nz::agent
