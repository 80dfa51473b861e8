// A statement stays open for seconds while little of that is SQLite's work: it holds a snapshot, so
// that the WAL cannot be checkpointed, or a lock, so that others wait.
#include <algorithm>
#include <map>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_long_transaction(const Context& context, const OrderPath& path,
                           std::vector<Candidate>& out) {
  constexpr const char* kOpen = "nearzero_sqlite_statement_open_seconds";
  constexpr const char* kInside = "nearzero_sqlite_statement_duration_seconds";
  const double limit = context.rules.long_statement_seconds;
  for (const WindowSeries* open : context.now.find(kOpen, {{"target", path.target()}})) {
    if (!open->histogram || open->histogram->count() == 0) continue;
    const std::string digest = label_of(*open, "digest");
    const Labels labels{{"target", path.target()}, {"digest", digest}};
    const double longest = open->histogram->quantile(1);
    if (longest < limit) continue;
    const Histogram inside = context.now.histogram(kInside, labels);
    // Open because it works: that is slow_statement's.
    if (inside.count() > 0 && inside.quantile(1) > 0.5 * longest) continue;
    const Histogram before = context.before.histogram(kOpen, labels);
    // Always been so: then it is how the service works.
    if (before.count() > 0 && before.quantile(1) >= limit) continue;
    const SyncTime busy = sqlite_wait(context, path, "busy");
    Candidate c = candidate("long_transaction", path, "statement " + digest);
    c.finding.title =
        "A statement stays open for " + seconds_text(longest) + ": " + label_of(*open, "statement");
    c.finding.evidence.push_back(evidence(
        kOpen, labels, "longest time open", longest,
        before.count() > 0 ? std::optional<double>(before.quantile(1)) : std::nullopt, "seconds"));
    if (inside.count() > 0) {
      c.finding.evidence.push_back(evidence(kInside, labels, "of which inside SQLite",
                                            inside.quantile(1), std::nullopt, "seconds"));
    }
    c.finding.recommendation =
        "Read all rows at once and sqlite3_reset() the statement before the work on them, or page "
        "through with LIMIT and a key; keep no transaction open over a network call. Meanwhile the "
        "WAL cannot be checkpointed beyond its snapshot.";
    c.always = true;
    c.explains.push_back({"wal_growth", 1});
    const bool writers_wait = busy.excess() > 0 && !label_of(*open, "statement").starts_with("SEL");
    if (writers_wait) c.explains.push_back({"sqlite_writer_contention", 1});
    c.symptoms = {writers_wait};
    out.push_back(std::move(c));
  }
}

}  // namespace nz::analysis
