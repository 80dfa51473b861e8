#include "userspace/base/plain_text.h"

namespace nz {

std::string plain_text(std::string_view text, std::size_t most) {
  constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
  std::string out(text);
  if (out.size() > most) {
    std::size_t end = most > kEllipsis.size() ? most - kEllipsis.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) end--;
    out.resize(end);
    out += kEllipsis;
  }
  std::string plain;
  for (std::size_t i = 0; i < out.size(); i++) {
    const auto byte = [&out](std::size_t at) {
      return at < out.size() ? static_cast<unsigned char>(out[at]) : 0U;
    };
    // U+0080 to U+009F are control characters, too: U+009B begins what ESC [ does.
    const bool c1 = byte(i) == 0xc2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9f;
    plain += c1 || byte(i) < 0x20 || byte(i) == 0x7f ? '?' : out[i];
    if (c1) i++;
  }
  return plain;
}

}  // namespace nz
