#include "analysis/breaker.h"

namespace nz::analysis {

std::vector<Breaker::Key> Breaker::observe(const std::map<Key, double>& share, double elapsed) {
  std::vector<Key> now;
  std::map<Key, double> above;
  for (const auto& [key, value] : share) {
    if (value <= limit_ || tripped_.contains(key)) continue;
    const auto before = above_.find(key);
    const double lasted = elapsed + (before == above_.end() ? 0 : before->second);
    above[key] = lasted;
    // A hair of tolerance: drains are a second apart only to within their timer's slack.
    if (lasted >= seconds_ * 0.99) {
      now.push_back(key);
      tripped_[key] = value;
    }
  }
  above_ = std::move(above);
  return now;
}

}  // namespace nz::analysis
