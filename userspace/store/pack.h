// Bytes made smaller by zlib, where that helps.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nz::store {

std::string pack(std::string_view bytes);
/// Nothing where pack() has not written it, or where it would be larger than `most` bytes.
std::optional<std::string> unpack(std::string_view packed,
                                  std::size_t most = std::size_t{64} << 20U);

}  // namespace nz::store
