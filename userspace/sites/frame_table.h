// Where functions begin, from the table that unwinders search (.eh_frame_hdr): stripping a file
// leaves it there, so that samples of a stripped file still fall into functions.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace nz::sites {

/// [begin, end) of the function with code at `address`; `end` is where the next one begins.
/// `section`: bytes of .eh_frame_hdr, `section_address`: where it is loaded. Nothing where the
/// table is missing, damaged, or in an encoding that no linker writes today, and before the first
/// function.
std::optional<std::pair<uint64_t, uint64_t>> frame_around(const std::vector<uint8_t>& section,
                                                          uint64_t section_address,
                                                          uint64_t address);

}  // namespace nz::sites
