// Writers of one SQLite database wait for each other: there can be one at a time.
#include <algorithm>
#include <string>
#include <utility>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/lock_holder.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_sqlite_writer_contention(const Context& context, const OrderPath& path,
                                   std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  const Labels target{{"target", path.target()}};
  const Labels code{{"target", path.target()}, {"code", "SQLITE_BUSY"}};
  const SyncTime busy = sqlite_wait(context, path, "busy");
  const double statements = context.now.change("nearzero_sqlite_statements_total", target);
  const double failed = context.now.change("nearzero_sqlite_results_total", code);
  const double failed_before = context.before.change("nearzero_sqlite_results_total", code);
  const double statements_before =
      context.before.change("nearzero_sqlite_statements_total", target);
  const double rate = statements > 0 ? failed / statements : 0;
  const double rate_before = statements_before > 0 ? failed_before / statements_before : 0;
  const bool errors = failed >= rules.least_statements && rate >= rules.busy_errors &&
                      grew(rate, rate_before, rules.growth);

  Candidate c = candidate("sqlite_writer_contention", path);
  // The busy handler sleeps; with SQLITE_ENABLE_SETLK_TIMEOUT it waits in fcntl.
  c.claims = claim_from(path, busy.excess(), {Component::sleep, Component::lock, Component::other});
  double claimed = 0;
  for (const Claim& claim : c.claims) claimed += claim.seconds;
  if (!noticeable(context, path, claimed) && !errors) return;
  if (!errors && path.comparable() && !grew(busy.now, busy.before, rules.growth)) return;

  const bool known = path.comparable();
  c.finding.where = "write lock of the database";
  c.finding.title =
      "Orders wait for another writer of the SQLite database" +
      in_stage(path, c.claims.empty() ? Component::sleep : c.claims.front().component);
  if (!busy.family.empty()) {
    c.finding.evidence.push_back(
        evidence(busy.family, busy.labels, "busy waits per order, seconds", busy.now,
                 known ? std::optional<double>(busy.before) : std::nullopt, "seconds"));
    const Histogram waits = context.now.histogram(busy.family, busy.labels);
    const Histogram earlier = context.before.histogram(busy.family, busy.labels);
    c.finding.evidence.push_back(
        evidence(busy.family, busy.labels, "p99 of one busy wait", waits.quantile(0.99),
                 earlier.count() > 0 ? std::optional<double>(earlier.quantile(0.99)) : std::nullopt,
                 "seconds"));
  }
  if (errors) {
    c.finding.evidence.push_back(evidence(
        "nearzero_sqlite_results_total", code, "statements that failed with SQLITE_BUSY", rate,
        context.has_reference() ? std::optional<double>(rate_before) : std::nullopt, "ratio"));
    c.always = true;
    c.least_severity = Severity::warning;
    c.failed = std::min(
        1.0, path.per_order_now(failed, "sqlite") - path.per_order_before(failed_before, "sqlite"));
  }
  std::string who;
  if (auto holders = lock_holders(context, path, "write"); !holders.empty()) {
    who = names_of(holders) + (holders.size() == 1 ? " was" : " were") +
          " seen with the write lock. ";
    add_evidence(holders, c.finding);
  }
  c.finding.recommendation =
      who +
      "Find the other writer: lsof DATABASE and DATABASE-wal, nearzero list sqlite, nearzero trace "
      "sqlite -p PID of each. Shorten its transactions (COMMIT every few ms, no work between BEGIN "
      "and COMMIT), queue all writes through one connection, use WAL so that readers do not count, "
      "BEGIN IMMEDIATE with PRAGMA busy_timeout, or give it a database of its own.";
  c.symptoms = {errors, busy.count_now > busy.count_before * rules.growth};
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
