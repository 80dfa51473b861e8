#include "userspace/agent/start_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace nz::agent {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class StartEvents : public testing::Test {
 protected:
  StartEvents() {
    fs::create_directories(folder_ / "proc/sys/kernel/random");
    host("boot-1", "6.1.0");
    open(folder_ / "history.db");
  }
  ~StartEvents() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void host(const std::string& boot, const std::string& kernel) const {
    std::ofstream(folder_ / "proc/sys/kernel/random/boot_id") << boot << '\n';
    std::ofstream(folder_ / "proc/sys/kernel/osrelease") << kernel << '\n';
    up("100.50 180.00");
  }
  void up(const std::string& line) const { std::ofstream(folder_ / "proc/uptime") << line << '\n'; }
  void open(const fs::path& path) {
    store_.reset();
    store::Options options;
    options.path = path;
    auto opened = store::Store::open(options);
    ASSERT_TRUE(opened);
    store_ = std::move(*opened);
  }
  // Of a start 100.5 s after a boot; what is told is kept, as the agent does.
  [[nodiscard]] std::vector<std::string> kinds(double now = 1000) const {
    std::vector<std::string> kinds;
    for (const analysis::Event& e : start_events(now, store_.get(), folder_ / "proc")) {
      kinds.push_back(e.kind);
      if (e.kind == "boot") {
        EXPECT_NEAR(e.at, now - 100.5, 1e-6);
      }
      store_->add_event(e);
    }
    return kinds;
  }

  fs::path folder_ = fs::temp_directory_path() / ("nearzero-start-" + std::to_string(getpid()));
  std::unique_ptr<store::Store> store_;
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
  open(folder_ / "not/there/history.db");
  EXPECT_THAT(kinds(2000), ElementsAre("boot", "agent_start"));
  open(folder_ / "history.db");
  EXPECT_THAT(kinds(2000), ElementsAre("boot", "new_kernel", "agent_start"))
      << "what was not read was not replaced";
}

TEST_F(StartEvents, ABootThatWasToldByItsAgeIsNotToldAgain) {
  EXPECT_THAT(kinds(), ElementsAre("boot", "agent_start"));
  host("boot-2", "6.1.0");
  store_->add_event({1900, "boot", "host", "the host started"});
  EXPECT_THAT(kinds(2000), ElementsAre("agent_start"));
}

TEST_F(StartEvents, ABootWithoutAnIdIsNotToldWithEachStart) {
  fs::remove(folder_ / "proc/sys/kernel/random/boot_id");
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
}

TEST_F(StartEvents, WithoutAStoreTheStartAloneIsTold) {
  ASSERT_EQ(start_events(1000, nullptr, folder_ / "proc").size(), 1U);
}

}  // namespace
}  // namespace nz::agent
