#include "analysis/bottlenecks/lock_holder.h"

#include "analysis/text.h"

namespace nz::analysis {

std::optional<LockHolder> lock_holder(const Context& context, const OrderPath& path,
                                      const std::string& lock, const std::string& database) {
  constexpr const char* kHeld = "nearzero_sqlite_lock_held_seconds";
  Labels labels{{"target", path.target()}, {"lock", lock}};
  if (!database.empty()) labels.emplace_back("database", database);
  const WindowSeries* longest = nullptr;
  for (const WindowSeries* held : context.now.find(kHeld, labels)) {
    if (longest == nullptr || held->value > longest->value) longest = held;
  }
  if (longest == nullptr) return std::nullopt;
  LockHolder holder{label_of(*longest, "comm"), longest->value, {}};
  holder.evidence = evidence(kHeld, longest->labels, "has the " + lock + " lock: " + holder.comm,
                             longest->value, std::nullopt, "seconds");
  return holder;
}

}  // namespace nz::analysis
