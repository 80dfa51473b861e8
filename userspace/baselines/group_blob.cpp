#include "userspace/baselines/group_blob.h"

#include <cmath>
#include <utility>

#include "analysis/baseline/blob.h"

namespace nz::baselines {
namespace {

using analysis::BlobReader;
using analysis::BlobWriter;

constexpr std::uint64_t kVersion = 1;

void put(BlobWriter& out, const analysis::Quantity& of) {
  out.text(of.name);
  out.varint(of.labels.size());
  for (const auto& [key, value] : of.labels) {
    out.text(key);
    out.text(value);
  }
  out.text(of.statistic);
  out.text(of.unit);
}

analysis::Quantity get_quantity(BlobReader& in) {
  analysis::Quantity of;
  of.name = in.text();
  const std::uint64_t labels = in.count(2);
  for (std::uint64_t i = 0; i < labels && in.ok(); i++) {
    std::string key = in.text();
    of.labels.emplace_back(std::move(key), in.text());
  }
  of.statistic = in.text();
  of.unit = in.text();
  return of;
}

analysis::HourSummary get_hour(BlobReader& in) {
  analysis::HourSummary h;
  const std::uint64_t hour = in.varint();
  h.held = (hour & 1) != 0;
  h.hour = static_cast<std::int64_t>(hour >> 1);
  h.points = static_cast<std::uint16_t>(in.varint());
  h.median = in.single();
  h.spread = in.single();
  if (!std::isfinite(h.median) || !std::isfinite(h.spread) || h.spread < 0) in.fail();
  return h;
}

template <class T>
std::optional<std::vector<T>> whole(const BlobReader& in, std::vector<T> read) {
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return read;
}

}  // namespace

std::string blob_of(std::span<const KnownSeries> group) {
  BlobWriter out;
  out.varint(kVersion);
  out.varint(group.size());
  for (const KnownSeries& series : group) {
    put(out, series.of);
    out.number(series.last);
    out.text(series.hours);
  }
  return out.take();
}

std::optional<std::vector<KnownSeries>> group_from(std::string_view blob) {
  BlobReader in(blob);
  if (in.varint() != kVersion) return std::nullopt;
  std::vector<KnownSeries> group;
  const std::uint64_t n = in.count(13);  // four texts or counts, a number, the hours
  for (std::uint64_t i = 0; i < n && in.ok(); i++) {
    KnownSeries series;
    series.of = get_quantity(in);
    series.last = in.number();
    series.hours = in.text();
    if (!std::isfinite(series.last)) in.fail();
    group.push_back(std::move(series));
  }
  return whole(in, std::move(group));
}

std::string blob_of(std::span<const WaitingHours> waiting) {
  BlobWriter out;
  out.varint(kVersion);
  out.varint(waiting.size());
  for (const WaitingHours& series : waiting) {
    put(out, series.of);
    out.varint(series.hours.size());
    for (const analysis::HourSummary& h : series.hours) {
      out.varint(static_cast<std::uint64_t>(h.hour) << 1 | (h.held ? 1 : 0));
      out.varint(h.points);
      out.number(h.median);
      out.number(h.spread);
    }
  }
  return out.take();
}

std::optional<std::vector<WaitingHours>> waiting_from(std::string_view blob) {
  BlobReader in(blob);
  if (in.varint() != kVersion) return std::nullopt;
  std::vector<WaitingHours> waiting;
  const std::uint64_t n = in.count(5);
  for (std::uint64_t i = 0; i < n && in.ok(); i++) {
    WaitingHours series;
    series.of = get_quantity(in);
    const std::uint64_t hours = in.count(10);
    for (std::uint64_t k = 0; k < hours && in.ok(); k++) series.hours.push_back(get_hour(in));
    waiting.push_back(std::move(series));
  }
  return whole(in, std::move(waiting));
}

}  // namespace nz::baselines
