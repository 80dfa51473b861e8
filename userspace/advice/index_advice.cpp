#include "userspace/advice/index_advice.h"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <set>

#include "analysis/sql_tokenizer.h"
#include "userspace/advice/shadow_table.h"

namespace nz::advice {
namespace {

struct Close {
  void operator()(sqlite3* c) const { sqlite3_close_v2(c); }
};
using Connection = std::unique_ptr<sqlite3, Close>;

Connection in_memory() {
  sqlite3* c = nullptr;
  sqlite3_open_v2(":memory:", &c, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (c != nullptr) sqlite3_limit(c, SQLITE_LIMIT_ATTACHED, 0);
  return Connection(c);
}

bool run(sqlite3* c, const std::string& sql) {
  return sqlite3_exec(c, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool in_plain_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

std::string quoted(const std::string& name) {
  const bool plain = !name.empty() && !is_digit(name[0]) &&
                     std::all_of(name.begin(), name.end(), in_plain_name) &&
                     !analysis::is_sql_keyword(name);
  if (plain) return name;
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

// The rows of one column of `sql`.
std::vector<std::string> column(sqlite3* c, const std::string& sql, const std::string& bound = {}) {
  std::vector<std::string> all;
  sqlite3_stmt* s = nullptr;
  if (sqlite3_prepare_v2(c, sql.c_str(), -1, &s, nullptr) != SQLITE_OK) return all;
  if (!bound.empty())
    sqlite3_bind_text(s, 1, bound.c_str(), static_cast<int>(bound.size()), SQLITE_TRANSIENT);
  while (sqlite3_step(s) == SQLITE_ROW) {
    const unsigned char* text = sqlite3_column_text(s, 0);
    all.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  }
  sqlite3_finalize(s);
  return all;
}

// The schema's tables, empty, with their indexes and statistics. Views and triggers that do not
// compile here are left out: the statement will say so if it needs them.
Connection copy_of(const std::vector<std::string>& schema) {
  Connection c = in_memory();
  if (!c) return c;
  const bool statistics = std::any_of(schema.begin(), schema.end(), [](const std::string& s) {
    return s.starts_with("INSERT INTO sqlite_stat1");
  });
  std::vector<std::string> rows;
  for (const std::string& statement : schema) {
    if (statement.starts_with("INSERT INTO sqlite_stat1"))
      rows.push_back(statement);
    else
      run(c.get(), statement);
  }
  if (!statistics) return c;
  // Makes the table.
  run(c.get(), "CREATE TABLE nz_none(a); ANALYZE nz_none; DROP TABLE nz_none");
  for (const std::string& row : rows) run(c.get(), row);
  run(c.get(), "ANALYZE sqlite_schema");  // reads it
  return c;
}

constexpr const char* kTables =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "
    "'\\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid";

// Shadows of the tables in `copy`, with the same columns, and its views.
Connection shadow_of(sqlite3* copy, std::vector<Wanted>* wanted) {
  Connection c = in_memory();
  if (!c || register_shadow(c.get(), wanted) != SQLITE_OK) return nullptr;
  for (const std::string& table : column(copy, kTables)) {
    std::string columns;
    for (const std::string& name :
         column(copy,
                "SELECT '\"' || replace(name, '\"', '\"\"') || '\" ' || type FROM "
                "pragma_table_info(?1)",
                table))
      columns += (columns.empty() ? "" : ", ") + name;
    run(c.get(), "CREATE VIRTUAL TABLE " + quoted(table) + " USING nz_shadow(" + columns + ")");
  }
  for (const std::string& view : column(copy, "SELECT sql FROM sqlite_schema WHERE type = 'view'"))
    run(c.get(), view);
  return c;
}

struct Candidate {
  std::string table;
  std::vector<std::string> columns;
  auto operator<=>(const Candidate&) const = default;
};

// Equality first; behind it one range, or else the order.
void add_candidates(const Wanted& w, std::set<Candidate>& all) {
  const auto add = [&](std::vector<std::string> columns) {
    if (!columns.empty()) all.insert({w.table, std::move(columns)});
  };
  const auto behind_equal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> columns = w.equal;
    for (const std::string& name : more) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
    }
    return columns;
  };
  add(w.equal);
  for (const std::string& range : w.range) add(behind_equal({range}));
  if (!w.order.empty()) add(behind_equal(w.order));
}

std::string list_of(const std::vector<std::string>& names, const char* between) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : between) + quoted(name);
  return out;
}

bool begins_with(const std::vector<std::string>& columns, const std::vector<std::string>& first) {
  return columns.size() >= first.size() &&
         std::equal(first.begin(), first.end(), columns.begin(),
                    [](const std::string& a, const std::string& b) {
                      return sqlite3_stricmp(a.c_str(), b.c_str()) == 0;
                    });
}

// Whether the primary key or an index has these columns in front already.
bool is_there(sqlite3* copy, const Candidate& c) {
  const auto key =
      column(copy, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", c.table);
  if (!key.empty() && (begins_with(key, c.columns) || begins_with(c.columns, key))) return true;
  for (const std::string& index :
       column(copy, "SELECT name FROM pragma_index_list(?1) WHERE partial = 0", c.table)) {
    const auto has = column(copy, "SELECT name FROM pragma_index_info(?1) ORDER BY seqno", index);
    if (begins_with(has, c.columns)) return true;
  }
  return false;
}

// A name that says what it is: risk_limits_account.
std::string name_for(const Candidate& c, sqlite3* copy) {
  std::string name = c.table;
  for (const std::string& column_name : c.columns) name += "_" + column_name;
  for (char& letter : name) {
    if (!in_plain_name(letter)) letter = '_';
  }
  if (name.size() > 60) name.resize(60);
  const auto taken = column(copy, "SELECT name FROM sqlite_schema");
  std::string free_name = name;
  for (int n = 2; std::find(taken.begin(), taken.end(), free_name) != taken.end(); n++)
    free_name = name + "_" + std::to_string(n);
  return free_name;
}

}  // namespace

Result<std::vector<IndexAdvice>> missing_indexes(const std::vector<std::string>& schema,
                                                 const std::string& sql) {
  const Connection copy = copy_of(schema);
  if (!copy) return fail("out of memory");
  if (const auto now = explain_query_plan(copy.get(), sql); !now)
    return tl::unexpected(now.error());
  std::vector<Wanted> wanted;
  const Connection shadow = shadow_of(copy.get(), &wanted);
  if (!shadow) return fail("out of memory");
  // What does not compile on virtual tables (INDEXED BY, upserts) has no advice.
  if (const auto planned = explain_query_plan(shadow.get(), sql); !planned)
    return std::vector<IndexAdvice>{};
  std::set<Candidate> candidates;
  for (const Wanted& w : wanted) add_candidates(w, candidates);
  constexpr size_t kMost = 32;
  std::vector<std::pair<std::string, std::string>> created;  // name, statement
  for (const Candidate& c : candidates) {
    if (created.size() == kMost) break;
    if (is_there(copy.get(), c)) continue;
    const std::string name = name_for(c, copy.get());
    const std::string statement = "CREATE INDEX " + quoted(name) + " ON " + quoted(c.table) + "(" +
                                  list_of(c.columns, ", ") + ")";
    if (run(copy.get(), statement)) created.emplace_back(name, statement);
  }
  if (created.empty()) return std::vector<IndexAdvice>{};
  const auto with = explain_query_plan(copy.get(), sql);
  if (!with) return tl::unexpected(with.error());
  std::vector<IndexAdvice> advice;
  for (const PlanRow& row : *with) {
    for (const auto& [name, statement] : created) {
      const size_t at = row.detail.find("INDEX " + name);
      const size_t end = at == std::string::npos ? at : at + 6 + name.size();
      if (at == std::string::npos || (end < row.detail.size() && row.detail[end] != ' ')) continue;
      const bool known = std::any_of(advice.begin(), advice.end(), [&](const IndexAdvice& a) {
        return a.statement == statement;
      });
      if (!known) advice.push_back({statement, row.detail});
    }
  }
  return advice;
}

}  // namespace nz::advice
