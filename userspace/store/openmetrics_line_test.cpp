#include "userspace/store/openmetrics_line.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nz::store {
namespace {

OpenMetricsSample sample_of(const std::string& line) {
  auto read = read_openmetrics(line);
  EXPECT_TRUE(read) << line << ": " << read.error().text();
  auto* sample = read ? std::get_if<OpenMetricsSample>(&*read) : nullptr;
  EXPECT_NE(sample, nullptr) << line;
  return sample != nullptr ? *sample : OpenMetricsSample{};
}

TEST(OpenMetricsLine, ReadsSamples) {
  const auto plain = sample_of("up 1 1699920060.123");
  EXPECT_EQ(plain.name, "up");
  EXPECT_TRUE(plain.labels.empty());
  EXPECT_EQ(plain.value, 1);
  EXPECT_EQ(plain.at, 1'699'920'060'123);
  EXPECT_FALSE(plain.exemplar);
  const auto labels = sample_of(R"(a:b_total{x="1", y="",} 1.5e+06 1699920060)");
  EXPECT_EQ(labels.name, "a:b_total");
  EXPECT_EQ(labels.labels, (metrics::Labels{{"x", "1"}, {"y", ""}}));
  EXPECT_EQ(labels.value, 1.5e6);
  EXPECT_EQ(labels.at, 1'699'920'060'000);
  EXPECT_EQ(sample_of("  up{ }\t+7   1699920060\t\r").value, 7) << "blanks of the older format";
  EXPECT_TRUE(std::isnan(sample_of("up NaN 1699920060").value));
  EXPECT_EQ(sample_of("up +Inf 1699920060").value, INFINITY);
  EXPECT_EQ(sample_of("up -Inf 1699920060").value, -INFINITY);
}

TEST(OpenMetricsLine, ReadsEscapesNamesInQuotesAndExemplars) {
  const auto escaped = sample_of(R"(g{a="q\"b\\s\nn\t}, ",b="ü"} 1 1699920060)");
  EXPECT_EQ(escaped.labels, (metrics::Labels{{"a", "q\"b\\s\nn\\t}, "}, {"b", "\xC3\xBC"}}));
  const auto quoted = sample_of(R"({"my.name",a="1","b.c"="2"} 3 1699920060)");
  EXPECT_EQ(quoted.name, "my.name");
  EXPECT_EQ(quoted.labels, (metrics::Labels{{"a", "1"}, {"b.c", "2"}}));
  const auto exemplar =
      sample_of(R"(h_bucket{le="1"} 4 1699920060 # {trace_id="x y"} 0.5 1699920059.9)");
  EXPECT_EQ(exemplar.value, 4);
  EXPECT_TRUE(exemplar.exemplar);
}

TEST(OpenMetricsLine, KnowsWhatIsNoSample) {
  for (const char* line : {"", "  \r", "# HELP a TYPE of EOF", "# UNIT a seconds", "# any", "#"}) {
    const auto read = read_openmetrics(line);
    ASSERT_TRUE(read) << line;
    EXPECT_TRUE(std::holds_alternative<OpenMetricsRemark>(*read)) << line;
  }
  const auto type = read_openmetrics("# TYPE a_seconds histogram");
  ASSERT_TRUE(type);
  EXPECT_EQ(std::get<OpenMetricsType>(*type).family, "a_seconds");
  EXPECT_EQ(std::get<OpenMetricsType>(*type).kind, OpenMetricsKind::histogram);
  EXPECT_EQ(std::get<OpenMetricsType>(*read_openmetrics("# TYPE \"a.b\" untyped")).family, "a.b");
  EXPECT_TRUE(std::holds_alternative<OpenMetricsEnd>(*read_openmetrics("# EOF")));
  EXPECT_TRUE(std::holds_alternative<OpenMetricsRemark>(*read_openmetrics("# EOF of what")));
}

TEST(OpenMetricsLine, SaysTheColumnOfWhatIsWrong) {
  struct Case {
    std::string line;
    int column;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{{"7up 1 1699920060", 1, "a name of a metric"},
                                         {"{a=\"1\"} 1 1699920060", 8, "a name of a metric"},
                                         {"up", 3, "no value"},
                                         {"up 1", 5, "no time"},
                                         {"up 1 # {a=\"1\"} 1", 6, "no time"},
                                         {"up one 1699920060", 4, "'one' is no number"},
                                         {"up 1e999 1699920060", 4, "no number that a double"},
                                         {"up +-1 1699920060", 4, "no number"},
                                         {"up 0x10 1699920060", 4, "no number"},
                                         {"up 1 now", 6, "'now' is no time"},
                                         {"up 1 NaN", 6, "no time of ours"},
                                         {"up 1 -5", 6, "no time of ours"},
                                         {"up 1 1699920060000", 6, "divide by 1000"},
                                         {"up 1 1699920060 7", 17, "'7' is too much"},
                                         {"up-time 1 1699920060", 3, "'-' cannot stand here"},
                                         {"up{a=1} 1 1699920060", 6, "in double quotes"},
                                         {"up{a} 1 1699920060", 5, "'=' is expected"},
                                         {"up{a=\"1\" b=\"2\"} 1 1699920060", 10, "',' or '}'"},
                                         {"up{a=\"1\",a=\"2\"} 1 1699920060", 10, "there twice"},
                                         {"up{a=\"1} 1 1699920060", 6, "not closed"},
                                         {"up{a=\"1", 6, "not closed"},
                                         {"up{a=\"\\", 6, "not closed"},
                                         {"up{a=\"\xff\"} 1 1699920060", 6, "not UTF-8"},
                                         {"up{,} 1 1699920060", 4, "a name of a label"},
                                         {"up{\"down\"} 1 1699920060", 4, "a second name"},
                                         {"# TYPE a thing", 10, "'thing' is no type"},
                                         {"# TYPE a", 9, "no type"}}) {
    const auto read = read_openmetrics(c.line);
    ASSERT_FALSE(read) << c.line;
    EXPECT_EQ(read.error().code, c.column) << c.line << ": " << read.error().text();
    EXPECT_NE(read.error().text().find(c.says), std::string::npos)
        << c.line << ": " << read.error().text();
  }
}

}  // namespace
}  // namespace nz::store
