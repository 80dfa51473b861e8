// The WAL grows: checkpoints do not get through, mostly because a reader holds an old snapshot.
// Every read then searches a longer index, and the disk fills.
#include <utility>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/lock_holder.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_wal_growth(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  constexpr const char* kWal = "nearzero_sqlite_database_bytes";
  for (const WindowSeries* wal :
       context.now.find(kWal, {{"target", path.target()}, {"kind", "wal"}})) {
    const std::string database = label_of(*wal, "database");
    const Labels labels{{"target", path.target()}, {"database", database}, {"kind", "wal"}};
    const auto before = context.before.value(kWal, labels);
    const double reference = before.value_or(wal->least);
    if (wal->value < context.rules.wal_bytes ||
        !grew(wal->value, reference, context.rules.growth)) {
      continue;
    }
    Candidate c = candidate("wal_growth", path, database);
    c.finding.title = "The WAL of " + database + " grows: " + bytes_text(wal->value) +
                      "; checkpoints do not get through";
    c.finding.evidence.push_back(
        evidence(kWal, labels, "size of the WAL", wal->value, before, "bytes"));
    std::string reader = "Find the reader that pins it";
    if (auto holders = lock_holders(context, path, "read", database); !holders.empty()) {
      reader = "It is pinned by a read of " + names_of(holders);
      add_evidence(holders, c.finding);
    }
    c.finding.recommendation =
        reader +
        ": a transaction or a SELECT that stays open (nearzero trace "
        "sqlite shows open time; reset or finalize statements, COMMIT reads). Then PRAGMA "
        "wal_checkpoint(TRUNCATE); PRAGMA journal_size_limit=67108864 keeps the file small.";
    c.always = true;
    c.least_severity = Severity::warning;
    out.push_back(std::move(c));
  }
}

}  // namespace nz::analysis
