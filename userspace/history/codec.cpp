#include "userspace/history/codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace nz::history {
namespace {

// Counters are whole numbers, or nanoseconds that became seconds by one division: both come back
// exactly from an integer. The rest is stored as it is.
enum Form : std::uint64_t { kWhole = 0, kNanoseconds = 1, kRaw = 2, kSame = 3 };
constexpr double kExact = 9007199254740992.0;  // 2^53
constexpr std::uint64_t kAbsent = 4;           // beside the form
constexpr unsigned kFormBits = 3;

// The integer that stands for `value` in a form; 0 where none does. Both sides compute it from the
// value before, so that it need not be remembered.
std::int64_t integer_in(Form form, double value) {
  const double scaled = form == kNanoseconds ? value * 1e9 : value;
  return std::abs(scaled) < kExact ? static_cast<std::int64_t>(std::nearbyint(scaled)) : 0;
}
double value_of(Form form, std::int64_t integer) {
  return form == kNanoseconds ? static_cast<double>(integer) / 1e9 : static_cast<double>(integer);
}
bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80U));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

std::uint64_t Bytes::long_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; at_ < bytes_.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

std::uint64_t Bytes::fixed64() {
  std::uint64_t value = 0;
  if (bytes_.size() - at_ >= sizeof(value)) {
    std::memcpy(&value, bytes_.data() + at_, sizeof(value));
  }
  skip(sizeof(value));
  return value;
}

void Extremes::merge(const Extremes& other) {
  if (other.least_plus_one == 0) return;
  least_plus_one =
      least_plus_one == 0 ? other.least_plus_one : std::min(least_plus_one, other.least_plus_one);
  most = std::max(most, other.most);
}

Flat flatten(const analysis::Histogram& histogram, const Extremes& extremes) {
  Flat flat;
  std::copy(histogram.buckets.begin(), histogram.buckets.end(), flat.begin());
  flat[kZeroSlot] = histogram.zero;
  flat[kOverflowSlot] = histogram.overflow;
  flat[kSumSlot] = histogram.sum_ns;
  flat[kLeastSlot] = extremes.least_plus_one;
  flat[kMostSlot] = extremes.most;
  return flat;
}

void put_scalar(std::string& out, double before, double value, bool present) {
  const std::uint64_t absent = present ? 0 : kAbsent;
  if (same_bits(before, value)) return put_varint(out, kSame | absent);
  for (const Form form : {kWhole, kNanoseconds}) {
    const std::int64_t integer = integer_in(form, value);
    if (!same_bits(value_of(form, integer), value)) continue;
    const std::uint64_t delta = zigzag(integer - integer_in(form, before));
    return put_varint(out, delta << kFormBits | absent | form);
  }
  put_varint(out, kRaw | absent);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

double get_scalar(Bytes& in, double before, bool& present) {
  const std::uint64_t head = in.varint();
  present = (head & kAbsent) == 0;
  const auto form = static_cast<Form>(head & 3U);
  if (form == kSame) return before;
  if (form == kRaw) return std::bit_cast<double>(in.fixed64());
  return value_of(form, integer_in(form, before) + unzigzag(head >> kFormBits));
}

void skip_scalar(Bytes& in) {
  if ((in.varint() & 3U) == kRaw) in.skip(sizeof(double));
}

void put_histogram(std::string& out, const Flat& before, const Flat& now, bool present) {
  std::string pairs;
  std::size_t last = 0;
  for (std::size_t slot = 0; slot < kSlots; slot++) {
    if (now[slot] == before[slot]) continue;
    put_varint(pairs, slot - last);
    put_varint(pairs, zigzag(static_cast<std::int64_t>(now[slot] - before[slot])));
    last = slot;
  }
  put_varint(out, pairs.size() << 1U | (present ? 0U : 1U));
  out += pairs;
}

void put_deltas(std::string& out, const Deltas& deltas, bool present) {
  std::string pairs;
  std::size_t last = 0;
  for (const auto& [slot, delta] : deltas) {
    put_varint(pairs, slot - last);
    put_varint(pairs, zigzag(delta));
    last = slot;
  }
  put_varint(out, pairs.size() << 1U | (present ? 0U : 1U));
  out += pairs;
}

void get_histogram(Bytes& in, Deltas& deltas, bool& present) {
  deltas.clear();
  const std::uint64_t head = in.varint();
  present = (head & 1U) == 0;
  const std::size_t end = in.at() + (head >> 1U);
  std::size_t slot = 0;
  while (in.at() < end) {
    const std::size_t before = in.at();
    slot += in.varint();
    const std::int64_t delta = unzigzag(in.varint());
    if (slot >= kSlots || in.at() == before) break;  // not written by put_histogram
    deltas.emplace_back(static_cast<std::uint16_t>(slot), delta);
  }
}

void skip_histogram(Bytes& in) { in.skip(in.varint() >> 1U); }

}  // namespace nz::history
