// Baselines as bytes for a store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nz::analysis {

class BlobWriter {
 public:
  void varint(std::uint64_t value);  ///< base-128, as in protocol buffers
  void number(double value);         ///< 8 bytes, little-endian
  void number(float value);          ///< 4 bytes
  void half(float value);            ///< 2 bytes: 8 bits of mantissa, 0.4 %
  void text(std::string_view text);
  std::string take() { return std::move(bytes_); }

 private:
  void fixed(std::uint64_t value, int bytes);
  std::string bytes_;
};

/// Reads them back. After anything that is not as written ok() is false and all further reads give
/// zero and nothing; never beyond the end.
class BlobReader {
 public:
  explicit BlobReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t varint();
  double number();
  float single();
  float half();
  std::string text();
  /// A count of things that take at least `least` bytes each: never more than the rest can hold.
  std::uint64_t count(std::size_t least);
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  void fail() { ok_ = false, bytes_ = {}; }

 private:
  std::uint64_t fixed(std::size_t bytes);
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace nz::analysis
