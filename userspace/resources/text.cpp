#include "userspace/resources/text.h"

#include <algorithm>
#include <charconv>

namespace nz::resources {
namespace {

constexpr std::string_view kBlanks = " \t";

}  // namespace

std::optional<std::string_view> Lines::next() {
  const size_t end = rest_.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return line;
}

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string_view Words::next() {
  const size_t begin = rest_.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    rest_ = {};
    return {};
  }
  const size_t end = std::min(rest_.find_first_of(kBlanks, begin), rest_.size());
  const std::string_view word = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end);
  return word;
}

Words& Words::skip(int n) {
  for (int i = 0; i < n; i++) next();
  return *this;
}

std::optional<uint64_t> value_of(std::string_view text, std::string_view key) {
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(*line);
    if (words.next() == key) return words.number();
  }
  return std::nullopt;
}

}  // namespace nz::resources
