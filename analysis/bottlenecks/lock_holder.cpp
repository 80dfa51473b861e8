#include "analysis/bottlenecks/lock_holder.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "analysis/text.h"

namespace nz::analysis {

std::vector<LockHolder> lock_holders(const Context& context, const OrderPath& path,
                                     const std::string& lock, const std::string& database) {
  // Looks see those who hold it for milliseconds, the gauge only who has it at the window's end.
  constexpr const char* kSeen = "nearzero_sqlite_lock_seen_total";
  constexpr const char* kHeld = "nearzero_sqlite_lock_held_seconds";
  constexpr std::size_t kMost = 3;
  Labels labels{{"target", path.target()}, {"lock", lock}};
  if (!database.empty()) labels.emplace_back("database", database);
  std::map<std::string, LockHolder> by_comm;
  for (const WindowSeries* seen : context.now.find(kSeen, labels)) {
    if (seen->change <= 0) continue;
    LockHolder& h = by_comm[label_of(*seen, "comm")];
    h.looks += seen->change;
    h.evidence.push_back(
        evidence(kSeen, seen->labels,
                 "looks in which " + label_of(*seen, "comm") + " had the " + lock + " lock",
                 seen->change, std::nullopt, ""));
  }
  for (const WindowSeries* held : context.now.find(kHeld, labels)) {
    LockHolder& h = by_comm[label_of(*held, "comm")];
    h.seconds = std::max(h.seconds, held->value);
    h.evidence.push_back(evidence(kHeld, held->labels,
                                  "has the " + lock + " lock: " + label_of(*held, "comm"),
                                  held->value, std::nullopt, "seconds"));
  }
  std::vector<LockHolder> holders;
  for (auto& [comm, h] : by_comm) {
    h.comm = comm;
    holders.push_back(std::move(h));
  }
  // Who writes has the lock again and again; who reads pins the WAL as long as he does, and many
  // short reads are seen in more looks than a long one.
  const bool reads = lock == "read";
  std::ranges::stable_sort(holders, [reads](const LockHolder& a, const LockHolder& b) {
    return reads ? std::tie(b.seconds, b.looks) < std::tie(a.seconds, a.looks)
                 : std::tie(b.looks, b.seconds) < std::tie(a.looks, a.seconds);
  });
  if (reads && !holders.empty() && holders.front().seconds > 0)
    std::erase_if(holders, [](const LockHolder& h) { return h.seconds <= 0; });
  if (holders.size() > kMost) holders.resize(kMost);
  return holders;
}

std::string names_of(const std::vector<LockHolder>& holders) {
  std::string text;
  for (std::size_t i = 0; i < holders.size(); i++) {
    text += i == 0 ? "" : i + 1 == holders.size() ? " and " : ", ";
    text += holders[i].comm;
  }
  return text;
}

void add_evidence(std::vector<LockHolder>& holders, Finding& finding) {
  for (LockHolder& h : holders) {
    for (Evidence& e : h.evidence) finding.evidence.push_back(std::move(e));
  }
}

}  // namespace nz::analysis
