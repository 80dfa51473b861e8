#include "userspace/store/pack.h"

#include <zlib.h>

#include <cstdint>

#include "userspace/history/codec.h"

namespace nz::store {
namespace {

// Beside the size: whether what follows is deflated.
constexpr std::uint64_t kDeflated = 1;
constexpr std::size_t kNotWorthIt = 64;  // bytes

const Bytef* input(std::string_view bytes) { return reinterpret_cast<const Bytef*>(bytes.data()); }
Bytef* output(std::string& bytes, std::size_t at = 0) {
  return reinterpret_cast<Bytef*>(bytes.data() + at);
}

}  // namespace

std::string pack(std::string_view bytes) {
  std::string packed;
  if (bytes.size() >= kNotWorthIt) {
    history::put_varint(packed, bytes.size() << 1U | kDeflated);
    const std::size_t head = packed.size();
    uLongf length = compressBound(bytes.size());
    packed.resize(head + length);
    const int code =
        compress2(output(packed, head), &length, input(bytes), bytes.size(), Z_DEFAULT_COMPRESSION);
    packed.resize(head + length);
    if (code == Z_OK && length < bytes.size()) return packed;
    packed.clear();
  }
  history::put_varint(packed, bytes.size() << 1U);
  packed += bytes;
  return packed;
}

std::optional<std::string> unpack(std::string_view packed, std::size_t most) {
  history::Bytes in(packed);
  const std::uint64_t head = in.varint();
  const std::uint64_t size = head >> 1U;
  if (size > most) return std::nullopt;
  const std::string_view rest = packed.substr(in.at());
  if ((head & kDeflated) == 0) {
    if (rest.size() != size) return std::nullopt;
    return std::string(rest);
  }
  std::string bytes(size, '\0');
  uLongf length = size;
  if (uncompress(output(bytes), &length, input(rest), rest.size()) != Z_OK || length != size)
    return std::nullopt;
  return bytes;
}

}  // namespace nz::store
