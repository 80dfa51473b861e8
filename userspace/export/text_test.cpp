#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "analysis/classic_buckets.h"
#include "userspace/export/exposition.h"
#include "userspace/export/test_families.h"

namespace nz::exposition {
namespace {

using ::testing::HasSubstr;
using testing::histogram_of;
using ::testing::Not;
using testing::one_of_each;
using namespace std::string_literals;

std::vector<std::string> le_values(const std::string& text) {
  constexpr std::string_view kBegin = "le=\"";
  std::vector<std::string> values;
  for (auto at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    values.push_back(text.substr(at, text.find('"', at) - at));
  }
  return values;
}

TEST(Text, WritesEachType) {
  const std::string text = render_text(one_of_each());
  EXPECT_THAT(text,
              HasSubstr("# HELP nearzero_drops_total Events that could not be recorded, by cause.\n"
                        "# TYPE nearzero_drops_total counter\n"
                        "nearzero_drops_total{probe=\"sched\",cause=\"map_full\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE nearzero_probe_attached gauge\n"
                              "nearzero_probe_attached{probe=\"sched\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE nearzero_order_stage_duration_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("nearzero_order_stage_duration_seconds_count{target=\"matching\","
                              "stage=\"stage-0\"} 2000\n"));
  EXPECT_THAT(text, HasSubstr("stage=\"stage-0\",le=\"+Inf\"} 2000\n"));
}

TEST(Text, LeavesOutFamiliesWithoutSamples) {
  const metrics::Family none{"nearzero_none", "Nothing.", metrics::Type::gauge, {}};
  const metrics::Family no_histogram{
      "nearzero_null_seconds", "Nothing.", metrics::Type::histogram, {{{}, 0, nullptr}}};
  EXPECT_EQ(render_text({none, no_histogram}), "");
}

TEST(Text, BucketsAreCumulativeAndEndWithTheCount) {
  const metrics::Family family{
      "nearzero_x_seconds",
      "X.",
      metrics::Type::histogram,
      {{{}, 0, histogram_of({10, 900, 1'000'000, 20'000'000'000, 300'000'000'000})}}};
  const std::string text = render_text({family});
  EXPECT_THAT(text, HasSubstr("nearzero_x_seconds_count 5\n"));
  EXPECT_THAT(text, HasSubstr("nearzero_x_seconds_sum 320.00100091\n"));
  EXPECT_THAT(text, HasSubstr("{le=\"9.5367431640625e-07\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("{le=\"8\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("{le=\"+Inf\"} 5\n"));
}

TEST(Text, LeLabelsNeverChangeAndLoseNothing) {
  const auto first = le_values(render_text(one_of_each()));
  const auto second = le_values(render_text({testing::histogram_family(1)}));
  EXPECT_EQ(first, second);
  ASSERT_EQ(first.size(), analysis::kClassicBuckets + 1);
  for (std::size_t n = 0; n < analysis::kClassicBuckets; ++n) {
    EXPECT_EQ(std::strtod(first[n].c_str(), nullptr), analysis::classic_bounds()[n]) << first[n];
  }
}

TEST(Text, LabelValuesMayHoldAnything) {
  const metrics::Family family{"nearzero_x",
                               "Two\nlines and a \\.",
                               metrics::Type::gauge,
                               {{{{"sql", "say \"a\\b\"\nnext\0\xff line"s}}, 1, nullptr}}};
  EXPECT_EQ(render_text({family}),
            "# HELP nearzero_x Two\\nlines and a \\\\.\n# TYPE nearzero_x gauge\n"
            "nearzero_x{sql=\"say \\\"a\\\\b\\\"\\nnext\uFFFD\uFFFD line\"} 1\n");
}

TEST(Text, PromtoolFindsNothingToComplainAbout) {
  if (!std::filesystem::exists("/usr/bin/promtool")) GTEST_SKIP() << "no /usr/bin/promtool here";
  auto families = one_of_each();
  families.push_back({"nearzero_odd_bytes",
                      "Odd.",
                      metrics::Type::gauge,
                      {{{{"v", "\"\\\n\r\t\x01\xf0\x9f"s}}, 1e300, nullptr},
                       {{{"v", "b"}}, -0.5, nullptr},
                       {{{"v", "c"}}, std::nan(""), nullptr},
                       {{{"v", "d"}}, INFINITY, nullptr}}});
  const auto dir = std::filesystem::temp_directory_path() / ("nz-text-" + std::to_string(getpid()));
  std::filesystem::create_directories(dir);
  std::ofstream(dir / "metrics") << render_text(families);
  FILE* promtool = popen(
      ("/usr/bin/promtool check metrics < " + (dir / "metrics").string() + " 2>&1").c_str(), "r");
  ASSERT_NE(promtool, nullptr);
  std::string said;
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, promtool)) said.append(buffer, n);
  const int status = pclose(promtool);
  std::filesystem::remove_all(dir);
  EXPECT_EQ(said, "");
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace nz::exposition
