// A statement computes longer inside SQLite than it did, or runs more often: a missing index first
// of all. Waits inside it (locks, syncs, CPUs) are other rules' business: it claims running time.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/statements.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kInside = "nearzero_sqlite_statement_duration_seconds";
constexpr std::size_t kMost = 3;

const SlowStatement* example_of(const Context& context, const OrderPath& path,
                                const Statement& st) {
  const SlowStatement* best = nullptr;
  for (const SlowStatement& s : context.details.slow_statements) {
    if (s.target != path.target() || s.digest != st.digest) continue;
    if (best == nullptr || (best->advice.empty() && !s.advice.empty())) best = &s;
  }
  return best;
}

// How much longer everything else computes per order: a neighbour on the hyper-thread or a cold
// cache slows statements like all code, and that is not the statement's doing.
double slower_anyway(const OrderPath& path, const Statement& st) {
  if (!path.from_stages()) return 1;
  const double now = path.now().parts[Component::running] - st.now;
  const double before = path.before().parts[Component::running] - st.before;
  if (before < 0.05 * path.before().parts[Component::running]) return 1;
  return std::max(1.0, now / before);
}

// What statements take longer per order, and what of it may be waits.
struct Longer {
  double reads = 0, waits = 0;
};

Longer longer_inside(const Context& context, const OrderPath& path,
                     const std::vector<Statement>& all) {
  Longer longer;
  for (const Statement& st : all) {
    if (st.reads()) longer.reads += st.excess();
  }
  for (const char* kind : {"busy", "sync", "checkpoint"})
    longer.waits += sqlite_wait(context, path, kind).excess();
  return longer;
}

// A writer also waits inside SQLite, for the lock and the disk, which its duration contains. Where
// waits may be most of what it takes longer, it computes what reads leave of the time on a CPU.
double computes_longer(const OrderPath& path, const Statement& st, const Longer& longer) {
  if (!path.comparable()) return std::min(st.excess(), path.now().parts[Component::running]);
  const double running = path.excess(Component::running);
  const bool may_wait = !st.reads() && longer.waits > 0.5 * st.excess();
  return std::min(st.excess(), may_wait ? std::max(0.0, running - longer.reads) : running);
}

bool reads_more_often(const Context& context, const Statement& st) {
  return st.times_before > 0 && !grew(st.mean_now, st.mean_before, context.rules.growth);
}

std::string advice(const SlowStatement* example, const Statement& st, bool more_often) {
  if (example != nullptr && !example->advice.empty()) {
    std::string text;
    for (const std::string& line : example->advice) text += (text.empty() ? "" : " ") + line;
    return text;
  }
  if (more_often) {
    return "It runs more often per order than before: read once and keep the result (cache, join, "
           "IN (...)) in place of a query in a loop. Look at what was deployed last.";
  }
  const std::string database = example != nullptr && !example->database.empty()
                                   ? example->database
                                   : std::string("DATABASE");
  return "See its plan: sqlite3 -readonly " + database + " 'EXPLAIN QUERY PLAN " + st.text +
         "'. SCAN of a table means no index serves the WHERE: CREATE INDEX ON that table over the "
         "columns compared with ? (equality first, then the range or ORDER BY). Check that no "
         "index was dropped, and run ANALYZE after large changes.";
}

}  // namespace

void find_slow_statement(const Context& context, const OrderPath& path,
                         std::vector<Candidate>& out) {
  if (!path.usable()) return;
  const Rules& rules = context.rules;
  std::size_t told = 0;
  const std::vector<Statement> all = statements(context, path);
  const Longer longer = longer_inside(context, path, all);
  for (const Statement& st : all) {
    if (told == kMost) return;
    if (st.count < rules.least_statements) continue;
    const SlowStatement* example = example_of(context, path, st);
    const bool advised = example != nullptr && !example->advice.empty();
    const bool slower = grew(st.mean_now, st.mean_before, rules.growth * slower_anyway(path, st));
    const bool oftener =
        grew(st.times_now, st.times_before, rules.growth) && reads_more_often(context, st);
    const double computes = computes_longer(path, st, longer);
    // Alone it must be the computing that is long: a write of a quiet service takes a millisecond
    // from one sync and a cold cache, and no plan would make that shorter.
    const double computes_each = st.times_now > 0 ? computes / st.times_now : 0;
    Candidate c = candidate("slow_statement", path, "statement " + st.digest);
    if (path.comparable() && (slower || oftener) && noticeable(context, path, computes)) {
      c.claims.push_back({Component::running, computes});
    } else if (!path.comparable() && computes_each >= rules.dominant_statement_seconds &&
               path.share(computes) >=
                   (advised ? rules.advised_statement : rules.dominant_statement)) {
      c.claims.push_back({Component::running, computes});
    } else if (advised && st.mean_now >= rules.dominant_statement_seconds &&
               path.share(std::min(st.now, path.now().parts[Component::running])) >=
                   rules.advised_statement) {
      c.standing = std::min(st.now, path.now().parts[Component::running]);
    } else {
      continue;
    }
    told++;
    const bool known = path.comparable();
    const bool more_often = oftener && !slower;
    const Labels labels{{"target", path.target()}, {"digest", st.digest}};
    c.finding.title = std::string(more_often ? "A statement runs more often per order: "
                                             : "A statement takes long inside SQLite: ") +
                      st.text;
    c.finding.evidence.push_back(
        evidence(kInside, labels, "mean of one", st.mean_now,
                 known && st.mean_before > 0 ? std::optional<double>(st.mean_before) : std::nullopt,
                 "seconds"));
    c.finding.evidence.push_back(evidence(kInside, labels, "inside SQLite per order", st.now,
                                          known ? std::optional<double>(st.before) : std::nullopt,
                                          "seconds"));
    c.finding.evidence.push_back(
        evidence("nearzero_sqlite_statements_total", labels, "statements per order", st.times_now,
                 known ? std::optional<double>(st.times_before) : std::nullopt, ""));
    if (st.rows > 0) {
      c.finding.evidence.push_back(evidence("nearzero_sqlite_rows_total", labels,
                                            "rows per statement", st.rows, std::nullopt, ""));
    }
    if (example != nullptr && !example->plan.empty()) {
      c.finding.evidence.push_back(
          {selector(kInside, labels), "plan: " + example->plan, example->inside, "seconds"});
    }
    c.finding.recommendation = advice(example, st, more_often);
    c.symptoms = {advised, slower && st.mean_now > 3 * st.mean_before && known};
    const Processors& cpu = processors(context, path);
    const double cores = computes * path.now().orders_per_second;
    if (cpu.contention == Contention::own && cpu.own_grew > 0) {
      c.explains.push_back({"cpu_saturation", cores / cpu.own_grew});
    }
    // A slow writer holds the lock as long as it computes.
    if (!st.reads()) c.explains.push_back({"sqlite_writer_contention", 1});
    out.push_back(std::move(c));
  }
}

}  // namespace nz::analysis
