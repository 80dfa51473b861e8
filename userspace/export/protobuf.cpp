// The delimited protobuf format: each MetricFamily preceded by its length as a varint. Field
// numbers are those of io/prometheus/client/metrics.proto (prometheus/client_model, and its copy in
// prometheus/prometheus' prompb/); published numbers never change.
#include <cmath>
#include <cstdint>
#include <limits>
#include <protozero/pbf_builder.hpp>
#include <protozero/varint.hpp>

#include "analysis/classic_buckets.h"
#include "userspace/export/exposition.h"
#include "userspace/export/utf8.h"

namespace nz::exposition {
namespace {

enum class FamilyField : protozero::pbf_tag_type { name = 1, help = 2, type = 3, metric = 4 };
enum class MetricField : protozero::pbf_tag_type {
  label = 1,
  gauge = 2,
  counter = 3,
  histogram = 7
};
enum class LabelField : protozero::pbf_tag_type { name = 1, value = 2 };
enum class ValueField : protozero::pbf_tag_type { value = 1 };  // of Gauge and of Counter
enum class HistogramField : protozero::pbf_tag_type {
  sample_count = 1,
  sample_sum = 2,
  bucket = 3,
  schema = 5,
  zero_threshold = 6,
  zero_count = 7,
  positive_span = 12,
  positive_delta = 13,
};
enum class BucketField : protozero::pbf_tag_type { cumulative_count = 1, upper_bound = 2 };
enum class SpanField : protozero::pbf_tag_type { offset = 1, length = 2 };

enum MetricType : std::int32_t { kCounter = 0, kGauge = 1, kHistogram = 4 };

// A gap of up to this many empty buckets costs less as zeros than as a span of its own, which takes
// 6 bytes or more (client_golang chooses the same).
constexpr std::int32_t kGapWorthASpan = 3;

// Counts of the native buckets: ours and one more, for what is above the last boundary. Prometheus
// wants the buckets to add up to the count, and its scheme goes on above 2^8 s.
std::uint64_t native_count(const analysis::Histogram& h, std::int32_t i) {
  return i < NZ_BUCKETS ? h.buckets[static_cast<std::size_t>(i)] : h.overflow;
}
constexpr std::int32_t kNativeBuckets = NZ_BUCKETS + 1;

struct Span {
  std::int32_t offset;   // from the end of the span before; the first one's is an index
  std::uint32_t length;  // buckets
};

struct NativeBuckets {
  std::vector<Span> spans;
  std::vector<std::int64_t> deltas;  // each bucket's count minus that of the one before
};

NativeBuckets native_buckets(const analysis::Histogram& h) {
  NativeBuckets result;
  std::int32_t end = 0;  // Prometheus' index after the last bucket written
  std::int64_t before = 0;
  const auto append = [&](std::uint64_t count) {
    result.deltas.push_back(static_cast<std::int64_t>(count) - before);
    before = static_cast<std::int64_t>(count);
    ++result.spans.back().length;
    ++end;
  };
  for (std::int32_t i = 0; i < kNativeBuckets; ++i) {
    const std::uint64_t count = native_count(h, i);
    if (count == 0) continue;
    const std::int32_t gap = NZ_PROM_INDEX(i) - end;
    if (result.spans.empty() || gap >= kGapWorthASpan) {
      result.spans.push_back({gap, 0});
      end += gap;
    } else {
      for (std::int32_t k = 0; k < gap; ++k) append(0);
    }
    append(count);
  }
  return result;
}

void write_histogram(protozero::pbf_builder<HistogramField> out, const analysis::Histogram& h) {
  const auto cumulative = analysis::classic_cumulative(h);
  const auto& bounds = analysis::classic_bounds();
  out.add_uint64(HistogramField::sample_count, cumulative.back());
  out.add_double(HistogramField::sample_sum, static_cast<double>(h.sum_ns) / 1e9);
  for (std::size_t n = 0; n < cumulative.size(); ++n) {
    protozero::pbf_builder<BucketField> bucket(out, HistogramField::bucket);
    bucket.add_uint64(BucketField::cumulative_count, cumulative[n]);
    bucket.add_double(BucketField::upper_bound,
                      n < bounds.size() ? bounds[n] : std::numeric_limits<double>::infinity());
  }
  // A zero threshold above zero is also what tells Prometheus that a histogram without any values
  // is a native one.
  out.add_sint32(HistogramField::schema, NZ_SCHEMA);
  out.add_double(HistogramField::zero_threshold, std::ldexp(1.0, NZ_MIN_EXP));
  out.add_uint64(HistogramField::zero_count, h.zero);
  const NativeBuckets native = native_buckets(h);
  for (const Span& s : native.spans) {
    protozero::pbf_builder<SpanField> span(out, HistogramField::positive_span);
    span.add_sint32(SpanField::offset, s.offset);
    span.add_uint32(SpanField::length, s.length);
  }
  out.add_packed_sint64(HistogramField::positive_delta, native.deltas.begin(), native.deltas.end());
}

void write_metric(protozero::pbf_builder<MetricField> out, metrics::Type type,
                  const metrics::Sample& sample) {
  for (const auto& [name, value] : sample.labels) {
    protozero::pbf_builder<LabelField> label(out, MetricField::label);
    label.add_string(LabelField::name, valid_label_name(name));
    label.add_string(LabelField::value, valid_utf8(value));
  }
  switch (type) {
    case metrics::Type::counter:
      protozero::pbf_builder<ValueField>(out, MetricField::counter)
          .add_double(ValueField::value, sample.value);
      break;
    case metrics::Type::gauge:
      protozero::pbf_builder<ValueField>(out, MetricField::gauge)
          .add_double(ValueField::value, sample.value);
      break;
    case metrics::Type::histogram:
      write_histogram(protozero::pbf_builder<HistogramField>(out, MetricField::histogram),
                      *sample.histogram);
      break;
  }
}

MetricType type_number(metrics::Type type) {
  switch (type) {
    case metrics::Type::counter:
      return kCounter;
    case metrics::Type::gauge:
      return kGauge;
    case metrics::Type::histogram:
      return kHistogram;
  }
  return kGauge;
}

/// Writes one family into `message`; false if it has nothing to show.
bool write_family(std::string& message, const metrics::Family& family) {
  protozero::pbf_builder<FamilyField> out(message);
  out.add_string(FamilyField::name, valid_metric_name(family.name));
  out.add_string(FamilyField::help, valid_utf8(family.help));
  out.add_enum(FamilyField::type, type_number(family.type));
  bool any = false;
  for (const metrics::Sample& sample : family.samples) {
    if (family.type == metrics::Type::histogram && sample.histogram == nullptr) continue;
    write_metric(protozero::pbf_builder<MetricField>(out, FamilyField::metric), family.type,
                 sample);
    any = true;
  }
  return any;
}

}  // namespace

std::string render_protobuf(const std::vector<metrics::Family>& families) {
  std::string body;
  std::string message;
  for (const metrics::Family& family : families) {
    message.clear();
    if (!write_family(message, family)) continue;
    protozero::add_varint_to_buffer(&body, message.size());
    body += message;
  }
  return body;
}

}  // namespace nz::exposition
