// What is remembered beside the figures.
#include "userspace/agent/insight.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/clock.h"

namespace nz::agent {
namespace {

TEST(Insight, AReloadIsAnEventThatIsKeptOnDisk) {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("nearzero-insight-" + std::to_string(getpid()));
  fs::create_directories(folder);
  config::Config config;
  config.history.path = folder / "history.db";
  config.source = "/etc/nearzero/other.yaml";
  const double began = unix_seconds();
  {
    Insight insight(std::make_shared<SnapshotBox>());
    const auto opened = insight.open(config);
    ASSERT_TRUE(opened) << opened.error().text();
    insight.reload(config);
  }
  store::Options options;
  options.path = config.history.path;
  const auto store = store::Store::open(options);
  ASSERT_TRUE(store) << store.error().text();
  std::vector<analysis::Event> reloads;
  for (analysis::Event& event : (*store)->events(began - 1, unix_seconds() + 1)) {
    if (event.kind == "config_reload") reloads.push_back(std::move(event));
  }
  ASSERT_EQ(reloads.size(), 1U);
  EXPECT_EQ(reloads[0].target, "host");
  EXPECT_NE(reloads[0].text.find(config.source), std::string::npos);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace nz::agent
