#include "userspace/sites/frame_table.h"

#include <cstring>

namespace nz::sites {
namespace {

// Encodings of the Linux Standard Base, "DWARF Exception Header Encoding".
constexpr uint8_t kVersion = 1;
constexpr uint8_t kSigned4FromHere = 0x1b;     // DW_EH_PE_pcrel | DW_EH_PE_sdata4
constexpr uint8_t kUnsigned4 = 0x03;           // DW_EH_PE_udata4
constexpr uint8_t kSigned4FromSection = 0x3b;  // DW_EH_PE_datarel | DW_EH_PE_sdata4
constexpr size_t kHeader = 12, kEntry = 8;

template <class T>
T at(const std::vector<uint8_t>& bytes, size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace

std::optional<std::pair<uint64_t, uint64_t>> frame_around(const std::vector<uint8_t>& section,
                                                          uint64_t section_address,
                                                          uint64_t address) {
  if (section.size() < kHeader || section[0] != kVersion || section[1] != kSigned4FromHere ||
      section[2] != kUnsigned4 || section[3] != kSigned4FromSection)
    return std::nullopt;
  const uint64_t count = at<uint32_t>(section, 8);
  if (count > (section.size() - kHeader) / kEntry) return std::nullopt;
  const auto begin_of = [&](uint64_t i) {
    return section_address +
           static_cast<uint64_t>(int64_t{at<int32_t>(section, kHeader + i * kEntry)});
  };
  // The last that begins at or before the address; the table is sorted, which a damaged one need
  // not be: then the answer is wrong, and bounded all the same.
  uint64_t low = 0, high = count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (begin_of(middle) <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || begin_of(low - 1) > address) return std::nullopt;
  const uint64_t end = low < count ? begin_of(low) : address + 1;
  return std::pair{begin_of(low - 1), end > address ? end : address + 1};
}

}  // namespace nz::sites
