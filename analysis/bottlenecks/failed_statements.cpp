#include "analysis/bottlenecks/failed_statements.h"

#include <algorithm>
#include <utility>

namespace nz::analysis {
namespace {

constexpr const char* kResultsByCode = "nearzero_sqlite_results_total";
constexpr const char* kErrorsByStatement = "nearzero_sqlite_statement_errors_total";
constexpr int kPrimary = 0xff;  // of an extended result code

std::string database_of(const Context& context, const OrderPath& path, const ResultCode& code,
                        const std::vector<Database>& databases) {
  for (const SlowStatement& s : context.details.slow_statements) {
    if (s.target == path.target() && (s.result & kPrimary) == code.number &&
        s.at >= context.now.window().from && !s.database.empty())
      return s.database;
  }
  return databases.size() == 1 ? databases.front().path : std::string{};
}

std::string stage_of(const WindowIndex& window, const Labels& digest) {
  const auto stages = window.find("nearzero_sqlite_statement_stage", digest);
  return stages.empty() ? std::string{} : label_of(*stages.front(), "stage");
}

}  // namespace

FailedStatements failed_statements(const Context& context, const OrderPath& path,
                                   const ResultCode& code, const std::vector<Database>& databases) {
  const Labels with_code{{"target", path.target()}, {"code", code.name}};
  FailedStatements failed;
  failed.count = context.now.change(kResultsByCode, with_code);
  if (failed.count <= 0) return failed;
  failed.database = database_of(context, path, code, databases);
  for (const WindowSeries* seen : context.now.find("nearzero_sqlite_statement_code", with_code)) {
    FailedDigest d;
    d.digest = label_of(*seen, "digest");
    const Labels labels{{"target", path.target()}, {"digest", d.digest}};
    for (const WindowSeries* s : context.now.find(kErrorsByStatement, labels)) {
      d.errors += s->change;
      d.text = label_of(*s, "statement");
    }
    if (d.errors <= 0) continue;
    d.stage = stage_of(context.now, labels);
    if (!d.stage.empty()) {
      failed.of_orders += d.errors;
      failed.of_orders_before += context.before.change(kErrorsByStatement, labels);
    }
    failed.digests.push_back(std::move(d));
  }
  failed.of_orders = std::min(failed.of_orders, failed.count);
  failed.of_orders_before =
      std::min(failed.of_orders_before, context.before.change(kResultsByCode, with_code));
  std::stable_sort(failed.digests.begin(), failed.digests.end(),
                   [](const FailedDigest& a, const FailedDigest& b) {
                     if (a.stage.empty() != b.stage.empty()) return b.stage.empty();
                     return a.errors > b.errors;
                   });
  return failed;
}

}  // namespace nz::analysis
