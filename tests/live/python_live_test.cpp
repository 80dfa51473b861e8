// A service that nobody here wrote for this: a Python program, traced by configs/python-sqlite.yaml
// as it is shipped.
#include <fstream>
#include <sstream>

#include "tests/live/sqlite_observed.h"

namespace nz::live {
namespace {

std::string shipped() {
  std::ifstream file(NZ_SOURCE "/configs/python-sqlite.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr const char* kScript = NZ_SOURCE "/tests/workloads/python/sqlite_orders.py";

void expect_orders(const Observed& run) {
  EXPECT_EQ(run.statements("INSERT INTO orders(symbol, quantity) VALUES(?, ?)"),
            run.truth["inserts"].get<double>());
  EXPECT_EQ(run.statements("SELECT quantity FROM orders WHERE id = ?"),
            run.truth["selects"].get<double>());
}

TEST(Python, OrdersAreCountedByConfigurationAlone) {
  Agent agent(shipped());
  Program program({"/usr/bin/python3", kScript, "--count", "1000", "--wait"});
  ASSERT_TRUE(program.wait_for_text("ready pid=", 20)) << program.err();
  expect_attached(agent, program.pid());
  agent.settle();
  const LiveData before = agent.fetch();
  EXPECT_EQ(value_of(before, "nearzero_sqlite_open_connections", {{"target", "orders"}}), 1);
  program.signal(SIGUSR2);
  ASSERT_EQ(program.wait(60), 0) << program.err();
  agent.settle();
  const LiveData after = agent.fetch();
  const Observed run{program.json(), after.since(before)};
  expect_orders(run);
  EXPECT_EQ(run.value(kStatements), run.truth["statements"].get<double>());
  EXPECT_EQ(run.value("nearzero_sqlite_rows_total"), run.truth["rows"].get<double>());
  EXPECT_EQ(run.value("nearzero_sqlite_closes_total"), 1);
  EXPECT_EQ(value_of(after, "nearzero_sqlite_open_connections", {{"target", "orders"}}), 0);
  EXPECT_EQ(run.histogram(kInside).count(), run.truth["statements"].get<uint64_t>());
}

// The library is loaded after the attach: the probes come with it, before its first instruction.
TEST(Python, ALibraryThatIsImportedLateIsSeenFromItsFirstStatement) {
  Agent agent(shipped());
  const std::string script =
      temporary_file("orders.py",
                     "import os, signal, sys\n"
                     "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})\n"
                     "print(f'ready pid={os.getpid()}', file=sys.stderr, flush=True)\n"
                     "signal.sigwait({signal.SIGUSR2})\n"
                     "import sqlite3\n"
                     "c = sqlite3.connect(':memory:', isolation_level=None)\n"
                     "c.execute('CREATE TABLE late(id INTEGER PRIMARY KEY)')\n"
                     "for i in range(500): c.execute('INSERT INTO late VALUES(?)', (i,))\n"
                     "print(c.execute('SELECT count(*) FROM late').fetchall()[0][0])\n"
                     "signal.sigwait({signal.SIGUSR2})\n"
                     "c.close()\n");
  Program program({"/usr/bin/python3", script});
  ASSERT_TRUE(program.wait_for_text("ready pid=", 20)) << program.err();
  ASSERT_TRUE(agent.has_member(program.pid()));
  EXPECT_NE(agent.get("/healthz").find("not loaded by the process yet"), std::string::npos);
  program.signal(SIGUSR2);
  ASSERT_TRUE(eventually([&] { return value_of(agent.fetch(), kStatements, {}) >= 502; }, 20));
  // Loaded now, and without a second probe that would count twice.
  EXPECT_TRUE(
      eventually([&] { return agent.get("/healthz").find("not loaded") == std::string::npos; }, 5))
      << agent.get("/healthz");
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_sqlite_open_connections", {{"target", "orders"}}), 1);
  program.signal(SIGUSR2);
  ASSERT_EQ(program.wait(20), 0) << program.err();
  agent.settle();
  const Observed run{{}, agent.fetch()};
  EXPECT_EQ(run.statements("INSERT INTO late VALUES(?)"), 500);
  EXPECT_EQ(run.statements("CREATE TABLE late(id INTEGER PRIMARY KEY)"), 1);
  EXPECT_EQ(run.statements("SELECT count(*) FROM late"), 1);
  EXPECT_EQ(run.value(kStatements), 502);
  EXPECT_EQ(run.value("nearzero_sqlite_opens_total"), 1);
  EXPECT_EQ(run.value("nearzero_sqlite_closes_total"), 1);
}

}  // namespace
}  // namespace nz::live
