// QuickFIX's ordermatch example, which nobody here wrote, traced by configs/quickfix.yaml alone:
// its counts are those of the client that sent the orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

using ::testing::HasSubstr;

// The configuration as shipped, but for the process: other runs on the host have the same name.
std::string shipped_configuration(pid_t pid) {
  std::ifstream file(std::string(NZ_SOURCE) + "/configs/quickfix.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const std::string yaml = text.str();
  EXPECT_THAT(yaml, HasSubstr("      comm: nz-ordermatch\n"));
  return std::regex_replace(yaml, std::regex("comm: nz-ordermatch\n"),
                            "pid: " + std::to_string(pid) + "\n");
}

TEST(QuickFix, EachStageCountsWhatTheClientCounts) {
  const std::string server = std::string(NZ_WORKLOADS) + "/nz-ordermatch";
  if (!std::filesystem::exists(server)) {
    GTEST_SKIP()
        << "nz-ordermatch was not built: libquickfix-dev or libquickfix-doc is not installed";
  }
  constexpr uint64_t kOrders = 1001;
  Workload client("nz-fix-client",
                  {"--server", server, "--count", std::to_string(kOrders), "--rate", "400"});
  std::smatch found;
  const std::string announced = client.err();
  ASSERT_TRUE(std::regex_search(announced, found, std::regex("server pid=([0-9]+)"))) << announced;
  const pid_t pid = std::stoi(found[1]);
  {
    std::ifstream comm("/proc/" + std::to_string(pid) + "/comm");
    std::string name;
    comm >> name;
    EXPECT_EQ(name, "nz-ordermatch");
  }
  Agent agent(kNoBreaker + shipped_configuration(pid), true);
  ASSERT_TRUE(agent.has_member(pid));
  for (const char* stage : {"message", "new_order", "decode", "insert", "match", "report"}) {
    const auto row = health_row(agent, "ordermatch", stage);
    ASSERT_FALSE(row.is_null()) << stage;
    EXPECT_EQ(row["attached"], true) << stage << ": " << row["detail"];
    EXPECT_THAT(row["detail"].get<std::string>(),
                ::testing::Not(HasSubstr("return by return probe")))
        << stage << ": exceptions pass QuickFIX's functions";
  }
  client.go();
  ASSERT_EQ(client.wait(60), 0) << client.err();
  const auto report = client.json();
  EXPECT_EQ(report["sent"], kOrders);
  EXPECT_EQ(report["accepted"], kOrders);
  EXPECT_EQ(report["filled"], kOrders - 1) << "the odd one stays in the book";
  EXPECT_EQ(report["rejected"], 0);
  EXPECT_EQ(report["reports"], 2 * kOrders - 1);
  agent.settle();
  const auto data = agent.fetch();
  for (const char* stage : {"message", "new_order", "decode", "insert", "match"}) {
    SCOPED_TRACE(stage);
    expect_exactly(stage_counts(data, "ordermatch", stage), kOrders);
  }
  {
    SCOPED_TRACE("report");
    expect_exactly(stage_counts(data, "ordermatch", "report"), report["reports"].get<uint64_t>());
  }
  // A stage that lies inside another takes less.
  const auto sum = [&](const char* stage) {
    return stage_counts(data, "ordermatch", stage).duration.sum_ns;
  };
  EXPECT_LT(sum("new_order"), sum("message"));
  EXPECT_LT(sum("insert"), sum("new_order"));
  EXPECT_LT(sum("match"), sum("new_order"));
  EXPECT_LT(sum("decode"), sum("new_order"));
}

}  // namespace
}  // namespace nz::live
