#include "probes/sqlite/lock_looks.h"

namespace nz::probes {
namespace {

metrics::Labels folded(metrics::Labels labels) {
  for (auto& [name, value] : labels)
    if (name == "database" || name == "comm") value = "other";
  return labels;
}

}  // namespace

void LockLooks::add(const std::set<metrics::Labels>& held, Clock::time_point now) {
  std::erase_if(seen_, [now](const auto& entry) { return now - entry.second.last >= kForgotten; });
  std::set<metrics::Labels> others;  // several of one look are seen once in it
  for (const metrics::Labels& labels : held) {
    auto at = seen_.find(labels);
    if (at == seen_.end()) {
      if (seen_.size() >= kSeries) {
        others.insert(folded(labels));
        continue;
      }
      at = seen_.emplace(labels, Seen{}).first;
    }
    at->second.looks++;
    at->second.last = now;
  }
  for (const metrics::Labels& labels : others) {
    Seen& seen = seen_[labels];
    seen.looks++;
    seen.last = now;
  }
}

std::vector<metrics::Sample> LockLooks::samples() const {
  std::vector<metrics::Sample> all;
  all.reserve(seen_.size());
  for (const auto& [labels, seen] : seen_)
    all.push_back({labels, static_cast<double>(seen.looks), nullptr});
  return all;
}

}  // namespace nz::probes
