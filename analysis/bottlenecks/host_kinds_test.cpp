// Rules of what a host runs out of, and of all rules together.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

struct Open {
  double used;
  double errors;
  int found;
  Severity severity;
};
class OpenFiles : public ::testing::TestWithParam<Open> {};
TEST_P(OpenFiles, AreToldBeforeTheyRunOut) {
  Scene s;
  s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "used"}}, GetParam().used);
  s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "limit"}}, 1000);
  s.counter("nearzero_syscall_errors_total",
            {{"target", "demo"}, {"syscall", "accept4"}, {"errno", "EMFILE"}}, GetParam().errors);
  const auto found = find(s);
  ASSERT_EQ(found.size(), GetParam().found) << told(found);
  if (found.empty()) return;
  EXPECT_EQ(found[0].severity, GetParam().severity);
}
INSTANTIATE_TEST_SUITE_P(Shares, OpenFiles,
                         ::testing::Values(Open{100, 0, 0, Severity::info},
                                           Open{890, 0, 0, Severity::info},
                                           Open{900, 0, 1, Severity::warning},
                                           Open{985, 0, 1, Severity::critical},
                                           Open{500, 3, 1, Severity::critical}));

TEST(OpenFilesOfTheHost, AreToldOnceForTwoTargets) {
  Scene a, b;
  b.target = "gateway";
  Window both = a.window();
  for (const WindowSeries& s : b.window().series) {
    // The host's series are there once.
    if (has_labels(s.labels, {{"target", "gateway"}})) both.series.push_back(s);
  }
  for (const auto& [kind, value] : {std::pair{"used", 95.0}, std::pair{"limit", 100.0}}) {
    WindowSeries s;
    s.name = "nearzero_host_open_files";
    s.labels = {{"kind", kind}};
    s.value = value;
    both.series.push_back(s);
  }
  const auto found = find_bottlenecks(both, Window{}, {}, {});
  EXPECT_EQ(found.size(), 1U) << told(found);
}

TEST(AHostWithoutTargets, IsLookedAtAsOne) {
  Window w;
  w.to = 10;
  for (const auto& [kind, value] : {std::pair{"used", 95.0}, std::pair{"limit", 100.0}}) {
    WindowSeries s;
    s.name = "nearzero_host_open_files";
    s.labels = {{"kind", kind}};
    s.value = value;
    w.series.push_back(s);
  }
  const auto found = find_bottlenecks(w, Window{}, {}, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].target, "host");
}

TEST(Kinds, AreTwentyThreeAndSorted) {
  const auto kinds = bottleneck_kinds();
  EXPECT_EQ(kinds.size(), 23U);
  EXPECT_TRUE(std::is_sorted(kinds.begin(), kinds.end()));
}

// A rule of alerts may name the kinds that have a heading there (userspace/alerts/rule_file_test).
TEST(Kinds, HaveAHeadingInTheDocumentAndNoOthersDo) {
  std::ifstream in(NZ_SOURCE "/docs/bottlenecks.md");
  ASSERT_TRUE(in);
  std::vector<std::string> headings;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("#### `")) continue;
    line.erase(0, 6);
    headings.push_back(line.substr(0, line.find('`')));
  }
  std::sort(headings.begin(), headings.end());
  EXPECT_EQ(headings, bottleneck_kinds());
}

}  // namespace
}  // namespace nz::analysis::test
