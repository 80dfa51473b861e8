#include "userspace/export/utf8.h"

#include <algorithm>
#include <cstddef>

namespace nz::exposition {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Length of the valid character at the start of `text`, or 0. Table 3-7 of the Unicode standard:
// the second byte's range is narrower after E0, ED, F0 and F4.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(byte(i))) return 0;
  }
  return length;
}

std::string valid_name(std::string_view name, bool colon) {
  std::string result(name.empty() ? "_" : name);
  const auto legal = [colon](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colon && c == ':');
  };
  for (char& c : result) {
    if (!legal(static_cast<unsigned char>(c))) c = '_';
  }
  if (result.front() >= '0' && result.front() <= '9') result.insert(result.begin(), '_');
  return result;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  const auto plain = [](unsigned char c) { return c != 0 && c < 0x80; };
  if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      result += kReplacement;
      text.remove_prefix(1);
    } else {
      result += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return result;
}

std::string valid_metric_name(std::string_view name) { return valid_name(name, true); }

std::string valid_label_name(std::string_view name) { return valid_name(name, false); }

}  // namespace nz::exposition
