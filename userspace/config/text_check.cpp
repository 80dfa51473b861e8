#include "userspace/config/text_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace nz::config {
namespace {

/// Length of the UTF-8 character at the start of `bytes`, 0 if it is not one (overlong forms,
/// surrogates and code points above U+10FFFF included).
std::size_t utf8_length(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return 0;
  std::uint32_t code = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(bytes[i]);
    if ((next & 0xc0U) != 0x80U) return 0;
    code = (code << 6U) | (next & 0x3fU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return overlong || surrogate || code > 0x10ffff ? 0 : length;
}

}  // namespace

std::optional<TextProblem> check_text(std::string_view bytes) {
  int line = 1;
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = utf8_length(bytes.substr(i));
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    if (length == 0 || control) {
      return TextProblem{line, static_cast<int>(i - line_begin) + 1,
                         fmt::format("not UTF-8 text: byte 0x{:02x}", byte)};
    }
    if (byte == '\n') {
      ++line;
      line_begin = i + 1;
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace nz::config
