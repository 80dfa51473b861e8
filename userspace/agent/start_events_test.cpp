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
    store::Options options;
    options.path = folder_ / "history.db";
    auto opened = store::Store::open(options);
    EXPECT_TRUE(opened);
    store_ = std::move(*opened);
  }
  ~StartEvents() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void host(const std::string& boot, const std::string& kernel) const {
    std::ofstream(folder_ / "proc/sys/kernel/random/boot_id") << boot << '\n';
    std::ofstream(folder_ / "proc/sys/kernel/osrelease") << kernel << '\n';
    std::ofstream(folder_ / "proc/uptime") << "100.50 180.00\n";
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const analysis::Event& e : start_events(1000, store_.get(), folder_ / "proc")) {
      kinds.push_back(e.kind);
      if (e.kind == "boot") EXPECT_NEAR(e.at, 899.5, 1e-6);
    }
    return kinds;
  }

  fs::path folder_ = fs::temp_directory_path() / ("nearzero-start-" + std::to_string(getpid()));
  std::unique_ptr<store::Store> store_;
};

TEST_F(StartEvents, ABootAndANewKernelAreToldOnce) {
  EXPECT_THAT(kinds(), ElementsAre("agent_start")) << "nothing is known of before";
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
  host("boot-2", "6.1.0");
  EXPECT_THAT(kinds(), ElementsAre("boot", "agent_start"));
  host("boot-3", "6.2.0");
  EXPECT_THAT(kinds(), ElementsAre("boot", "new_kernel", "agent_start"));
  EXPECT_THAT(kinds(), ElementsAre("agent_start"));
}

TEST_F(StartEvents, WithoutAStoreTheStartAloneIsTold) {
  ASSERT_EQ(start_events(1000, nullptr, folder_ / "proc").size(), 1U);
}

}  // namespace
}  // namespace nz::agent
