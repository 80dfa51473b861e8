#include "tests/workloads/micro/sqlite/modes.h"

#include "tests/workloads/micro/sqlite/hidden_pages.h"

#if defined(__clang__)
#define NZ_PROBED __attribute__((noinline, used))
#else
#define NZ_PROBED __attribute__((noipa, noinline, used))
#endif

namespace nz::workload::sqlite {

// Two stages that a statement crosses: it makes its first step in the one, and ends in the other
// if that step was not the last.
extern "C" {

NZ_PROBED bool nz_first_step(Connection& c, sqlite3_stmt* statement) { return c.step(statement); }

NZ_PROBED void nz_later_steps(Connection& c, sqlite3_stmt* statement, bool has_row) {
  while (has_row) has_row = c.step(statement);
  c.reset(statement);
}
}

namespace {

constexpr const char* kInsert = "INSERT INTO written(value) VALUES(?1)";
constexpr const char* kFind = "SELECT value FROM item WHERE id = ?1";
constexpr const char* kAll = "SELECT id, value, name FROM item";

using Mode = double (*)(const Options&, Connection&);

// An execution to its end with `value` as its only parameter.
void run_with(Connection& c, const Prepared& prepared, int64_t value) {
  sqlite3_bind_int64(prepared.statement, 1, value);
  c.run(prepared.statement);
}

// A SQL function of one argument; `to` is its user data.
void add_function(Connection& c, const char* name, void* to,
                  void (*function)(sqlite3_context*, int, sqlite3_value**)) {
  sqlite3_create_function(c.handle(), name, 1, SQLITE_UTF8, to, function, nullptr, nullptr);
}

// `run`, given a second connection to the same file, which ends behind it and is counted, too.
template <class Run>
double beside_another(const Options& o, Connection& c, const std::string& path, Run run) {
  Connection other(o, path);
  const double ns = run(other);
  other.close();
  c.counts.merge(other.counts);
  return ns;
}

double lookup(const Options& o, Connection& c, bool until_done) {
  const Prepared find(c, kFind);
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
  return median_ns_per_op(o.count, [&] { run_with(c, add, ++n); });
}

double scan(const Options& o, Connection& c) {
  const Prepared all(c, kAll);
  return median_ns_per_op(o.count, [&] { c.run(all.statement); });
}

// A scan as programs do it: what is selected is read.
double scan_and_read(const Options& o, Connection& c) {
  const Prepared all(c, kAll);
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
  const Prepared all(c, kAll);
  return median_ns_per_op(o.count, [&] {
    c.step(all.statement);
    sleep_ns(o.pause_ms * 1'000'000);
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
    for (uint64_t i = 0; i < o.inserts; ++i) run_with(c, add, static_cast<int64_t>(i));
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
  return beside_another(o, c, path, [&](Connection& holder) {
    const Prepared add(c, kInsert);
    return median_ns_per_op(o.count, [&] {
      holder.run("BEGIN IMMEDIATE");
      std::jthread release([&] {
        sleep_ns(o.pause_ms * 1'000'000);
        holder.run("COMMIT");
      });
      run_with(c, add, 1);
    });
  });
}

// Two statements of one connection, open at the same time.
double interleave(const Options& o, Connection& c) {
  const Prepared all(c, "SELECT id FROM item WHERE id <= 3"), find(c, kFind);
  return median_ns_per_op(o.count, [&] {
    c.step(all.statement);
    run_with(c, find, 7);
    c.run(all.statement);
  });
}

// A SQL function that runs SQL: three inner statements, of two steps each, in every outer one.
double nested(const Options& o, Connection& c) {
  const Prepared inner(c, kFind);
  struct Context {
    Connection& connection;
    sqlite3_stmt* inner;
  } context{c, inner.statement};
  add_function(c, "value_of", &context, [](sqlite3_context* call, int, sqlite3_value** arguments) {
    const auto* to = static_cast<Context*>(sqlite3_user_data(call));
    sqlite3_bind_int(to->inner, 1, sqlite3_value_int(arguments[0]));
    while (sqlite3_step(to->inner) == SQLITE_ROW) {
      sqlite3_result_int(call, sqlite3_column_int(to->inner, 0));
      ++to->connection.counts.nested_steps;
    }
    ++to->connection.counts.nested_steps;
    sqlite3_reset(to->inner);
  });
  const Prepared outer(c, "SELECT value_of(id) FROM item WHERE id <= 3");
  return median_ns_per_op(o.count, [&] { c.run(outer.statement); });
}

// A SQL function that sleeps for its argument, in ms: in a read and in a write, each `count` times.
// Behind each, a lookup that is not slow. The read's end is in another stage than its beginning.
double naps(const Options& o, Connection& c) {
  add_function(c, "nap", nullptr, [](sqlite3_context* call, int, sqlite3_value** arguments) {
    sleep_ns(static_cast<uint64_t>(sqlite3_value_int64(arguments[0])) * 1'000'000);
    sqlite3_result_int(call, 1);
  });
  const Prepared read(c, "SELECT nap(?1), 'secret' FROM item WHERE id = 7"),
      write(c, "UPDATE item SET value = id * 7 WHERE id = 7 AND nap(?1)"), find(c, kFind);
  return median_ns_per_op(o.count, [&] {
    for (sqlite3_stmt* slow : {read.statement, write.statement}) {
      sqlite3_bind_int64(slow, 1, static_cast<int64_t>(o.pause_ms));
      const bool has_row = nz_first_step(c, slow);
      nz_later_steps(c, slow, has_row);
      run_with(c, find, 7);
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
  const Prepared both(c, "SELECT item.value FROM item JOIN other.pair USING(id)"), find(c, kFind);
  return median_ns_per_op(o.count, [&] {
    c.run(both.statement);
    run_with(c, find, 7);
  });
}

// Lookups, scans, lookups, each for pause_ms: `count` rounds.
double phases(const Options& o, Connection& c) {
  const Prepared find(c, kFind), all(c, kAll);
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

// Stands at the first row of a SELECT while it scans, for pause_ms or until SIGUSR2 comes again;
// then reads the rest. One thread: others would not see the signal.
double held(const Options& o, Connection& c) {
  const Prepared few(c, "SELECT id FROM item WHERE id <= 3"), all(c, kAll);
  return median_ns_per_op(o.count, [&] {
    c.step(few.statement);
    const uint64_t end = now_ns() + o.pause_ms * 1'000'000;
    while (!sigusr2_came() && now_ns() < end) c.run(all.statement);
    c.run(few.statement);
  });
}

// The memory of the statement is away when it makes its second step.
double away(const Options& o, Connection& c) {
  constexpr size_t kVdbe = 512;  // its size, at most
  const HiddenPages pages;
  const Prepared few(c, "SELECT id FROM item WHERE id <= 3");
  return median_ns_per_op(o.count, [&] {
    c.step(few.statement);
    pages.hide(few.statement, kVdbe);
    c.run(few.statement);
  });
}

// A second connection holds the write lock all the time; the inserts give up at once.
double locked(const Options& o, Connection& c, const std::string& path) {
  return beside_another(o, c, path, [&](Connection& holder) {
    sqlite3_busy_timeout(c.handle(), 0);
    const Prepared add(c, kInsert);
    holder.run("BEGIN IMMEDIATE");
    const double ns = median_ns_per_op(o.count, [&] { c.fail(add.statement, SQLITE_BUSY); });
    holder.run("COMMIT");
    return ns;
  });
}

}  // namespace

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
                                                 {"phases", phases},
                                                 {"held", held},
                                                 {"away", away}};
  return modes.at(o.mode)(o, c);
}

}  // namespace nz::workload::sqlite
