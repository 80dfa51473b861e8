#include "userspace/http/compression.h"

#include <strings.h>
#include <zlib.h>

#include <charconv>

#include "userspace/base/trimmed.h"

namespace nz::http {
namespace {

bool is(std::string_view text, std::string_view lower_case_name) {
  return text.size() == lower_case_name.size() &&
         strncasecmp(text.data(), lower_case_name.data(), text.size()) == 0;
}

// Quality of one element, "gzip;q=0.5"; 1 where it has none.
double quality_of(std::string_view params) {
  const auto q = params.find("q=");
  double quality = 1;
  if (q != std::string_view::npos) {
    std::from_chars(params.data() + q + 2, params.data() + params.size(), quality);
  }
  return quality;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named;
  std::optional<bool> any;
  while (!accept_encoding.empty()) {
    const auto comma = accept_encoding.find(',');
    const std::string_view element = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(comma == std::string_view::npos ? accept_encoding.size()
                                                                  : comma + 1);
    const auto semicolon = element.find(';');
    const std::string_view coding = trimmed(element.substr(0, semicolon));
    const bool wanted =
        quality_of(semicolon == std::string_view::npos ? "" : element.substr(semicolon)) > 0;
    if (is(coding, "gzip") || is(coding, "x-gzip")) named = wanted;
    if (coding == "*") any = wanted;
  }
  return named.value_or(any.value_or(false));
}

std::optional<std::string> gzip(std::string_view body) {
  z_stream stream{};
  constexpr int kGzipWrapper = 16;  // added to the window bits, as zlib.h documents
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzipWrapper, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  std::string result(deflateBound(&stream, body.size()), '\0');
  // zlib does not write through next_in, but declares it without const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int outcome = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) return std::nullopt;
  return result;
}

}  // namespace nz::http
