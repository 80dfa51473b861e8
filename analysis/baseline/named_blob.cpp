// Named baselines as bytes: histograms as pairs of gap and count, which most buckets do without.
#include <algorithm>

#include "analysis/baseline/blob.h"
#include "analysis/baseline/named.h"

namespace nz::analysis {
namespace {

constexpr std::uint64_t kBlobVersion = 1;

void put(BlobWriter& out, const Histogram& h) {
  std::size_t used = 0;
  for (const std::uint64_t n : h.buckets) used += n != 0 ? 1 : 0;
  out.varint(used);
  std::size_t next = 0;
  for (std::size_t i = 0; i < NZ_BUCKETS; i++) {
    if (h.buckets[i] == 0) continue;
    out.varint(i - next);
    out.varint(h.buckets[i]);
    next = i + 1;
  }
  for (const std::uint64_t n : {h.zero, h.overflow, h.sum_ns, h.min_ns, h.max_ns}) out.varint(n);
}

std::shared_ptr<const Histogram> get_histogram(BlobReader& in) {
  auto h = std::make_shared<Histogram>();
  const std::uint64_t used = in.count(2);
  std::uint64_t next = 0;
  for (std::uint64_t k = 0; k < used && in.ok(); k++) {
    const std::uint64_t gap = in.varint();
    if (gap >= NZ_BUCKETS || next + gap >= NZ_BUCKETS) {
      in.fail();
      return h;
    }
    h->buckets[next + gap] = in.varint();
    next += gap + 1;
  }
  for (std::uint64_t* n : {&h->zero, &h->overflow, &h->sum_ns, &h->min_ns, &h->max_ns})
    *n = in.varint();
  return h;
}

void put(BlobWriter& out, const NamedSeries& s) {
  out.text(s.name);
  out.varint(s.labels.size());
  for (const auto& [key, value] : s.labels) {
    out.text(key);
    out.text(value);
  }
  out.varint(s.values.size());
  for (const double v : s.values) out.number(v);
  out.varint(s.slices.size());
  for (const Slice& slice : s.slices) {
    out.number(slice.from);
    out.number(slice.to);
    put(out, slice.histogram ? *slice.histogram : Histogram{});
  }
}

NamedSeries get_series(BlobReader& in) {
  NamedSeries s;
  s.name = in.text();
  const std::uint64_t labels = in.count(2);
  for (std::uint64_t i = 0; i < labels && in.ok(); i++) {
    std::string key = in.text();
    s.labels.emplace_back(std::move(key), in.text());
  }
  const std::uint64_t values = in.count(8);
  for (std::uint64_t i = 0; i < values && in.ok(); i++) s.values.push_back(in.number());
  const std::uint64_t slices = in.count(16);
  for (std::uint64_t i = 0; i < slices && in.ok(); i++) {
    Slice slice;
    slice.from = in.number();
    slice.to = in.number();
    slice.histogram = get_histogram(in);
    s.slices.push_back(std::move(slice));
  }
  return s;
}

}  // namespace

std::string blob_of(const NamedBaseline& baseline) {
  BlobWriter out;
  out.varint(kBlobVersion);
  out.text(baseline.name);
  out.number(baseline.from);
  out.number(baseline.to);
  out.varint(baseline.left_out);
  out.varint(baseline.series.size());
  for (const NamedSeries& s : baseline.series) put(out, s);
  return out.take();
}

std::optional<NamedBaseline> baseline_from(std::string_view blob) {
  BlobReader in(blob);
  if (in.varint() != kBlobVersion) return std::nullopt;
  NamedBaseline baseline;
  baseline.name = in.text();
  baseline.from = in.number();
  baseline.to = in.number();
  baseline.left_out = in.varint();
  const std::uint64_t series = in.count(4);
  for (std::uint64_t i = 0; i < series && in.ok(); i++) baseline.series.push_back(get_series(in));
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return baseline;
}

}  // namespace nz::analysis
