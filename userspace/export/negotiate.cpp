#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/base/trimmed.h"
#include "userspace/export/exposition.h"

namespace nz::exposition {
namespace {

std::string lower(std::string_view s) {
  std::string result(s);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Takes what stands before the next `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return trimmed(part);
}

// One element of an Accept header: "type/subtype;name=value;q=0.5".
struct Clause {
  std::string type;
  std::string proto, encoding, version;
  double quality = 1;
};

Clause parse_clause(std::string_view text) {
  Clause clause;
  clause.type = lower(take_until(text, ';'));
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    const std::string name = lower(take_until(value, '='));
    value = trimmed(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (name == "q") {
      const auto parsed =
          std::from_chars(value.data(), value.data() + value.size(), clause.quality);
      if (parsed.ec != std::errc{}) clause.quality = 1;  // as if it were absent
    } else if (name == "proto") {
      clause.proto = value;
    } else if (name == "encoding") {
      clause.encoding = value;
    } else if (name == "version") {
      clause.version = value;
    }
  }
  return clause;
}

std::optional<Format> format_of(const Clause& clause) {
  if (clause.type == "application/vnd.google.protobuf" &&
      clause.proto == "io.prometheus.client.MetricFamily" && clause.encoding == "delimited") {
    return Format::protobuf;
  }
  if (clause.type == "text/plain" && (clause.version.empty() || clause.version == "0.0.4")) {
    return Format::text;
  }
  return std::nullopt;
}

}  // namespace

Format negotiate(std::string_view accept_header) {
  Format best = Format::text;
  double best_quality = 0;  // q=0 means "not this one"
  while (!accept_header.empty()) {
    const Clause clause = parse_clause(take_until(accept_header, ','));
    const auto format = format_of(clause);
    if (format && clause.quality > best_quality) {
      best = *format;
      best_quality = clause.quality;
    }
  }
  return best;
}

}  // namespace nz::exposition
