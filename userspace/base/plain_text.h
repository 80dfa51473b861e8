// Text of others for a line of the log or a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nz {

/// `text` of at most `most` bytes, no character cut in two, and '?' for control characters.
std::string plain_text(std::string_view text, std::size_t most);

}  // namespace nz
