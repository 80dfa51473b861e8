// Where distributions put the symbols that they strip from a binary.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nz::sites {

/// A .gnu_debuglink: name of the separate debug file and the CRC-32 of its whole content.
struct DebugLink {
  std::string name;
  uint32_t crc = 0;
};

/// Parses the bytes of a .gnu_debuglink section: NUL-terminated name, padding to 4, CRC-32.
/// An empty name when the section is malformed.
DebugLink parse_debug_link(const std::vector<uint8_t>& section);

/// <directory>/.build-id/ab/cdef.debug, or empty when the build id is too short.
std::string build_id_path(const std::string& directory, const std::string& build_id);

/// Places where a debug link may be, in gdb's order: beside the binary, in .debug, below
/// `directory`.
std::vector<std::string> debug_link_paths(const std::string& directory, const std::string& binary,
                                          const std::string& name);

/// Whether the CRC-32 of the file's content is `crc`.
bool file_has_crc(const std::string& path, uint32_t crc);

/// The content of an .xz stream, as a .gnu_debugdata section is; empty when it is damaged or larger
/// than 256 MB unpacked.
std::vector<uint8_t> unpack_xz(const std::vector<uint8_t>& packed);

}  // namespace nz::sites
