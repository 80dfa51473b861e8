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
    std::ofstream(proc_ + "/uptime") << "100.50 180.00\n";
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const analysis::Event& e : start_events(1000, store_.get(), proc_)) {
      kinds.push_back(e.kind);
      if (e.kind == "boot") {
        EXPECT_NEAR(e.at, 899.5, 1e-6);
      }
    }
    return kinds;
  }

  const store::testing::Folder folder_;
  const std::string proc_ = folder_.file("proc");
  const std::unique_ptr<store::Store> store_ = store::testing::open_store({.path = folder_.file()});
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
  ASSERT_EQ(start_events(1000, nullptr, proc_).size(), 1U);
}

}  // namespace
}  // namespace nz::agent
