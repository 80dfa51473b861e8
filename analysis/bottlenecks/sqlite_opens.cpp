// Connections are opened all the time: each open reads and parses the schema anew, and begins with
// an empty page cache.
#include <algorithm>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_sqlite_opens(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  constexpr const char* kOpens = "nearzero_sqlite_opens_total";
  constexpr const char* kCompile = "nearzero_sqlite_compile_seconds";
  const Labels target{{"target", path.target()}};
  const double opens = context.now.rate(kOpens, target);
  if (opens < context.rules.opens_per_second) return;
  const double orders = path.now().orders_per_second;
  if (path.from_stages() && opens < context.rules.opens_per_order * orders) return;

  Candidate c = candidate("sqlite_opens", path);
  const double compile =
      path.per_order_now(context.now.sum_seconds(kCompile, target), "sqlite") -
      path.per_order_before(context.before.sum_seconds(kCompile, target), "sqlite");
  c.claims = {{Component::running,
               std::clamp(compile, 0.0, std::max(0.0, path.excess(Component::running)))}};
  c.finding.where = "connections to SQLite";
  c.finding.title = number_text(opens) + " connections to SQLite are opened each second";
  const bool known = context.has_reference();
  c.finding.evidence.push_back(
      evidence(kOpens, target, "connections opened", opens,
               known ? std::optional<double>(context.before.rate(kOpens, target)) : std::nullopt,
               "per second"));
  if (path.from_stages() && orders > 0) {
    c.finding.evidence.push_back(
        evidence(kOpens, target, "connections opened per order", opens / orders, std::nullopt, ""));
  }
  c.finding.recommendation =
      "Keep one connection for each thread (sqlite3_open once, statements prepared once and "
      "reset): "
      "each open reads and parses the schema and begins with an empty page cache.";
  c.always = true;
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
