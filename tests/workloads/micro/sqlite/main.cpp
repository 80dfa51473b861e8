// SQLite by one known pattern at a time. Counts are of the API calls made here: what SQLite
// compiles for itself (schema loading) is not in them.

#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <mutex>

#include "tests/workloads/micro/sqlite/modes.h"

namespace nz::workload::sqlite {
namespace {

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

int run(const Options& o, Program& program) {
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
  run_threads(o.threads, [&](uint64_t i) {
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
                        {"ns_per_op", median(per_op)}};
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
}  // namespace nz::workload::sqlite

int main(int argc, char** argv) {
  nz::workload::sqlite::Options o;
  bool dynamic = false;
  nz::workload::Program program(
      "nz-sqlite: one pattern of SQLite use at a time, with exact counts",
      "  nz-sqlite --mode lookup --count 1000000 --truth\n"
      "  nz-sqlite --mode insert --journal delete --count 200 --db /var/tmp/x.db\n"
      "  nz-sqlite --mode busy --pause-ms 50 --count 10\n"
      "  nz-sqlite-static --mode scan --count 100 --wait");
  program
      .choice("--mode", o.mode,
              {"lookup", "lookup-done", "insert", "scan",       "scan-read", "cursor", "select-one",
               "txn",    "exec",        "busy",   "interleave", "nested",    "naps",   "constraint",
               "texts",  "blob",        "attach", "phases",     "held",      "away",   "locked"},
              "What one operation is")
      .choice("--journal", o.journal, {"wal", "delete", "truncate", "persist"}, "Journal mode")
      .option("--db", o.db, "Database file; default in a temporary directory, removed at exit")
      .option("--count", o.count, "Operations per thread")
      .option("--threads", o.threads, "Threads, each with its own connection")
      .option("--inserts", o.inserts, "Inserts per transaction (txn)")
      .option("--pause-ms", o.pause_ms,
              "Pause of a cursor, how long the lock is held (busy), length of a phase, and at most "
              "of what a held statement waits for")
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
    return nz::workload::sqlite::run(o, program);
  } catch (const std::exception& e) {
    std::cerr << "nz-sqlite: " << e.what() << '\n';
    return 1;
  }
}
