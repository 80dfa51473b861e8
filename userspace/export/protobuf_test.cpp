// Decodes what protobuf.cpp wrote with nothing but field numbers, written out here a second time
// from prometheus/client_model's metrics.proto.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <protozero/pbf_reader.hpp>

#include "analysis/classic_buckets.h"
#include "userspace/export/exposition.h"
#include "userspace/export/test_families.h"

namespace nz::exposition {
namespace {

using testing::histogram_family;
using testing::histogram_of;
using testing::latencies_ns;
using testing::one_of_each;
using namespace std::string_literals;

struct DecodedHistogram {
  std::uint64_t count = 0;
  double sum = 0;
  std::vector<std::pair<std::uint64_t, double>> classic;
  int schema = -100;
  double zero_threshold = -1;
  std::uint64_t zero_count = 0;
  std::map<int, std::uint64_t> native;  // Prometheus' index -> count, zeros inside spans included
  std::size_t spans = 0;
};

struct DecodedMetric {
  metrics::Labels labels;
  double counter = NAN, gauge = NAN;
  DecodedHistogram histogram;
};

struct DecodedFamily {
  std::string name, help;
  int type = -1;
  std::vector<DecodedMetric> metrics;
};

DecodedHistogram decode_histogram(protozero::pbf_reader in) {
  DecodedHistogram h;
  std::vector<std::pair<int, unsigned>> spans;
  std::vector<std::int64_t> deltas;
  while (in.next()) {
    switch (in.tag()) {
      case 1:
        h.count = in.get_uint64();
        break;
      case 2:
        h.sum = in.get_double();
        break;
      case 3: {
        auto bucket = in.get_message();
        auto& [count, bound] = h.classic.emplace_back();
        while (bucket.next()) {
          if (bucket.tag() == 1) count = bucket.get_uint64();
          if (bucket.tag() == 2) bound = bucket.get_double();
        }
        break;
      }
      case 5:
        h.schema = in.get_sint32();
        break;
      case 6:
        h.zero_threshold = in.get_double();
        break;
      case 7:
        h.zero_count = in.get_uint64();
        break;
      case 12: {
        auto span = in.get_message();
        auto& [offset, length] = spans.emplace_back();
        while (span.next()) {
          if (span.tag() == 1) offset = span.get_sint32();
          if (span.tag() == 2) length = span.get_uint32();
        }
        break;
      }
      case 13:
        for (const auto delta : in.get_packed_sint64()) deltas.push_back(delta);
        break;
      default:
        ADD_FAILURE() << "unexpected histogram field " << in.tag();
        in.skip();
    }
  }
  h.spans = spans.size();
  int index = 0;
  std::size_t at = 0;
  std::int64_t count = 0;
  for (const auto& [offset, length] : spans) {
    index += offset;
    for (unsigned i = 0; i < length; ++i) {
      count += deltas.at(at++);
      h.native[index++] = static_cast<std::uint64_t>(count);
    }
  }
  EXPECT_EQ(at, deltas.size());
  return h;
}

DecodedMetric decode_metric(protozero::pbf_reader in) {
  DecodedMetric metric;
  const auto value = [](protozero::pbf_reader message) {
    double v = NAN;
    while (message.next()) {
      if (message.tag() == 1) v = message.get_double();
    }
    return v;
  };
  while (in.next()) {
    switch (in.tag()) {
      case 1: {
        auto label = in.get_message();
        auto& [name, text] = metric.labels.emplace_back();
        while (label.next()) {
          if (label.tag() == 1) name = label.get_string();
          if (label.tag() == 2) text = label.get_string();
        }
        break;
      }
      case 2:
        metric.gauge = value(in.get_message());
        break;
      case 3:
        metric.counter = value(in.get_message());
        break;
      case 7:
        metric.histogram = decode_histogram(in.get_message());
        break;
      default:
        ADD_FAILURE() << "unexpected metric field " << in.tag();
        in.skip();
    }
  }
  return metric;
}

std::vector<DecodedFamily> decode(const std::string& body) {
  std::vector<DecodedFamily> families;
  const char* at = body.data();
  const char* const end = body.data() + body.size();
  while (at != end) {
    const auto length = protozero::decode_varint(&at, end);
    protozero::pbf_reader in(at, length);
    at += length;
    DecodedFamily& family = families.emplace_back();
    while (in.next()) {
      switch (in.tag()) {
        case 1:
          family.name = in.get_string();
          break;
        case 2:
          family.help = in.get_string();
          break;
        case 3:
          family.type = in.get_enum();
          break;
        case 4:
          family.metrics.push_back(decode_metric(in.get_message()));
          break;
        default:
          ADD_FAILURE() << "unexpected family field " << in.tag();
          in.skip();
      }
    }
  }
  return families;
}

DecodedHistogram round_trip(const std::shared_ptr<analysis::Histogram>& h) {
  return decode(render_protobuf(
                    {{"nearzero_x_seconds", "X.", metrics::Type::histogram, {{{}, 0, h}}}}))
      .at(0)
      .metrics.at(0)
      .histogram;
}

std::uint64_t native_total(const DecodedHistogram& h) {
  std::uint64_t total = h.zero_count;
  for (const auto& [index, count] : h.native) total += count;
  return total;
}

TEST(Protobuf, WritesEachType) {
  const auto families = decode(render_protobuf(one_of_each()));
  ASSERT_EQ(families.size(), 3U);
  EXPECT_EQ(families[0].name, "nearzero_drops_total");
  EXPECT_EQ(families[0].help, "Events that could not be recorded, by cause.");
  EXPECT_EQ(families[0].type, 0);
  EXPECT_EQ(families[0].metrics.at(0).counter, 3);
  const metrics::Labels labels{{"probe", "sched"}, {"cause", "map_full"}};
  EXPECT_EQ(families[0].metrics.at(0).labels, labels);
  EXPECT_EQ(families[1].type, 1);
  EXPECT_EQ(families[1].metrics.at(0).gauge, 1);
  EXPECT_EQ(families[2].type, 4);
  EXPECT_EQ(families[2].metrics.at(0).histogram.count, 2'000U);
}

TEST(Protobuf, LeavesOutFamiliesWithoutSamples) {
  EXPECT_EQ(
      render_protobuf(
          {{"nearzero_none", "Nothing.", metrics::Type::gauge, {}},
           {"nearzero_null_seconds", "Nothing.", metrics::Type::histogram, {{{}, 0, nullptr}}}}),
      "");
}

TEST(Protobuf, NativeBucketsAreTheHistograms) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 50; ++round) {
    auto h = std::make_shared<analysis::Histogram>();
    const int n = static_cast<int>(random() % 300);
    for (int i = 0; i < n; ++i) h->record(random() >> (random() % 60));
    const DecodedHistogram d = round_trip(h);
    EXPECT_EQ(d.count, h->count());
    EXPECT_EQ(native_total(d), h->count());
    EXPECT_EQ(d.zero_count, h->zero);
    EXPECT_EQ(d.schema, 3);
    EXPECT_EQ(d.zero_threshold, std::ldexp(1.0, -24));
    EXPECT_DOUBLE_EQ(d.sum, static_cast<double>(h->sum_ns) / 1e9);
    for (int i = 0; i < NZ_BUCKETS; ++i) {
      const auto it = d.native.find(NZ_PROM_INDEX(i));
      ASSERT_EQ(it == d.native.end() ? 0 : it->second, h->buckets[i]) << "bucket " << i;
    }
  }
}

TEST(Protobuf, IndexNamesTheUpperBoundary) {
  // Prometheus: bucket k of schema 3 ends at 2^(k/8). One second is k = 0, four seconds k = 16.
  EXPECT_EQ(round_trip(histogram_of({1'000'000'000})).native.count(0), 1U);
  EXPECT_EQ(round_trip(histogram_of({1'000'000'001})).native.count(1), 1U);
  EXPECT_EQ(round_trip(histogram_of({4'000'000'000})).native.count(16), 1U);
}

TEST(Protobuf, OverflowGoesToTheBucketAboveTheLast) {
  const DecodedHistogram d =
      round_trip(histogram_of({256'000'000'000, 256'000'000'001, 1ULL << 60}));
  EXPECT_EQ(d.count, 3U);
  EXPECT_EQ(d.native.at(64), 1U);
  EXPECT_EQ(d.native.at(65), 2U);
  EXPECT_EQ(d.classic.back().first, 3U);
}

TEST(Protobuf, EmptyHistogramIsStillANativeOne) {
  const DecodedHistogram d = round_trip(std::make_shared<analysis::Histogram>());
  EXPECT_EQ(d.count, 0U);
  EXPECT_EQ(d.spans, 0U);
  EXPECT_GT(d.zero_threshold, 0);  // by this Prometheus tells it from a classic one
}

TEST(Protobuf, ShortGapsAreFilledAndLongOnesBeginASpan) {
  auto h = std::make_shared<analysis::Histogram>();
  h->buckets[10] = 5;
  h->buckets[13] = 1;  // two empty buckets between
  h->buckets[17] = 9;  // three
  const DecodedHistogram d = round_trip(h);
  EXPECT_EQ(d.spans, 2U);
  EXPECT_EQ(d.native.at(NZ_PROM_INDEX(11)), 0U);
  EXPECT_EQ(d.native.at(NZ_PROM_INDEX(17)), 9U);
}

TEST(Protobuf, ClassicBucketsAreTheSameAsInText) {
  const auto h = histogram_of(latencies_ns(1'000, 9));
  const DecodedHistogram d = round_trip(h);
  const auto cumulative = analysis::classic_cumulative(*h);
  ASSERT_EQ(d.classic.size(), cumulative.size());
  for (std::size_t n = 0; n < cumulative.size(); ++n) {
    EXPECT_EQ(d.classic[n].first, cumulative[n]);
    EXPECT_EQ(d.classic[n].second,
              n < analysis::kClassicBuckets ? analysis::classic_bounds()[n] : INFINITY);
  }
}

TEST(Protobuf, TextIsMadeValid) {
  const auto families = decode(render_protobuf(
      {{"bad name", "h\xff", metrics::Type::gauge, {{{{"l-x", "v\0\xfe"s}}, 1, nullptr}}}}));
  EXPECT_EQ(families.at(0).name, "bad_name");
  EXPECT_EQ(families.at(0).help, "h\uFFFD");
  const metrics::Labels labels{{"l_x", "v\uFFFD\uFFFD"}};
  EXPECT_EQ(families.at(0).metrics.at(0).labels, labels);
}

TEST(Protobuf, ManyFamiliesAreDelimited) {
  std::vector<metrics::Family> many(50, histogram_family(3));
  const auto families = decode(render_protobuf(many));
  ASSERT_EQ(families.size(), 50U);
  for (const auto& f : families) EXPECT_EQ(f.metrics.size(), 3U);
}

}  // namespace
}  // namespace nz::exposition
