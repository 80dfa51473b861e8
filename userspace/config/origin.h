// Origins of web pages (RFC 6454), as http.cors_origins names them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nz::config {

/// Why a browser never sends this text as an origin, and what to write instead.
struct OriginMistake {
  std::string what;    ///< "has a path"
  std::string remedy;  ///< "write 'https://desk.example'"
};

/// Nothing where it is as browsers send it (RFC 6454, 6.2): scheme and host in lower case, the port
/// unless it is the scheme's own, and nothing behind.
std::optional<OriginMistake> mistake_in_origin(std::string_view text);

}  // namespace nz::config
