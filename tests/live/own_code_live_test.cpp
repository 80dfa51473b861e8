// A service computes longer for each order than before: the finding names the function whose share
// of the profile grew, not only the stage.
#include <gtest/gtest.h>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

TEST(OwnCode, TheFindingNamesTheFunctionThatGrew) {
  // An order is one round: from one function's entry to the other's.
  Workload hot("nz-hot", {"--share", "0.2", "--seconds", "40", "--then-share", "0.75",
                          "--then-seconds", "90"});
  const Agent agent(
      "host: true\nprofile: {hz: 199, window: 10s}\ntargets:\n  - name: hot\n    match: {pid: " +
      std::to_string(hot.pid()) +
      "}\n    stages:\n      - {name: order, from: 'hot::Book::match', "
      "to: 'hot::price<unsigned long>'}\n");
  ASSERT_TRUE(agent.has_member(hot.pid()));
  hot.go();
  nlohmann::json finding;
  const auto named = [&] {
    sleep_seconds(1);
    const auto answer = nlohmann::json::parse(
        agent.get("/performance/bottlenecks?target=hot&state=open,ongoing"), nullptr, false);
    for (const auto& f : answer.value("bottlenecks", nlohmann::json::array())) {
      if (f["kind"] != "own_code") continue;
      finding = f;
      if (f["where"] == "hot::Book::match") return true;
    }
    return false;
  };
  bool found = false;
  for (int i = 0; i < 110 && !found; i++) found = named();
  ASSERT_TRUE(found) << finding.dump(1) << agent.get("/performance/bottlenecks") << "\n"
                     << agent.get("/performance/profile");
  EXPECT_NE(finding["title"].get<std::string>().find("in hot::Book::match"), std::string::npos)
      << finding["title"];
  EXPECT_NE(finding["recommendation"].get<std::string>().find("hot::Book::match in nz-hot"),
            std::string::npos)
      << finding["recommendation"];
  EXPECT_NE(finding["evidence"].dump().find("of the samples (before: "), std::string::npos)
      << finding["evidence"].dump(1);
}

}  // namespace
}  // namespace nz::live
