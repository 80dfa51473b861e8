#include "userspace/config/problems.h"

#include <algorithm>
#include <tuple>

#include "userspace/config/pointer.h"

namespace nz::config {

void Problems::add(Problem problem) {
  // An anchored value is visited once for each alias; a file of thousands of mistakes must not cost
  // quadratic time, so only what can still be shown is compared.
  const auto same = [&](const Problem& other) {
    return other.what == problem.what && other.place.text == problem.place.text;
  };
  const auto end =
      list_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(list_.size(), 64));
  if (std::any_of(list_.begin(), end, same)) return;
  list_.push_back(std::move(problem));
}

bool Problems::concern(const std::string& pointer) const {
  return std::any_of(list_.begin(), list_.end(),
                     [&](const Problem& p) { return related(p.pointer, pointer); });
}

Error Problems::error() const {
  std::vector<Problem> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  if (sorted.size() == 1) {
    return {sorted[0].place.text + ": " + sorted[0].what, sorted[0].remedy, 0};
  }
  const std::size_t shown = sorted.size() > kMostLines ? kMostLines - 1 : sorted.size();
  Error error;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) error.what += '\n';
    error.what += Error{sorted[i].place.text + ": " + sorted[i].what, sorted[i].remedy}.text();
  }
  if (shown < sorted.size()) {
    error.what += "\n... and " + std::to_string(sorted.size() - shown) + " more problems";
  }
  return error;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 60;
  static constexpr char kHex[] = "0123456789abcdef";
  const bool cut = text.size() > kMost;
  if (cut) {
    text = text.substr(0, kMost);
    // Not in the middle of a UTF-8 character: drop its lead and continuation bytes.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) {
      text.remove_suffix(1);
    }
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0U) text.remove_suffix(1);
  }
  std::string out = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + (cut ? "...'" : "'");
}

}  // namespace nz::config
