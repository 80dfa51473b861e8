#include "analysis/bottlenecks/statements.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace nz::analysis {
namespace {

constexpr const char* kStatementTime = "nearzero_sqlite_statement_duration_seconds";
constexpr const char* kOpen = "nearzero_sqlite_statement_open_seconds";
constexpr const char* kCount = "nearzero_sqlite_statements_total";
constexpr const char* kRows = "nearzero_sqlite_rows_total";

struct Measured {
  double count = 0, mean = 0;
};

// The boundary plan times the inside of few reads, and only of short ones: there, the time open
// and the sampled share of it are the better figure (probes/sqlite/README.md).
Measured measure(const WindowIndex& window, const std::string& target, const Labels& labels) {
  const Histogram inside = window.histogram(kStatementTime, labels);
  const double timed = static_cast<double>(inside.count());
  Measured m;
  m.count = std::max(window.change(kCount, labels), timed);
  if (m.count == 0) return m;
  if (timed >= 0.5 * m.count) {
    m.mean = inside.mean_seconds();
    return m;
  }
  const Histogram open = window.histogram(kOpen, labels);
  if (open.count() > 0) {
    const auto ratio = window.value("nearzero_sqlite_sampled_inside_ratio", {{"target", target}});
    m.mean = open.mean_seconds() * std::clamp(ratio.value_or(1), 0.0, 1.0);
  } else if (timed > 0) {
    m.mean = inside.mean_seconds();
  }
  return m;
}

}  // namespace

bool Statement::reads() const {
  std::string word;
  for (const char c : text) {
    if (word.empty() && std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return word == "SELECT" || word == "WITH" || word == "EXPLAIN" || word == "VALUES";
}

std::vector<Statement> statements(const Context& context, const OrderPath& path) {
  std::vector<Statement> all;
  std::set<std::string> seen;
  for (const char* family : {kCount, kStatementTime}) {
    for (const WindowSeries* s : context.now.find(family, {{"target", path.target()}})) {
      const std::string digest = label_of(*s, "digest");
      if (digest.empty() || digest == "other" || !seen.insert(digest).second) continue;
      const Labels labels{{"target", path.target()}, {"digest", digest}};
      const Measured now = measure(context.now, path.target(), labels);
      if (now.count == 0) continue;
      const Measured before = measure(context.before, path.target(), labels);
      Statement st;
      st.digest = digest;
      st.text = label_of(*s, "statement");
      st.count = now.count;
      st.mean_now = now.mean;
      st.mean_before = before.mean;
      st.now = path.per_order_now(now.count * now.mean, "sqlite");
      st.before = path.per_order_before(before.count * before.mean, "sqlite");
      st.times_now = path.per_order_now(now.count, "sqlite");
      st.times_before = path.per_order_before(before.count, "sqlite");
      st.rows = context.now.change(kRows, labels) / now.count;
      all.push_back(std::move(st));
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Statement& a, const Statement& b) { return a.excess() > b.excess(); });
  return all;
}

}  // namespace nz::analysis
