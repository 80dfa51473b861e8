#include "userspace/config/scalar.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nz::config {
namespace {

template <class T, class... Base>
std::optional<T> whole(std::string_view text, Base... base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base...);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

nlohmann::json resolve_plain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;

  std::string_view digits = text;
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    const int base = digits[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
    if (digits.starts_with('-')) return text;
    if (const auto value = whole<std::int64_t>(digits, base)) return *value;
    return text;
  }
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (digits.starts_with('-')) return text;
  }
  if (const auto value = whole<std::int64_t>(digits, 10)) return *value;
  // from_chars also knows "inf" and "nan", which YAML writes differently and nothing here accepts.
  const auto value = whole<double>(digits);
  if (value && std::isfinite(*value) &&
      digits.find_first_of("0123456789") != std::string_view::npos) {
    return *value;
  }
  return text;
}

}  // namespace nz::config
