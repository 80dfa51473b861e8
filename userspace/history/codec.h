// How one value is written after the one before it. Most values do not change between two points,
// and those that do change little: a byte for the first, two or three for the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/histogram.h"

namespace nz::history {

/// Base-128, least significant group first, as in protocol buffers.
void put_varint(std::string& out, std::uint64_t value);

/// Numbers of either sign as small ones where they are near 0: 0, -1, 1, -2, ...
constexpr std::uint64_t zigzag(std::int64_t n) {
  return (static_cast<std::uint64_t>(n) << 1U) ^ static_cast<std::uint64_t>(n >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t n) {
  return static_cast<std::int64_t>(n >> 1U) ^ -static_cast<std::int64_t>(n & 1U);
}

/// Reads what the functions here have written. Never beyond the end: it gives zeros there.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t varint() {
    if (at_ < bytes_.size() && static_cast<unsigned char>(bytes_[at_]) < 0x80)
      return static_cast<unsigned char>(bytes_[at_++]);
    return long_varint();
  }
  std::uint64_t fixed64();
  void skip(std::size_t n) { at_ = n > bytes_.size() - at_ ? bytes_.size() : at_ + n; }
  /// The next `n` bytes, or those that are left.
  std::string_view take(std::size_t n) {
    const std::size_t from = at_;
    skip(n);
    return bytes_.substr(from, at_ - from);
  }
  [[nodiscard]] bool ended() const { return at_ == bytes_.size(); }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::uint64_t long_varint();

  std::string_view bytes_;
  std::size_t at_ = 0;
};

/// A histogram as one row of numbers: buckets, zero, overflow, sum, and the extremes of the values
/// since the point before (0: there are none; the smallest is stored plus one).
inline constexpr std::size_t kZeroSlot = NZ_BUCKETS, kOverflowSlot = NZ_BUCKETS + 1,
                             kSumSlot = NZ_BUCKETS + 2, kLeastSlot = NZ_BUCKETS + 3,
                             kMostSlot = NZ_BUCKETS + 4, kSlots = NZ_BUCKETS + 5;
using Flat = std::array<std::uint64_t, kSlots>;

/// Largest and smallest of some values in nanoseconds; `least_plus_one` 0: there are none.
struct Extremes {
  std::uint64_t least_plus_one = 0, most = 0;
  void merge(const Extremes& other);
};

Flat flatten(const analysis::Histogram& histogram, const Extremes& extremes);

/// A number after `before`; `present` false: the series was not there, `value` is its last.
/// Lossless for every double, NaN with its bits too.
void put_scalar(std::string& out, double before, double value, bool present);
double get_scalar(Bytes& in, double before, bool& present);
void skip_scalar(Bytes& in);

void put_histogram(std::string& out, const Flat& before, const Flat& now, bool present);
/// Slots that change and by how much, in modular arithmetic.
using Deltas = std::vector<std::pair<std::uint16_t, std::int64_t>>;
/// As put_histogram(), where the slots that change are known: ascending, none twice.
void put_deltas(std::string& out, const Deltas& deltas, bool present);
void get_histogram(Bytes& in, Deltas& deltas, bool& present);
void skip_histogram(Bytes& in);

}  // namespace nz::history
