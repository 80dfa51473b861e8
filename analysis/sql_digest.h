// The text under which statements that differ in literals alone are one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nz::analysis {

/// Replaces string and number literals by '?' and leaves out comments, with the very code of the
/// kernel's hash (bpf/include/nearzero/sql_normalise.h). White space and case stay.
std::string normalise_sql(std::string_view text);

/// FNV-1a over the normalised text as the kernel computes it for target slot `slot`; never 0.
uint64_t sql_hash(std::string_view text, uint32_t slot);

/// Label value: white space collapsed, cut at a character to at most `limit` bytes and "...".
std::string shorten_sql(std::string_view normalised, size_t limit);

}  // namespace nz::analysis
