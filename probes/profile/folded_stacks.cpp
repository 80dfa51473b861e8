#include "probes/profile/folded_stacks.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace nz::probes::profile {
namespace {

uint64_t hash_of(const std::vector<uint32_t>& functions) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint32_t f : functions) hash = (hash ^ f) * 0x9e3779b97f4a7c15 ^ hash >> 32;
  return hash;
}

// Where a flame graph reads a new frame or line, a name cannot have one: Rust's "[u8; 4]". Names
// come out of files: none may steer a terminal.
std::string as_frame(std::string name) {
  std::replace(name.begin(), name.end(), ';', ',');
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return name;
}

}  // namespace

void FoldedStacks::advance(double now) {
  const bool moved = slices_.advance(now, [this](size_t slot) {
    for (auto& [hash, stack] : stacks_) stack.counts[slot] = 0;
  });
  if (!moved) return;
  std::erase_if(stacks_, [](const auto& entry) {
    const auto& counts = entry.second.counts;
    return std::all_of(counts.begin(), counts.end(), [](uint32_t n) { return n == 0; });
  });
}

void FoldedStacks::add_to(uint64_t hash, const std::vector<uint32_t>& functions, uint32_t samples) {
  const auto [at, fresh] = stacks_.try_emplace(hash);
  if (fresh) at->second = {functions, std::vector<uint32_t>(slices_.count())};
  at->second.counts[slices_.slot()] += samples;
}

bool FoldedStacks::add(double now, const std::vector<uint32_t>& functions, uint32_t samples) {
  advance(now);
  if (functions.empty()) return true;
  const uint64_t hash = hash_of(functions);
  const bool room = stacks_.size() < kStacks || stacks_.contains(hash);
  if (room) {
    add_to(hash, functions, samples);
    return true;
  }
  // Leaves are few: as many as functions that are hot.
  const std::vector<uint32_t> leaf{functions.back()};
  add_to(hash_of(leaf), leaf, samples);
  return false;
}

std::string FoldedStacks::text(const std::function<std::string(uint32_t)>& name) const {
  std::unordered_map<uint32_t, std::string> frames;
  std::map<std::string, uint64_t> lines;  // different stacks may have the same names
  for (const auto& [hash, stack] : stacks_) {
    std::string line;
    for (const uint32_t f : stack.functions) {
      const auto [at, fresh] = frames.try_emplace(f);
      if (fresh) at->second = as_frame(name(f));
      if (!line.empty()) line += ';';
      line += at->second;
    }
    lines[line] += std::accumulate(stack.counts.begin(), stack.counts.end(), uint64_t{0});
  }
  std::vector<std::pair<std::string, uint64_t>> sorted(lines.begin(), lines.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  uint64_t not_shown = 0;
  for (const auto& [line, samples] : sorted) {
    if (text.size() + line.size() < kBytes)
      text += line + " " + std::to_string(samples) + "\n";
    else
      not_shown += samples;
  }
  if (not_shown != 0) text += "[not shown] " + std::to_string(not_shown) + "\n";
  return text;
}

}  // namespace nz::probes::profile
