// The options, and SQLite's API with exact counts. In a header, so that nothing comes between a
// mode's loop and SQLite.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/workloads/common/workload.h"

namespace nz::workload::sqlite {

struct Options {
  std::string mode = "lookup";
  std::string journal = "wal";
  std::string db;
  uint64_t count = 10'000;
  uint64_t threads = 1;
  uint64_t inserts = 10;    // per transaction in mode txn
  uint64_t pause_ms = 100;  // of a cursor between rows, of the lock holder, of a phase
  uint64_t texts = 100;     // different statements in mode texts
  bool truth = false;
  bool one_transaction = false;  // lookups without the file locks of a transaction each
};

struct Counts {
  uint64_t statements = 0, steps = 0, rows = 0, compiles = 0, opens = 0, closes = 0;
  uint64_t step_ns = 0;  // inside sqlite3_step, with --truth
  uint64_t max_step_ns = 0;
  uint64_t nested_steps = 0;                // made by a SQL function
  std::vector<uint64_t> each_step_ns;       // with --truth
  std::map<std::string, uint64_t> texts;    // executions by SQL text, with --truth
  std::map<std::string, uint64_t> results;  // errors by result code, with --truth
  void merge(const Counts& o) {
    nested_steps += o.nested_steps;
    each_step_ns.insert(each_step_ns.end(), o.each_step_ns.begin(), o.each_step_ns.end());
    for (const auto& [text, n] : o.texts) texts[text] += n;
    for (const auto& [code, n] : o.results) results[code] += n;
    statements += o.statements;
    steps += o.steps;
    rows += o.rows;
    compiles += o.compiles;
    opens += o.opens;
    closes += o.closes;
    step_ns += o.step_ns;
    max_step_ns = std::max(max_step_ns, o.max_step_ns);
  }
};

class Connection {
 public:
  Connection(const Options& options, const std::string& path) : truth_(options.truth) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("open " + path);
    ++counts.opens;
    sqlite3_busy_timeout(db_, 30'000);
  }
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  void close() {
    if (!db_) return;
    counts.closes += sqlite3_close(db_) == SQLITE_OK;
    db_ = nullptr;
  }

  sqlite3_stmt* prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), sql);
    ++counts.compiles;
    return statement;
  }

  bool step(sqlite3_stmt* statement) {
    const uint64_t begin = truth_ ? now_ns() : 0;
    const int rc = sqlite3_step(statement);
    if (truth_) {
      const uint64_t ns = now_ns() - begin;
      counts.step_ns += ns;
      counts.max_step_ns = std::max(counts.max_step_ns, ns);
      if (counts.each_step_ns.size() < 100'000) counts.each_step_ns.push_back(ns);
    }
    ++counts.steps;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) check(rc, sqlite3_sql(statement));
    counts.rows += rc == SQLITE_ROW;
    return rc == SQLITE_ROW;
  }

  // The end of one execution: it counts as a statement here.
  void reset(sqlite3_stmt* statement) {
    sqlite3_reset(statement);
    ended(statement);
  }
  void ended(sqlite3_stmt* statement) {
    ++counts.statements;
    if (truth_) ++counts.texts[sqlite3_sql(statement)];
  }

  // A step that must fail with `rc`, and the reset.
  void fail(sqlite3_stmt* statement, int rc) {
    if (sqlite3_step(statement) != rc) throw std::runtime_error("did not fail as expected");
    ++counts.steps;
    if (truth_) ++counts.results[std::to_string(rc)];
    reset(statement);
  }

  void run(sqlite3_stmt* statement) {
    while (step(statement)) {
    }
    reset(statement);
  }

  void run(const std::string& sql) {
    sqlite3_stmt* statement = prepare(sql);
    run(statement);
    sqlite3_finalize(statement);
  }

  // One compile, one step to the end, inside SQLite.
  void exec(const std::string& sql) {
    const uint64_t begin = truth_ ? now_ns() : 0;
    check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), sql);
    if (truth_) counts.step_ns += now_ns() - begin;
    ++counts.compiles;
    ++counts.statements;
    ++counts.steps;
    if (truth_) ++counts.texts[sql];
  }

  [[nodiscard]] sqlite3* handle() const { return db_; }

  Counts counts;

 private:
  void check(int rc, const std::string& what) {
    if (rc != SQLITE_OK) throw std::runtime_error(what + ": " + sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
  const bool truth_;
};

// Statements of a thread, finalized before its connection closes.
class Prepared {
 public:
  Prepared(Connection& c, const std::string& sql) : statement(c.prepare(sql)) {}
  ~Prepared() { sqlite3_finalize(statement); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  sqlite3_stmt* const statement;
};

inline constexpr int kRows = 1000;  // of table item, which the program makes

}  // namespace nz::workload::sqlite
