// What counters and histograms had counted that are no longer there: by it one that is back is told
// from one that began anew.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace nz::history {

class Forgotten {
 public:
  /// `key`: that of key_of(). Beyond a bound another one goes for it.
  void put(const std::string& key, double counted) {
    if (counted_.size() >= kMost) counted_.erase(counted_.begin());
    counted_[std::hash<std::string>()(key)] = counted;
  }
  /// What it had counted, once; nothing: it was not forgotten, or too long ago.
  std::optional<double> take(const std::string& key) {
    const auto known = counted_.find(std::hash<std::string>()(key));
    if (known == counted_.end()) return std::nullopt;
    const double counted = known->second;
    counted_.erase(known);
    return counted;
  }
  [[nodiscard]] std::size_t bytes() const { return counted_.size() * kBytesOfOne; }

 private:
  static constexpr std::size_t kMost = 100'000;
  static constexpr std::size_t kBytesOfOne = 40;  // a node as it is allocated, and its bucket

  std::unordered_map<std::size_t, double> counted_;  // by a hash of the key
};

}  // namespace nz::history
