// SQLite by one known pattern at a time. Counts are of the API calls made here: what SQLite
// compiles for itself (schema loading) is not in them.

#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>

#include "tests/workloads/common/workload.h"

namespace {

using nz::workload::now_ns;

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

constexpr int kRows = 1000;
constexpr const char* kInsert = "INSERT INTO written(value) VALUES(?1)";

void create(const Options& options, const std::string& path) {
  Connection c(options, path);
  c.run("PRAGMA journal_mode=" + options.journal);
  c.run("CREATE TABLE IF NOT EXISTS item(id INTEGER PRIMARY KEY, value INTEGER, name TEXT)");
  c.run("CREATE TABLE IF NOT EXISTS written(id INTEGER PRIMARY KEY, value INTEGER)");
  c.run("DELETE FROM item");
  c.run("BEGIN");
  {
    const Prepared insert(c, "INSERT INTO item VALUES(?1, ?1 * 7, 'item ' || ?1)");
    for (int i = 1; i <= kRows; ++i) {
      sqlite3_bind_int(insert.statement, 1, i);
      c.run(insert.statement);
    }
  }
  c.run("COMMIT");
}

using Mode = std::function<double(const Options&, Connection&)>;
using nz::workload::median_ns_per_op;

double lookup(const Options& o, Connection& c, bool until_done) {
  const Prepared find(c, "SELECT value FROM item WHERE id = ?1");
  int id = 0;
  if (o.one_transaction) c.run("BEGIN");
  const double ns = median_ns_per_op(o.count, [&] {
    id = id % kRows + 1;
    sqlite3_bind_int(find.statement, 1, id);
    c.step(find.statement);
    if (sqlite3_column_int(find.statement, 0) != id * 7) throw std::runtime_error("wrong row");
    if (until_done) c.step(find.statement);
    c.reset(find.statement);
  });
  if (o.one_transaction) c.run("COMMIT");
  return ns;
}

double insert(const Options& o, Connection& c) {
  const Prepared add(c, kInsert);
  int64_t n = 0;
  return median_ns_per_op(o.count, [&] {
    sqlite3_bind_int64(add.statement, 1, ++n);
    c.run(add.statement);
  });
}

double scan(const Options& o, Connection& c) {
  const Prepared all(c, "SELECT id, value, name FROM item");
  return median_ns_per_op(o.count, [&] { c.run(all.statement); });
}

// A scan as programs do it: what is selected is read.
double scan_and_read(const Options& o, Connection& c) {
  const Prepared all(c, "SELECT id, value, name FROM item");
  std::string name;
  return median_ns_per_op(o.count, [&] {
    int64_t sum = 0;
    while (c.step(all.statement)) {
      sum += sqlite3_column_int64(all.statement, 0) * 7 - sqlite3_column_int64(all.statement, 1);
      name.assign(reinterpret_cast<const char*>(sqlite3_column_text(all.statement, 2)),
                  static_cast<size_t>(sqlite3_column_bytes(all.statement, 2)));
    }
    if (sum != 0 || name.empty()) throw std::runtime_error("wrong rows");
    c.reset(all.statement);
  });
}

// Leaves the statement open while the caller works: open time is not time inside SQLite.
double cursor(const Options& o, Connection& c) {
  const Prepared all(c, "SELECT id, value, name FROM item");
  return median_ns_per_op(o.count, [&] {
    c.step(all.statement);
    nz::workload::sleep_ns(o.pause_ms * 1'000'000);
    c.run(all.statement);
  });
}

double select_one(const Options& o, Connection& c) {
  const Prepared one(c, "SELECT 1+1");
  return median_ns_per_op(o.count, [&] { c.run(one.statement); });
}

double transaction(const Options& o, Connection& c) {
  // IMMEDIATE: with several threads a deferred one could not upgrade its lock.
  const Prepared begin(c, "BEGIN IMMEDIATE"), add(c, kInsert), commit(c, "COMMIT");
  return median_ns_per_op(o.count, [&] {
    c.run(begin.statement);
    for (uint64_t i = 0; i < o.inserts; ++i) {
      sqlite3_bind_int64(add.statement, 1, static_cast<int64_t>(i));
      c.run(add.statement);
    }
    c.run(commit.statement);
  });
}

double exec(const Options& o, Connection& c) {
  uint64_t n = 0;
  return median_ns_per_op(o.count, [&] {
    c.exec("UPDATE item SET value = id * 7 WHERE id = " + std::to_string(n++ % kRows + 1));
  });
}

// A second connection holds the write lock for pause_ms; the insert waits in the busy handler.
double busy(const Options& o, Connection& c, const std::string& path) {
  Connection holder(o, path);
  const Prepared add(c, kInsert);
  const double ns = median_ns_per_op(o.count, [&] {
    holder.run("BEGIN IMMEDIATE");
    std::jthread release([&] {
      nz::workload::sleep_ns(o.pause_ms * 1'000'000);
      holder.run("COMMIT");
    });
    sqlite3_bind_int64(add.statement, 1, 1);
    c.run(add.statement);
  });
  holder.close();
  c.counts.merge(holder.counts);
  return ns;
}

// Two statements of one connection, open at the same time.
double interleave(const Options& o, Connection& c) {
  const Prepared all(c, "SELECT id FROM item WHERE id <= 3"),
      find(c, "SELECT value FROM item WHERE id = ?1");
  return median_ns_per_op(o.count, [&] {
    c.step(all.statement);
    sqlite3_bind_int(find.statement, 1, 7);
    c.run(find.statement);
    c.run(all.statement);
  });
}

// A SQL function that runs SQL: three inner statements, of two steps each, in every outer one.
double nested(const Options& o, Connection& c) {
  const Prepared inner(c, "SELECT value FROM item WHERE id = ?1");
  struct Context {
    Connection& connection;
    sqlite3_stmt* inner;
  } context{c, inner.statement};
  sqlite3_create_function(
      c.handle(), "value_of", 1, SQLITE_UTF8, &context,
      [](sqlite3_context* call, int, sqlite3_value** arguments) {
        const auto* to = static_cast<Context*>(sqlite3_user_data(call));
        sqlite3_bind_int(to->inner, 1, sqlite3_value_int(arguments[0]));
        while (sqlite3_step(to->inner) == SQLITE_ROW) {
          sqlite3_result_int(call, sqlite3_column_int(to->inner, 0));
          ++to->connection.counts.nested_steps;
        }
        ++to->connection.counts.nested_steps;
        sqlite3_reset(to->inner);
      },
      nullptr, nullptr);
  const Prepared outer(c, "SELECT value_of(id) FROM item WHERE id <= 3");
  return median_ns_per_op(o.count, [&] { c.run(outer.statement); });
}

// A SQL function that sleeps for its argument, in ms: in a read and in a write, each `count` times.
// Behind each, a lookup that is not slow.
double naps(const Options& o, Connection& c) {
  sqlite3_create_function(
      c.handle(), "nap", 1, SQLITE_UTF8, nullptr,
      [](sqlite3_context* call, int, sqlite3_value** arguments) {
        nz::workload::sleep_ns(static_cast<uint64_t>(sqlite3_value_int64(arguments[0])) *
                               1'000'000);
        sqlite3_result_int(call, 1);
      },
      nullptr, nullptr);
  const Prepared read(c, "SELECT nap(?1), 'secret' FROM item WHERE id = 7"),
      write(c, "UPDATE item SET value = id * 7 WHERE id = 7 AND nap(?1)"),
      find(c, "SELECT value FROM item WHERE id = ?1");
  return median_ns_per_op(o.count, [&] {
    for (sqlite3_stmt* slow : {read.statement, write.statement}) {
      sqlite3_bind_int64(slow, 1, static_cast<int64_t>(o.pause_ms));
      c.run(slow);
      sqlite3_bind_int(find.statement, 1, 7);
      c.run(find.statement);
    }
  });
}

double constraint(const Options& o, Connection& c) {
  const Prepared add(c, "INSERT INTO item VALUES(1, 7, 'again')");
  return median_ns_per_op(o.count, [&] { c.fail(add.statement, SQLITE_CONSTRAINT); });
}

// Many texts, each prepared, stepped to a row and finalized: the next statement gets its memory.
double texts(const Options& o, Connection& c) {
  return median_ns_per_op(o.count, [&] {
    for (uint64_t i = 0; i < o.texts; ++i) {
      sqlite3_stmt* one =
          c.prepare("SELECT value AS c" + std::to_string(i) + " FROM item WHERE id = 1");
      c.step(one);
      c.ended(one);
      sqlite3_finalize(one);
    }
  });
}

// Statements without a text: SQLite makes them itself.
double blob(const Options& o, Connection& c) {
  c.run("SELECT 1 FROM item LIMIT 1");  // reads the schema
  return median_ns_per_op(o.count, [&] {
    sqlite3_blob* handle = nullptr;
    if (sqlite3_blob_open(c.handle(), "main", "item", "name", 1, 0, &handle) != SQLITE_OK)
      throw std::runtime_error("blob_open");
    sqlite3_blob_close(handle);
    ++c.counts.statements;
    ++c.counts.steps;
  });
}

// A statement over two database files, then one over the first alone.
double attached(const Options& o, Connection& c) {
  c.run("ATTACH ':memory:' AS other");
  c.run("CREATE TABLE other.pair(id INTEGER PRIMARY KEY)");
  c.run("INSERT INTO other.pair VALUES(5)");
  const Prepared both(c, "SELECT item.value FROM item JOIN other.pair USING(id)"),
      find(c, "SELECT value FROM item WHERE id = ?1");
  return median_ns_per_op(o.count, [&] {
    c.run(both.statement);
    sqlite3_bind_int(find.statement, 1, 7);
    c.run(find.statement);
  });
}

// Lookups, scans, lookups, each for pause_ms: `count` rounds.
double phases(const Options& o, Connection& c) {
  const Prepared find(c, "SELECT value FROM item WHERE id = ?1"),
      all(c, "SELECT id, value, name FROM item");
  return median_ns_per_op(o.count, [&] {
    for (int phase = 0; phase < 3; ++phase) {
      const uint64_t end = now_ns() + o.pause_ms * 1'000'000;
      while (now_ns() < end) {
        sqlite3_bind_int(find.statement, 1, 7);
        c.run(phase == 1 ? all.statement : find.statement);
      }
    }
  });
}

// A second connection holds the write lock all the time; the inserts give up at once.
double locked(const Options& o, Connection& c, const std::string& path) {
  Connection holder(o, path);
  sqlite3_busy_timeout(c.handle(), 0);
  const Prepared add(c, kInsert);
  holder.run("BEGIN IMMEDIATE");
  const double ns = median_ns_per_op(o.count, [&] { c.fail(add.statement, SQLITE_BUSY); });
  holder.run("COMMIT");
  holder.close();
  c.counts.merge(holder.counts);
  return ns;
}

double run_mode(const Options& o, Connection& c, const std::string& path) {
  if (o.mode == "locked") return locked(o, c, path);
  if (o.mode == "busy") return busy(o, c, path);
  if (o.mode == "lookup") return lookup(o, c, false);
  if (o.mode == "lookup-done") return lookup(o, c, true);
  static const std::map<std::string, Mode> modes{{"insert", insert},
                                                 {"scan", scan},
                                                 {"scan-read", scan_and_read},
                                                 {"cursor", cursor},
                                                 {"select-one", select_one},
                                                 {"txn", transaction},
                                                 {"exec", exec},
                                                 {"interleave", interleave},
                                                 {"nested", nested},
                                                 {"naps", naps},
                                                 {"constraint", constraint},
                                                 {"texts", texts},
                                                 {"blob", blob},
                                                 {"attach", attached},
                                                 {"phases", phases}};
  return modes.at(o.mode)(o, c);
}

int run(const Options& o, nz::workload::Program& program) {
  std::string directory, path = o.db;
  if (path.empty()) {
    directory = (std::filesystem::temp_directory_path() / "nz-sqlite-XXXXXX").string();
    if (!mkdtemp(directory.data())) throw std::runtime_error("mkdtemp");
    path = directory + "/test.db";
  }
  create(o, path);
  program.start();

  std::mutex mutex;
  Counts total;
  std::vector<double> per_op(o.threads);
  std::string error;
  const uint64_t begin = now_ns();
  nz::workload::run_threads(o.threads, [&](uint64_t i) {
    try {
      Connection c(o, path);
      per_op[i] = run_mode(o, c, path);
      c.close();
      const std::lock_guard lock(mutex);
      total.merge(c.counts);
    } catch (const std::exception& e) {
      const std::lock_guard lock(mutex);
      error = e.what();
    }
  });
  const uint64_t wall_ns = now_ns() - begin;
  std::error_code ignored;
  if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
  if (!error.empty()) throw std::runtime_error(error);

  nlohmann::json report{{"program", "nz-sqlite"},
                        {"mode", o.mode},
                        {"journal", o.journal},
                        {"sqlite", sqlite3_libversion()},
                        {"threads", o.threads},
                        {"operations", o.count * o.threads},
                        {"statements", total.statements},
                        {"steps", total.steps},
                        {"rows", total.rows},
                        {"compiles", total.compiles},
                        {"opens", total.opens},
                        {"closes", total.closes},
                        {"nested_steps", total.nested_steps},
                        {"wall_ns", wall_ns},
                        {"ns_per_op", nz::workload::median(per_op)}};
  if (o.truth) {
    report["step_ns"] = total.step_ns;
    report["max_step_ns"] = total.max_step_ns;
    std::sort(total.each_step_ns.begin(), total.each_step_ns.end());
    for (const int percent : {50, 90, 99}) {
      const size_t n = total.each_step_ns.size();
      report["step_p" + std::to_string(percent) + "_ns"] =
          n == 0 ? 0 : total.each_step_ns[std::min(n - 1, n * static_cast<size_t>(percent) / 100)];
    }
    report["texts"] = total.texts;
    report["results"] = total.results;
  }
  return program.finish(report);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  bool dynamic = false;
  nz::workload::Program program(
      "nz-sqlite: one pattern of SQLite use at a time, with exact counts",
      "  nz-sqlite --mode lookup --count 1000000 --truth\n"
      "  nz-sqlite --mode insert --journal delete --count 200 --db /var/tmp/x.db\n"
      "  nz-sqlite --mode busy --pause-ms 50 --count 10\n"
      "  nz-sqlite-static --mode scan --count 100 --wait");
  program
      .choice("--mode", o.mode,
              {"lookup", "lookup-done", "insert", "scan", "scan-read", "cursor", "select-one",
               "txn", "exec", "busy", "interleave", "nested", "naps", "constraint", "texts", "blob",
               "attach", "phases", "locked"},
              "What one operation is")
      .choice("--journal", o.journal, {"wal", "delete", "truncate", "persist"}, "Journal mode")
      .option("--db", o.db, "Database file; default in a temporary directory, removed at exit")
      .option("--count", o.count, "Operations per thread")
      .option("--threads", o.threads, "Threads, each with its own connection")
      .option("--inserts", o.inserts, "Inserts per transaction (txn)")
      .option("--pause-ms", o.pause_ms,
              "Pause of a cursor, how long the lock is held (busy), length of a phase")
      .option("--texts", o.texts, "Different statements (texts)")
      .flag("--one-transaction", o.one_transaction,
            "All lookups of a thread between one BEGIN and one COMMIT (2 more statements)")
      .flag("--truth", o.truth, "Sum the time inside sqlite3_step with the own clock")
      .flag("--dynamic", dynamic,
            "Fail unless SQLite is the shared library (not so in nz-sqlite-static)");
  program.parse(argc, argv);
  try {
    if (dynamic && std::filesystem::read_symlink("/proc/self/exe").filename() != "nz-sqlite")
      throw std::runtime_error("this program carries its own SQLite; run nz-sqlite");
    return run(o, program);
  } catch (const std::exception& e) {
    std::cerr << "nz-sqlite: " << e.what() << '\n';
    return 1;
  }
}
