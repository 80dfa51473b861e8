// SQLite takes options only with a URI, in which a path may not stand as it is.
#pragma once

#include <string>
#include <string_view>

namespace nz {

/// "file:" and the path, percent-encoded (RFC 3986), and `options` as they are: "?mode=ro".
std::string file_uri(std::string_view path, std::string_view options);

}  // namespace nz
