#include "userspace/base/file_uri.h"

#include <cctype>

namespace nz {

std::string file_uri(std::string_view path, std::string_view options) {
  constexpr std::string_view kPlain = "/._-";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      uri += '%';
      uri += kHex[byte >> 4U];
      uri += kHex[byte & 15U];
    }
  }
  return uri.append(options);
}

}  // namespace nz
