// What is remembered beside the figures.
#include "userspace/agent/insight.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/clock.h"
#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

TEST(Insight, AReloadIsAnEventThatIsKeptOnDisk) {
  const store::testing::Folder folder;
  config::Config config;
  config.history.path = folder.file();
  config.source = "/etc/nearzero/other.yaml";
  const double began = unix_seconds();
  {
    Insight insight(std::make_shared<SnapshotBox>());
    const auto opened = insight.open(config);
    ASSERT_TRUE(opened) << opened.error().text();
    insight.reload(config);
  }
  const auto store = store::testing::open_store({.path = folder.file()});
  ASSERT_NE(store, nullptr);
  std::vector<analysis::Event> reloads;
  for (analysis::Event& event : store->events(began - 1, unix_seconds() + 1)) {
    if (event.kind == "config_reload") reloads.push_back(std::move(event));
  }
  ASSERT_EQ(reloads.size(), 1U);
  EXPECT_EQ(reloads[0].target, "host");
  EXPECT_NE(reloads[0].text.find(config.source), std::string::npos);
}

}  // namespace
}  // namespace nz::agent
