#include "userspace/sites/go_symbols.h"

#include <cstring>
#include <optional>

namespace nz::sites {
namespace {

constexpr uint32_t kGo116 = 0xfffffffa;
constexpr uint32_t kGo118 = 0xfffffff0;
constexpr uint32_t kGo120 = 0xfffffff1;

class Table {
 public:
  explicit Table(const std::vector<uint8_t>& bytes) : bytes_(bytes) {}
  template <class T>
  [[nodiscard]] std::optional<T> at(uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }
  [[nodiscard]] std::string text(uint64_t offset) const {
    if (offset >= bytes_.size()) return {};
    const void* end = std::memchr(bytes_.data() + offset, 0, bytes_.size() - offset);
    return end == nullptr ? std::string()
                          : std::string(reinterpret_cast<const char*>(bytes_.data() + offset));
  }
  [[nodiscard]] size_t size() const { return bytes_.size(); }

 private:
  const std::vector<uint8_t>& bytes_;
};

}  // namespace

std::vector<GoFunction> parse_go_functions(const std::vector<uint8_t>& table, uint64_t text) {
  const Table t(table);
  const auto magic = t.at<uint32_t>(0);
  const auto pointer = t.at<uint8_t>(7);
  if (!magic || pointer != 8) return {};
  const bool relative = magic == kGo118 || magic == kGo120;
  if (!relative && magic != kGo116) return {};
  const auto word = [&t](uint64_t index) {
    return t.at<uint64_t>(8 + 8 * index).value_or(UINT64_MAX);
  };
  const uint64_t count = word(0);
  // Since 1.18 the start of the text stands before the offsets.
  const uint64_t first = relative ? 3 : 2;
  const uint64_t names = word(first);
  const uint64_t functions = word(first + 4);
  const uint64_t base = relative ? (word(2) != 0 ? word(2) : text) : 0;
  const uint64_t entry_size = relative ? 4 : 8;
  const auto field = [&](uint64_t offset) -> std::optional<uint64_t> {
    if (!relative) return t.at<uint64_t>(offset);
    const auto value = t.at<uint32_t>(offset);
    return value ? std::optional<uint64_t>(*value) : std::nullopt;
  };
  if (names >= t.size() || functions >= t.size() ||
      count > (t.size() - functions) / (2 * entry_size))
    return {};

  std::vector<GoFunction> found;
  found.reserve(count);
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t at = functions + 2 * entry_size * i;
    const auto begin = field(at);
    const auto info = field(at + entry_size);
    const auto end = field(at + 2 * entry_size);  // the next one, or the sentinel
    if (!begin || !info || !end || *end < *begin) return {};
    const auto name = t.at<int32_t>(functions + *info + entry_size);
    if (!name || *name < 0) return {};
    GoFunction function{t.text(names + static_cast<uint64_t>(*name)), base + *begin, *end - *begin};
    if (!function.name.empty()) found.push_back(std::move(function));
  }
  return found;
}

}  // namespace nz::sites
