// Text of other programs. What our own export writes: transfer_test.cpp.
#include "userspace/store/openmetrics_import.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/classic_buckets.h"
#include "userspace/store/import.h"
#include "userspace/store/test_store.h"
#include "userspace/store/test_transfer.h"

namespace nz::store {
namespace {

using testing::Folder;
using testing::points;

constexpr std::int64_t kHour = 1'699'920'000;  // a whole hour

class OpenMetricsImport : public ::testing::Test {
 protected:
  const Folder folder;

  Result<Imported> read(const std::string& text, std::optional<Level> level = {}) const {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
    std::fwrite(text.data(), 1, text.size(), file.get());
    return import_history(folder.file(), file.get(), "test.om", Format::openmetrics, {}, level);
  }
  Imported take(const std::string& text, std::optional<Level> level = {}) const {
    auto imported = read(text + "# EOF\n", level);
    EXPECT_TRUE(imported) << imported.error().text();
    return imported ? *imported : Imported{};
  }
  [[nodiscard]] auto all(const std::string& family, Level level = Level::minute) const {
    return points(folder.file(), family, level);
  }
};

std::string line(const std::string& series, double value, std::int64_t second) {
  return series + ' ' + std::to_string(value) + ' ' + std::to_string(kHour + second) + '\n';
}

Interval seconds(std::int64_t from, std::int64_t to) {
  return {(kHour + from) * 1000, (kHour + to) * 1000};
}

TEST_F(OpenMetricsImport, AGaugeHoldsFromTheSampleBefore) {
  std::string text = "# TYPE g gauge\n";
  for (const int at : {60, 120, 180, 300, 600}) text += line("g{a=\"b\"}", at, at);
  const Imported imported = take(text);
  EXPECT_EQ(imported.points, 5U);
  EXPECT_EQ(imported.lines, 5U);
  EXPECT_EQ(imported.level, Level::minute);
  const auto got = all("g");
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[0].first, seconds(0, 60)) << "one step before the first";
  EXPECT_EQ(got[1].first, seconds(60, 120));
  EXPECT_EQ(got[3].first, seconds(180, 300)) << "one that is missing is no hole";
  EXPECT_EQ(got[4].first, seconds(540, 600)) << "behind a hole one step";
  EXPECT_EQ(got[4].second.value, 600);
  EXPECT_EQ(got[4].second.mean, 600);
}

TEST_F(OpenMetricsImport, ACounterGrowsFromSampleToSample) {
  std::string text = "# TYPE c counter\n";
  text += line("c_total", 1000, 60) + line("c_total", 1010, 120) + line("c_total", 4, 180) +
          line("c_total", 24, 780) + line("c_total", 30, 840) + line("c_total", 500, 9000) +
          line("c_total", 501, 9060) + line("c_total", 7, 20000) + line("c_total", 8, 20060) +
          line("c_total", 9, 20120);
  EXPECT_EQ(take(text).points, 10U);
  const auto got = all("c_total");
  ASSERT_EQ(got.size(), 10U);
  const double growth[] = {0, 10, 4, 20, 6, 0, 1, 7, 1, 1};
  for (std::size_t i = 0; i < 10; i++) EXPECT_EQ(got[i].second.growth, growth[i]) << i;
  EXPECT_EQ(got[0].second.value, 1000) << "where it counts from";
  EXPECT_EQ(got[3].first, seconds(180, 780)) << "its growth is of all these minutes";
  EXPECT_EQ(got[5].first, seconds(8940, 9000)) << "nobody knows when 470 came";
  EXPECT_EQ(got[7].first, seconds(19940, 20000)) << "it began anew";
}

// Two hours apart, in a level whose blocks hold the intervals that begin within one.
TEST_F(OpenMetricsImport, AnIntervalIsAsLongAsItsSamplesAreApart) {
  std::string text = "# TYPE c counter\n";
  for (const int at : {7200, 14400, 21600}) text += line("c_total", at, at);
  EXPECT_EQ(take(text, Level::raw).points, 3U);
  const auto got = all("c_total", Level::raw);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].first, seconds(0, 7200));
  EXPECT_EQ(got[1].first, seconds(7200, 14400)) << "in half of it, twice its rate";
  EXPECT_EQ(got[1].second.growth, 7200);
  EXPECT_EQ(take(text, Level::raw).known, 3U) << "a repeated import changes nothing";
}

TEST_F(OpenMetricsImport, ACounterThatWasCreatedAnewBeginsAt0) {
  const auto created = [](std::int64_t created, std::int64_t at) {
    return "c_created " + std::to_string(kHour + created) + " " + std::to_string(kHour + at) + "\n";
  };
  take("# TYPE c counter\n" + line("c_total", 5, 60) + created(30, 60) +  // within its interval
       line("c_total", 7, 120) + created(30, 120) + line("c_total", 9, 180) + created(150, 180) +
       line("c_total", 10, 240) + created(150, 240));
  const auto got = all("c_total");
  ASSERT_EQ(got.size(), 4U);
  const double growth[] = {5, 2, 9, 1};
  for (std::size_t i = 0; i < 4; i++) EXPECT_EQ(got[i].second.growth, growth[i]) << i;
  EXPECT_EQ(got[0].first, seconds(30, 60));
  EXPECT_EQ(got[2].first, seconds(150, 180));
  EXPECT_TRUE(all("c_created").empty());
}

TEST_F(OpenMetricsImport, TheNameDecidesWhereNoTypeIsTold) {
  // As `promtool tsdb dump-openmetrics` writes: series after series.
  std::string text;
  for (const char* series : {"a_total", "depth", "h_bucket{le=\"0.1\"}", "h_bucket{le=\"+Inf\"}",
                             "h_count", "h_sum", "open_count", "s{quantile=\"0.5\"}", "s_count"})
    text += line(series, 1, 60) + line(series, 3, 120);
  const Imported imported = take(text);
  EXPECT_EQ(imported.by_bucket, std::vector<std::string>{"h"});
  EXPECT_EQ(imported.series, 9U);
  using metrics::Type;
  for (const auto& [name, type] :
       std::vector<std::pair<std::string, Type>>{{"a_total", Type::counter},
                                                 {"depth", Type::gauge},
                                                 {"h_bucket", Type::counter},
                                                 {"h_count", Type::counter},
                                                 {"h_sum", Type::counter},
                                                 {"open_count", Type::gauge},
                                                 {"s", Type::gauge},
                                                 {"s_count", Type::counter}}) {
    const auto got = all(name);
    ASSERT_FALSE(got.empty()) << name;
    EXPECT_EQ(got[1].second.type, type) << name;
    EXPECT_EQ(got[1].second.growth, type == Type::counter ? 2 : 0) << name;
  }
}

TEST_F(OpenMetricsImport, AHistogramOfOtherBucketsComesAsCountersOfEach) {
  std::string text = "# TYPE h_seconds histogram\n";
  for (const int at : {60, 120}) {
    for (const char* sample : {"bucket{le=\"0.1\"}", "bucket{le=\"+Inf\"}", "count", "sum"})
      text += line(std::string("h_seconds_") + sample, at, at);
    text += line("h_seconds_created", kHour, at);
  }
  const Imported imported = take(text);
  EXPECT_EQ(imported.by_bucket, std::vector<std::string>{"h_seconds"});
  EXPECT_EQ(all("h_seconds_bucket").size(), 4U);
  EXPECT_EQ(all("h_seconds_count")[1].second.growth, 60);
  EXPECT_EQ(all("h_seconds_created").size(), 2U) << "nothing is lost";
  EXPECT_TRUE(all("h_seconds").empty());
}

// A point of a histogram as an export of ours writes it, `count` values below the first boundary;
// fewer than kSamples cut it off.
constexpr std::size_t kSamples = analysis::kClassicBuckets + 3;
std::string classic(const std::string& label, double count, std::int64_t second,
                    std::size_t samples = kSamples) {
  std::string text;
  const auto add = [&](const std::string& sample, const std::string& le) {
    if (samples == 0) return;
    samples--;
    text += line("h_seconds_" + sample + "{n=\"" + label + '"' + le + '}', count, second);
  };
  for (const double bound : analysis::classic_bounds()) {
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.16g", bound);
    add("bucket", std::string(",le=\"") + digits.data() + '"');
  }
  add("bucket", ",le=\"+Inf\"");
  add("count", "");
  add("sum", "");
  return text;
}

TEST_F(OpenMetricsImport, AHistogramWhoseLastPointIsCutComesByBucketFromItsBegin) {
  std::string text = "# TYPE h_seconds histogram\n";
  for (int n = 1; n <= 4; n++) text += classic("1", n, 300 * n);
  const auto uncut =
      testing::import_of(folder.file("uncut.db"), text + "# EOF\n", Format::openmetrics);
  ASSERT_TRUE(uncut) << uncut.error().text();
  EXPECT_EQ(uncut->points, 4U);
  EXPECT_TRUE(uncut->by_bucket.empty());
  const Imported imported = take(text + classic("1", 5, 1500, 20));
  EXPECT_EQ(imported.by_bucket, std::vector<std::string>{"h_seconds"});
  EXPECT_EQ(imported.lines, 4 * kSamples + 20) << "each counted once";
  EXPECT_EQ(imported.series, kSamples);
  EXPECT_EQ(imported.points, imported.lines);
  EXPECT_TRUE(all("h_seconds").empty());
  const auto counts = all("h_seconds_count");
  ASSERT_EQ(counts.size(), 4U);
  EXPECT_EQ(counts[0].first, seconds(0, 300)) << "by the step of its samples, which is surveyed";
  EXPECT_EQ(counts[3].second.growth, 1);
}

TEST_F(OpenMetricsImport, SeriesOfAHistogramThatTurnsOutByBucketAreCountedBeforeAnythingIsWritten) {
  std::string text = "# TYPE h_seconds histogram\n";
  const std::size_t many = 200'000 / kSamples + 1;
  for (std::size_t i = 0; i < many; i++) text += classic(std::to_string(i), 1, 60);
  const auto imported = read(text + classic("0", 2, 120, 20) + "# EOF\n");
  ASSERT_FALSE(imported);
  EXPECT_NE(imported.error().what.find("more than 200,000 series"), std::string::npos)
      << imported.error().what;
  EXPECT_FALSE(std::filesystem::exists(folder.file()));
}

TEST_F(OpenMetricsImport, CountsWhatItLeavesOut) {
  const Imported imported =
      take("# TYPE c counter\n" + line("c_total", 1, 60) + line("c_total", NAN, 120) +
           line("c_total", 2, 180) + line("c_total", 2, 180) + line("c_total", 2, 100) +
           "c_total 3 1699920240 # {trace_id=\"7\"} 1\n# TYPE g gauge\n" + line("g", NAN, 60));
  EXPECT_EQ(imported.lines, 7U);
  EXPECT_EQ(imported.points, 4U);
  EXPECT_EQ(imported.not_a_number, 1U);
  EXPECT_EQ(imported.backward, 2U);
  EXPECT_EQ(imported.exemplars, 1U);
  EXPECT_EQ(all("c_total").size(), 3U);
  ASSERT_EQ(all("g").size(), 1U);
  EXPECT_TRUE(std::isnan(all("g")[0].second.value)) << "a gauge may have none";
}

TEST_F(OpenMetricsImport, TakesTheLevelOfItsStepOrJoinsSamples) {
  std::string text = "# TYPE c counter\n";
  for (int at = 15; at <= 600; at += 15) text += line("c_total", at, at);
  text += "# TYPE g gauge\n";
  for (int at = 15; at <= 600; at += 15) text += line("g", at, at);
  const Imported fine = take(text);
  EXPECT_EQ(fine.level, Level::raw);
  EXPECT_EQ(fine.points, 80U);
  const Imported joined = take(text, Level::minute);
  EXPECT_EQ(joined.level, Level::minute);
  EXPECT_EQ(joined.points, 20U);
  const auto c = all("c_total");
  ASSERT_EQ(c.size(), 10U);
  EXPECT_EQ(c[0].second.growth, 45) << "not what it was at the first sample";
  EXPECT_EQ(c[9].second.growth, 60);
  EXPECT_EQ(c[9].second.value, 600);
  const auto g = all("g");
  ASSERT_EQ(g.size(), 10U);
  EXPECT_EQ(g[1].first, seconds(60, 120));
  EXPECT_EQ(g[1].second.least, 75);
  EXPECT_EQ(g[1].second.most, 120);
  EXPECT_NEAR(g[1].second.mean, 97.5, 0.01);
  EXPECT_EQ(take(text, Level::minute).known, 20U) << "a repeated import changes nothing";
}

TEST_F(OpenMetricsImport, SaysLineColumnAndRemedyAndTakesNothing) {
  const std::string good = "up 1 1699920060\n";
  struct Case {
    std::string text;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{
           {good + "up 1\n# EOF\n", "test.om:2:5: the sample has no time (history needs"},
           {good, "test.om:2: the text ends without '# EOF' (was the file cut off?"},
           {"", "test.om:1: the text ends without"},
           {good + "# EOF\n" + good + "# EOF\n", "test.om:3: something stands behind '# EOF'"},
           {good + "c_total -1 1699920060\n# EOF\n", "test.om:2: the counter c_total is negative"},
           {good + "# TYPE c counter\nc_created NaN 1699920060\n# EOF\n",
            "test.om:3: c_created is no time"},
           {good + std::string(2U << 20U, 'x') + "\n# EOF\n", "test.om:2: the line is longer"}}) {
    const auto imported = read(c.text);
    ASSERT_FALSE(imported) << c.text.substr(0, 200);
    EXPECT_NE(imported.error().text().find(c.says), std::string::npos) << imported.error().text();
  }
  EXPECT_FALSE(std::filesystem::exists(folder.file())) << "not even the first line";
}

TEST_F(OpenMetricsImport, MemoryIsBoundBySeries) {
  std::string text;
  for (int i = 0; i <= 200'000; i++) text += "g" + std::to_string(i) + " 1 1699920060\n";
  const auto imported = read(text + "# EOF\n");
  ASSERT_FALSE(imported);
  EXPECT_NE(imported.error().what.find("more than 200,000 series"), std::string::npos)
      << imported.error().what;
}

TEST(Cadence, IsTheStepOfMostSamples) {
  Cadence cadence;
  EXPECT_EQ(cadence.step(), 0);
  for (const std::int64_t ms : {2'000, 60'000, 61'000, 3'600'000, 59'000, 60'000, 120'000, 60'500})
    cadence.add(ms);
  EXPECT_GT(cadence.step(), 58'000);
  EXPECT_LT(cadence.step(), 62'000);
}

}  // namespace
}  // namespace nz::store
