#include "analysis/baseline/blob.h"

#include <bit>

namespace nz::analysis {

void BlobWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

void BlobWriter::fixed(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) bytes_ += static_cast<char>((value >> (8 * i)) & 0xff);
}

void BlobWriter::number(double value) { fixed(std::bit_cast<std::uint64_t>(value), 8); }
void BlobWriter::number(float value) { fixed(std::bit_cast<std::uint32_t>(value), 4); }
void BlobWriter::half(float value) { fixed(std::bit_cast<std::uint32_t>(value) >> 16, 2); }

void BlobWriter::text(std::string_view text) {
  varint(text.size());
  bytes_ += text;
}

std::uint64_t BlobReader::fixed(std::size_t bytes) {
  if (bytes_.size() < bytes) {
    fail();
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; i++)
    value |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
  bytes_.remove_prefix(bytes);
  return value;
}

std::uint64_t BlobReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint64_t byte = fixed(1);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail();
  return 0;
}

double BlobReader::number() { return std::bit_cast<double>(fixed(8)); }

float BlobReader::single() { return std::bit_cast<float>(static_cast<std::uint32_t>(fixed(4))); }

float BlobReader::half() {
  return std::bit_cast<float>(static_cast<std::uint32_t>(fixed(2) << 16));
}

std::string BlobReader::text() {
  const std::uint64_t size = count(1);
  std::string text(bytes_.substr(0, size));
  bytes_.remove_prefix(text.size());
  return text;
}

std::uint64_t BlobReader::count(std::size_t least) {
  const std::uint64_t n = varint();
  if (n > bytes_.size() / least) {
    fail();
    return 0;
  }
  return n;
}

}  // namespace nz::analysis
