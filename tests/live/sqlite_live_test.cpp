// The SQLite probe counts what the programs count themselves: each statement text, rows, steps,
// compiles, result codes, connections; in both plans, with Debian's shared library and with SQLite
// inside the executable.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "tests/live/sqlite_observed.h"

namespace nz::live {
namespace {

struct Case {
  std::string program, plan, mode;
  std::vector<std::string> more;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.program << " " << c.plan << " " << c.mode;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* plan : {"step", "boundary"}) {
    for (const char* program : {"nz-sqlite", "nz-sqlite-static"}) {
      all.push_back({program, plan, "lookup-done", {"--count", "2000"}});
      all.push_back({program, plan, "scan", {"--count", "50"}});
      all.push_back({program, plan, "txn", {"--count", "30", "--threads", "4"}});
      all.push_back({program, plan, "exec", {"--count", "1000"}});
    }
    const std::string library = "nz-sqlite";
    all.push_back({library, plan, "lookup", {"--count", "2000", "--threads", "4"}});
    all.push_back({library, plan, "insert", {"--count", "300"}});
    all.push_back({library, plan, "select-one", {"--count", "1000"}});
    all.push_back({library, plan, "constraint", {"--count", "200"}});
    all.push_back({library, plan, "locked", {"--count", "200"}});
    all.push_back({library, plan, "attach", {"--count", "100"}});
    all.push_back({library, plan, "texts", {"--count", "20", "--texts", "30"}});
  }
  return all;
}

class EachMode : public ::testing::TestWithParam<Case> {};

TEST_P(EachMode, CountsAreExact) {
  const Case& c = GetParam();
  std::vector<std::string> arguments = c.more;
  arguments.insert(arguments.end(), {"--mode", c.mode});
  const Observed run = run_with(agent_with(c.plan), c.program, arguments);
  const auto& truth = run.truth;
  expect_texts(run);
  // CREATE and ATTACH read the schema while they run, by statements of SQLite's own, which have no
  // text: the step plan sees that they are nested, the boundary plan counts them as "other".
  const double own = run.value("nearzero_drops_total", {{"probe", "sqlite"}});
  EXPECT_EQ(run.value(kStatements), truth["statements"].get<double>() + own);
  if (c.mode == "attach" && c.plan == "boundary") {
    EXPECT_LE(own, 3);
    // A statement over two files begins twice and is ambiguous; the next one must not suffer from
    // it.
    EXPECT_EQ(run.histogram(kOpen, {{"statement", "SELECT value FROM item WHERE id = ?"}}).count(),
              100U);
  } else {
    EXPECT_EQ(own, 0);
  }
  EXPECT_EQ(run.value("nearzero_sqlite_opens_total"), truth["opens"].get<double>());
  EXPECT_EQ(run.value("nearzero_sqlite_closes_total"), truth["closes"].get<double>());
  double errors = 0;
  for (const auto& [code, n] : truth["results"].items()) {
    const std::string name = code == "5" ? "SQLITE_BUSY" : "SQLITE_CONSTRAINT";
    EXPECT_EQ(run.value("nearzero_sqlite_results_total", {{"code", name}}), n.get<double>());
    errors += n.get<double>();
    EXPECT_GE(run.value("nearzero_sqlite_statement_code", {{"code", name}}), 1);
  }
  EXPECT_EQ(run.value("nearzero_sqlite_statement_errors_total"), errors);
  // What reads the schema inside a compile is part of it; CREATE and ATTACH compile while they run.
  if (c.mode != "attach") {
    EXPECT_EQ(run.histogram("nearzero_sqlite_compile_seconds").count(),
              truth["compiles"].get<uint64_t>());
  }
  if (c.plan == "step") {
    EXPECT_EQ(run.value("nearzero_sqlite_steps_total"), truth["steps"].get<double>());
    EXPECT_EQ(run.value("nearzero_sqlite_rows_total"), truth["rows"].get<double>());
    EXPECT_EQ(run.histogram(kInside).count(), truth["statements"].get<uint64_t>());
    EXPECT_EQ(run.histogram(kOpen).count(), truth["statements"].get<uint64_t>());
    EXPECT_EQ(run.incomplete("partial"), 0);
    EXPECT_EQ(run.incomplete("ambiguous"), 0);
    EXPECT_EQ(run.incomplete("no_begin"), 0);
  } else {
    // Every statement has a duration, or a reason why not.
    EXPECT_EQ(static_cast<double>(run.histogram(kOpen).count()),
              run.value(kStatements) - run.incomplete("ambiguous") - run.incomplete("partial"));
    // Writes have their time inside, each once; of reads the sampling windows have some.
    for (const auto& [sql, n] : truth["texts"].items()) {
      const Labels text{{"statement", shown(sql)}};
      if (sql.starts_with("SELECT")) continue;
      EXPECT_EQ(run.histogram(kInside, text).count(), run.histogram(kOpen, text).count()) << sql;
    }
    EXPECT_GE(run.histogram(kInside).count() + static_cast<uint64_t>(run.incomplete("not_sampled")),
              run.histogram(kOpen).count());
    EXPECT_LE(run.incomplete("partial"), truth["threads"].get<double>());
  }
  printf("  %s statements, no_begin %.0f, ambiguous %.0f, partial %.0f, not_sampled %.0f\n",
         truth["statements"].dump().c_str(), run.incomplete("no_begin"),
         run.incomplete("ambiguous"), run.incomplete("partial"), run.incomplete("not_sampled"));
}

INSTANTIATE_TEST_SUITE_P(All, EachMode, ::testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param.program + "_" + info.param.plan + "_" + info.param.mode + "_" +
                     std::to_string(info.index);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// A process that is no target has the write lock: it is named, and for how long.
TEST(DatabaseFiles, AWriterFromOutsideIsNamedAndTheWalIsMeasured) {
  stop_shared_agents();
  Agent agent("host: false\ntargets: [{name: db, match: {exe: \"" NZ_WORKLOADS
              "/nz-demo\"}, scheduler: false, sqlite: true}]");
  const std::string path = temporary_file("orders.db", "");
  Workload demo("nz-demo", {"--rate", "200", "--duration", "0", "--db", path});
  ASSERT_TRUE(agent.has_member(demo.pid()));
  demo.go();
  sleep_seconds(1);  // some orders are written
  const std::string script =
      temporary_file("holder.py",
                     "import sqlite3, sys, time\n"
                     "c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n"
                     "c.execute('BEGIN IMMEDIATE')\n"
                     "print('held', file=sys.stderr, flush=True)\n"
                     "time.sleep(60)\n");
  Program holder({"/usr/bin/python3", script, path});
  ASSERT_TRUE(holder.wait_for_text("held", 30)) << holder.err();
  // The demo waits for 5 s before it gives up.
  LiveData data;
  EXPECT_TRUE(eventually(
      [&] {
        data = agent.fetch();
        return value_of(data, "nearzero_sqlite_lock_held_seconds",
                        {{"lock", "write"}, {"comm", "python3"}}) > 1;
      },
      4.5));
  EXPECT_GE(
      value_of(data, "nearzero_sqlite_lock_seen_total", {{"lock", "write"}, {"comm", "python3"}}),
      2)
      << "looks";
  // Nobody writes meanwhile: both are of one moment.
  const double written = value_of(data, "nearzero_sqlite_wal_frames", {{"state", "written"}});
  EXPECT_GT(written, 0);
  EXPECT_GE(written, value_of(data, "nearzero_sqlite_wal_frames", {{"state", "checkpointed"}}));
  EXPECT_GT(value_of(data, "nearzero_sqlite_database_bytes", {{"kind", "main"}}), 0);
  struct stat file {};
  ASSERT_EQ(stat(path.c_str(), &file), 0);
  const std::string number =
      std::to_string(major(file.st_dev)) + ":" + std::to_string(minor(file.st_dev));
  const bool on_disk = access(("/sys/dev/block/" + number).c_str(), F_OK) == 0;
  EXPECT_EQ(value_of(data, "nearzero_sqlite_database_device", {{"database", path}}),
            on_disk ? 1 : 0)
      << number;
}

}  // namespace
}  // namespace nz::live
