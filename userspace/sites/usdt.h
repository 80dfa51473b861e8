// Statically defined probes (USDT, SystemTap's sys/sdt.h): a NOP in the code and a note that tells
// where it stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::sites {

struct UsdtProbe {
  std::string provider, name;
  uint64_t address = 0;           ///< virtual address in the file's own numbering
  uint64_t offset = 0;            ///< in the file: what a uprobe is attached to
  uint64_t semaphore_offset = 0;  ///< in the file; 0: none. Counts who listens; code may test it
  std::string arguments;          ///< as in the note: "-4@%edi 8@-8(%rbp)"
};

/// The probes of a file, in its order; one name may stand at several places. Empty when it has
/// none. Errors: not an ELF file that can be probed.
/// Format: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
Result<std::vector<UsdtProbe>> usdt_probes(const std::string& path);

/// The same from the bytes of one .note.stapsdt section. `base` is the address of .stapsdt.base, 0
/// when there is none. Damaged notes end the list. Offsets in the file are not yet known.
std::vector<UsdtProbe> parse_usdt_notes(const std::vector<uint8_t>& section, uint64_t base,
                                        std::vector<uint64_t>& semaphores);

}  // namespace nz::sites
