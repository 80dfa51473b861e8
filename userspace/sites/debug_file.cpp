#include "userspace/sites/debug_file.h"

#include <fcntl.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "userspace/base/fd.h"

namespace nz::sites {

DebugLink parse_debug_link(const std::vector<uint8_t>& section) {
  const auto end = std::find(section.begin(), section.end(), uint8_t{0});
  const size_t length = static_cast<size_t>(end - section.begin());
  const size_t crc_at = (length + 1 + 3) & ~size_t{3};
  if (end == section.end() || length == 0 || crc_at + 4 > section.size()) return {};
  DebugLink link;
  link.name.assign(section.begin(), end);
  // A name is a plain file name; anything else could point out of the debug directories.
  if (link.name.find('/') != std::string::npos) return {};
  std::memcpy(&link.crc, section.data() + crc_at, 4);
  return link;
}

std::string build_id_path(const std::string& directory, const std::string& build_id) {
  if (build_id.size() < 4) return {};
  return directory + "/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug";
}

std::vector<std::string> debug_link_paths(const std::string& directory, const std::string& binary,
                                          const std::string& name) {
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::canonical(binary, ignored);
  if (real.empty()) return {};
  const std::string folder = real.parent_path().string();
  return {folder + "/" + name, folder + "/.debug/" + name, directory + folder + "/" + name};
}

bool file_has_crc(const std::string& path, uint32_t crc) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return false;
  std::vector<uint8_t> buffer(1 << 16);
  uLong sum = crc32(0, nullptr, 0);
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) return false;
    if (got == 0) return static_cast<uint32_t>(sum) == crc;
    sum = crc32(sum, buffer.data(), static_cast<uInt>(got));
  }
}

std::vector<uint8_t> unpack_xz(const std::vector<uint8_t>& packed) {
  constexpr uint64_t kMemory = 128ULL << 20;  // of the decoder
  constexpr size_t kLargest = 256ULL << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMemory, 0) != LZMA_OK) return {};
  std::vector<uint8_t> out;
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  lzma_ret result = LZMA_OK;
  while (result == LZMA_OK && out.size() < kLargest) {
    const size_t had = out.size();
    out.resize(had == 0 ? std::max<size_t>(packed.size() * 4, 4096) : had * 2);
    stream.next_out = out.data() + had;
    stream.avail_out = out.size() - had;
    result = lzma_code(&stream, LZMA_FINISH);
    out.resize(out.size() - stream.avail_out);
    if (result == LZMA_OK && stream.avail_out != 0) break;  // wants more input than there is
  }
  lzma_end(&stream);
  if (result != LZMA_STREAM_END) out.clear();
  return out;
}

}  // namespace nz::sites
