// Metric families as Prometheus reads them. Two formats: the text format (classic buckets, every
// scraper reads it) and the delimited protobuf format (classic buckets and native histograms).
//
//   const auto format = exposition::negotiate(request.header("Accept"));
//   return {.content_type = exposition::content_type(format),
//           .body = exposition::render(families, format)};
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/metrics/family.h"

namespace nz::exposition {

enum class Format {
  text,      ///< text/plain; version=0.0.4
  protobuf,  ///< application/vnd.google.protobuf, io.prometheus.client.MetricFamily, delimited
};

/// The format that an HTTP Accept header asks for: of those we have, the one with the highest
/// quality value, the first named where two are equal; text if it names none of them. This is what
/// Prometheus' own library does (expfmt.Negotiate), so `*/*` also means text.
Format negotiate(std::string_view accept_header);

/// Value for the Content-Type header.
std::string_view content_type(Format format);

/// The body of an answer to a scrape. Families without samples, and histogram samples without a
/// histogram, are left out. Label values and help texts may hold any bytes (see utf8.h).
std::string render(const std::vector<metrics::Family>& families, Format format);

/// render() for each format.
std::string render_text(const std::vector<metrics::Family>& families);
std::string render_protobuf(const std::vector<metrics::Family>& families);

}  // namespace nz::exposition
