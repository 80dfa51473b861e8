#include "userspace/config/nearest_key.h"

#include <algorithm>
#include <cctype>

namespace nz::config {

unsigned edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  // Three rows are enough: a swap of neighbours looks two rows back.
  std::vector<unsigned> before, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<unsigned>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<unsigned>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const unsigned replace = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = last;
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest_key(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 64) return {};  // no key is that long, and the distance is quadratic
  std::string best;
  unsigned best_distance = ~0U;
  for (const std::string& key : known) {
    const unsigned distance = edit_distance(word, key);
    const auto bound = static_cast<unsigned>(1 + std::max(word.size(), key.size()) / 3);
    // A word of two letters is one replacement away from half of the alphabet.
    if (distance < best_distance && distance <= bound && distance < key.size()) {
      best = key;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace nz::config
