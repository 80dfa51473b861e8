// A statement or a transaction stays open for seconds while little of that is SQLite's work: it
// holds a snapshot, so that the WAL cannot be checkpointed, or a lock, so that others wait.
#include <algorithm>
#include <map>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

void add(const Context& context, const OrderPath& path, bool writes, Candidate c,
         std::vector<Candidate>& out) {
  c.finding.recommendation =
      "Read all rows at once and sqlite3_reset() the statement before the work on them, or page "
      "through with LIMIT and a key; keep no transaction open over a network call. Meanwhile the "
      "WAL cannot be checkpointed beyond its snapshot.";
  c.always = true;
  c.explains.push_back({"wal_growth", 1});
  const bool writers_wait = writes && sqlite_wait(context, path, "busy").excess() > 0;
  if (writers_wait) c.explains.push_back({"sqlite_writer_contention", 1});
  c.symptoms = {writers_wait};
  out.push_back(std::move(c));
}

void find_statements(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
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
    add(context, path, !label_of(*open, "statement").starts_with("SEL"), std::move(c), out);
  }
}

double longest_of(const WindowIndex& window, const char* family, const Labels& labels) {
  double longest = 0;
  for (const WindowSeries* s : window.find(family, labels)) longest = std::max(longest, s->most);
  return longest;
}

// What lasts longer than SQLite is observed at a time has no duration (ADR 7); its lock is seen.
// One finding a database, of the lock that is held longest: both may be, by threads of one service.
void find_locks(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  constexpr const char* kOpen = "nearzero_sqlite_transaction_seconds";
  const double limit = context.rules.long_statement_seconds;
  std::map<std::string, const WindowSeries*> longest;
  for (const WindowSeries* open : context.now.find(kOpen, {{"target", path.target()}})) {
    if (open->most < limit || longest_of(context.before, kOpen, open->labels) >= limit) continue;
    const WindowSeries*& known = longest[label_of(*open, "database")];
    if (known == nullptr || open->most > known->most) known = open;
  }
  for (const auto& [database, open] : longest) {
    const bool writes = label_of(*open, "lock") != "read";
    Candidate c = candidate("long_transaction", path, database);
    c.finding.title = "A transaction on " + database + " stays open for " +
                      seconds_text(open->most) +
                      (writes ? " and holds the write lock" : " and pins the WAL");
    const double before = longest_of(context.before, kOpen, open->labels);
    c.finding.evidence.push_back(evidence(
        kOpen, open->labels, "longest seen", open->most,
        context.has_reference() ? std::optional<double>(before) : std::nullopt, "seconds"));
    add(context, path, writes, std::move(c), out);
  }
}

}  // namespace

void find_long_transaction(const Context& context, const OrderPath& path,
                           std::vector<Candidate>& out) {
  const std::size_t others = out.size();
  find_statements(context, path, out);
  if (out.size() == others) find_locks(context, path, out);
}

}  // namespace nz::analysis
