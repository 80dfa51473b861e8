#include "userspace/export/histogram_text.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

#include "analysis/classic_buckets.h"
#include "userspace/export/test_families.h"

namespace nz::exposition {
namespace {

// The same family as prometheus-cpp writes it.
std::string reference(const metrics::Family& family) {
  prometheus::MetricFamily f;
  f.name = family.name;
  f.help = family.help;
  f.type = prometheus::MetricType::Histogram;
  for (const auto& sample : family.samples) {
    auto& metric = f.metric.emplace_back();
    for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
    const auto cumulative = analysis::classic_cumulative(*sample.histogram);
    metric.histogram.sample_count = cumulative.back();
    metric.histogram.sample_sum = static_cast<double>(sample.histogram->sum_ns) / 1e9;
    for (std::size_t n = 0; n < cumulative.size(); ++n) {
      metric.histogram.bucket.push_back(
          {cumulative[n], n < analysis::kClassicBuckets ? analysis::classic_bounds()[n]
                                                        : std::numeric_limits<double>::infinity()});
    }
  }
  return prometheus::TextSerializer().Serialize({f});
}

TEST(HistogramText, IsWhatPrometheusCppWrites) {
  std::vector<metrics::Family> families{testing::histogram_family(5), testing::histogram_family(1),
                                        testing::histogram_family(1)};
  families[1].samples[0].labels.clear();
  families[1].help.clear();
  families[2].samples[0].labels = {{"sql", "a \"b\" \\ c\nd \u20ac"}, {"empty", ""}};
  families[2].samples.push_back({{}, 0, testing::histogram_of({})});
  families[2].samples.push_back({{}, 0, testing::histogram_of({1, 1ULL << 62, 1ULL << 62})});
  for (const auto& family : families) {
    std::string text;
    append_histogram_family(text, family);
    EXPECT_EQ(text, reference(family));
  }
}

}  // namespace
}  // namespace nz::exposition
