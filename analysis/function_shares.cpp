#include "analysis/function_shares.h"

#include <algorithm>

namespace nz::analysis {

void FunctionShares::advance(double now) {
  const bool moved = slices_.advance(now, [this](size_t slot) {
    for (auto& [function, counts] : counts_) counts[slot] = 0;
  });
  if (!moved) return;
  std::erase_if(counts_, [](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [](uint32_t n) { return n == 0; });
  });
}

void FunctionShares::add(double now, uint32_t function, uint64_t samples) {
  advance(now);
  if (counts_.size() >= options_.functions && !counts_.contains(function)) function = kOther;
  auto& counts = counts_[function];
  counts.resize(slices_.count());
  counts[slices_.slot()] += static_cast<uint32_t>(samples);
}

FunctionShares::Sums FunctionShares::sums(const std::vector<uint32_t>& counts) const {
  Sums sum;
  for (size_t ago = 0; ago < slices_.count(); ago++)
    (ago < options_.window ? sum.window : sum.reference) += counts[slices_.slot(ago)];
  return sum;
}

uint64_t FunctionShares::samples() const {
  uint64_t all = 0;
  for (const auto& [function, counts] : counts_) all += sums(counts).window;
  return all;
}

std::vector<FunctionShares::Share> FunctionShares::hottest(size_t most) const {
  Sums all;
  std::vector<std::pair<uint32_t, Sums>> rows;
  for (const auto& [function, counts] : counts_) {
    const Sums sum = sums(counts);
    all.window += sum.window;
    all.reference += sum.reference;
    if (sum.window != 0) rows.emplace_back(function, sum);
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second.window != b.second.window ? a.second.window > b.second.window
                                              : a.first < b.first;
  });
  if (rows.size() > most) rows.resize(most);
  const bool comparable = all.window >= options_.least && all.reference >= options_.least;
  std::vector<Share> result;
  for (const auto& [function, sum] : rows) {
    Share s{function, sum.window, static_cast<double>(sum.window) / static_cast<double>(all.window),
            std::nullopt};
    if (comparable)
      s.before = static_cast<double>(sum.reference) / static_cast<double>(all.reference);
    result.push_back(s);
  }
  return result;
}

}  // namespace nz::analysis
