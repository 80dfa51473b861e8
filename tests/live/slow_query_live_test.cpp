// Single slow statements, with the real agent: each over the threshold is logged once with its
// breakdown, none below; what the rate limit keeps back is counted; a missing index is named.
#include <gmock/gmock.h>

#include <regex>

#include "tests/live/sqlite_observed.h"

namespace nz::live {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSlow = "nearzero_sqlite_slow_statements_total";
const std::string kDropped = "nearzero_sqlite_slow_dropped_total";
const std::string kNapRead = "SELECT nap(?1), 'secret' FROM item WHERE id = 7";
const std::string kNapWrite = "UPDATE item SET value = id * 7 WHERE id = 7 AND nap(?1)";

std::string digest_of(const std::string& sql) {
  return analysis::digest_of_display(analysis::display_sql(sql));
}

// With the log of slow statements, which the agent writes at level debug, to be read here.
std::unique_ptr<Agent> agent_for(const std::string& match, const std::string& sqlite,
                                 const std::string& stages = "") {
  return std::make_unique<Agent>("host: false\nlog: {level: debug}\ntargets: [{name: db, match: {" +
                                 match + "}, scheduler: false, stages: [" + stages +
                                 "], sqlite: {" + sqlite + "}}]");
}
const std::string kSqlite = "exe: \"" NZ_WORKLOADS "/nz-sqlite*\"";
std::unique_ptr<Agent> agent_for(const std::string& sqlite) { return agent_for(kSqlite, sqlite); }

using Fields = std::map<std::string, std::string>;

// The lines of the log that begin with "slow statement: ", as their fields.
std::vector<Fields> slow_lines(Agent& agent) {
  std::vector<Fields> all;
  const std::regex field("(\\w+)=(\\S+)");
  std::istringstream text(agent.program().err());
  std::string line;
  while (std::getline(text, line)) {
    const size_t begin = line.find("slow statement: "), sql = line.find(" sql=");
    if (begin == std::string::npos || sql == std::string::npos) continue;
    const std::string head = line.substr(begin, sql - begin);
    Fields fields;
    for (auto at = std::sregex_iterator(head.begin(), head.end(), field);
         at != std::sregex_iterator(); ++at)
      fields[(*at)[1]] = (*at)[2];
    const size_t end = line.rfind('"');  // of the message, the last of the JSON line
    fields["sql"] = line.substr(sql + 5, end - sql - 5);
    all.push_back(std::move(fields));
  }
  return all;
}

double number(const Fields& fields, const char* key) { return std::stod(fields.at(key)); }

struct Naps : ::testing::TestWithParam<std::string> {};

TEST_P(Naps, AreLoggedEachOnceWithTheirBreakdown) {
  stop_shared_agents();
  const auto agent =
      agent_for(kSqlite, "plan: " + GetParam() + ", slow: 10ms",
                "{name: risk, function: nz_first_step}, {name: submit, function: nz_later_steps}");
  const Observed run =
      run_with(*agent, "nz-sqlite", {"--mode", "naps", "--count", "20", "--pause-ms", "30"});
  EXPECT_EQ(run.value(kSlow, {{"digest", digest_of(kNapRead)}}), 20);
  EXPECT_EQ(run.value(kSlow, {{"digest", digest_of(kNapWrite)}}), 20);
  EXPECT_EQ(run.statements("SELECT value FROM item WHERE id = ?1"), 40);
  EXPECT_EQ(run.value(kSlow, {{"digest", digest_of("SELECT value FROM item WHERE id = ?")}}), 0);
  EXPECT_EQ(run.value(kDropped), 0);
  for (const std::string& sql : {kNapRead, kNapWrite}) {
    const auto stage_is = [&](const char* stage) {
      return run.value("nearzero_sqlite_statement_stage",
                       {{"digest", digest_of(sql)}, {"stage", stage}});
    };
    EXPECT_EQ(stage_is("risk"), 1) << sql;
    EXPECT_EQ(stage_is("submit"), 0) << sql;
  }
  size_t naps = 0;
  for (const Fields& f : slow_lines(*agent)) {
    EXPECT_THAT(f.at("sql"), Not(HasSubstr("secret")));
    const bool read = f.at("digest") == digest_of(kNapRead);
    if (!read && f.at("digest") != digest_of(kNapWrite)) continue;  // the schema, on a slow disk
    naps++;
    EXPECT_EQ(f.at("target"), "db");
    EXPECT_EQ(f.at("stage"), "risk") << "where it began; reads end in the other";
    EXPECT_GE(number(f, "open"), 0.030);
    EXPECT_LT(number(f, "open"), 1.0);
    EXPECT_EQ(number(f, "busy"), 0);
    const bool known = GetParam() == "step" || !read;
    EXPECT_EQ(f.at("inside_known"), known ? "true" : "false");
    if (known) {
      EXPECT_GE(number(f, "inside"), 0.030);
      EXPECT_LE(number(f, "inside"), number(f, "open"));
    } else {
      EXPECT_EQ(number(f, "inside"), 0);
    }
    EXPECT_EQ(number(f, "rows"), GetParam() == "step" && read ? 1 : 0);
    EXPECT_EQ(number(f, "result"), GetParam() == "step" ? 101 : 0);
    EXPECT_LE(number(f, "sync") + number(f, "checkpoint"), number(f, "open"));
  }
  EXPECT_EQ(naps, 40U);
}

// Read with rows of their own: a write waits for a lock that is held for a known time.
TEST_P(Naps, WaitsForALockAreInTheBreakdown) {
  stop_shared_agents();
  const auto agent = agent_for("plan: " + GetParam() + ", slow: 50ms");
  const Observed run =
      run_with(*agent, "nz-sqlite", {"--mode", "busy", "--count", "5", "--pause-ms", "100"});
  const std::string insert = digest_of("INSERT INTO written(value) VALUES(?1)");
  EXPECT_EQ(run.value(kSlow, {{"digest", insert}}), 5);
  double busy = 0;
  for (const Fields& f : slow_lines(*agent)) {
    if (f.at("digest") != insert) continue;
    busy += number(f, "busy");
    EXPECT_GE(number(f, "busy"), 0.090);
    EXPECT_LE(number(f, "busy"), number(f, "inside"));
  }
  // The same waits as the histogram has.
  const auto waits = run.histogram("nearzero_sqlite_wait_seconds", {{"kind", "busy"}});
  EXPECT_NEAR(busy, static_cast<double>(waits.sum_ns) / 1e9, 0.001);
  EXPECT_NEAR(busy,
              run.value("nearzero_sqlite_statement_wait_seconds_total",
                        {{"digest", insert}, {"kind", "busy"}}),
              0.001);
}

INSTANTIATE_TEST_SUITE_P(All, Naps, ::testing::Values("step", "boundary"),
                         [](const auto& info) { return info.param; });

TEST(SlowStatements, MoreThanTheRateIsCounted) {
  stop_shared_agents();
  const auto agent = agent_for("plan: step, slow: 1ms");
  const Observed run =
      run_with(*agent, "nz-sqlite", {"--mode", "naps", "--count", "150", "--pause-ms", "2"});
  double logged = 0;
  for (const std::string& sql : {kNapRead, kNapWrite})
    logged += run.value(kSlow, {{"digest", digest_of(sql)}});
  const double others = run.value(kSlow) - logged;
  const double dropped = run.value(kDropped, {{"cause", "rate"}});
  EXPECT_GE(logged + dropped, 300);
  EXPECT_LE(logged + dropped - 300, 50) << "lookups and the schema";
  EXPECT_GE(logged + others, 64) << "the burst";
  EXPECT_GT(dropped, 20);
  EXPECT_EQ(run.value(kDropped, {{"cause", "ring_full"}}), 0);
}

TEST(SlowStatements, OffTellsNothingAndAutoBeginsAtTenMilliseconds) {
  stop_shared_agents();
  for (const auto& [slow, wanted] : {std::pair{"off", 0.0}, std::pair{"auto", 10.0}}) {
    const auto agent = agent_for("plan: step, slow: " + std::string(slow));
    const Observed run =
        run_with(*agent, "nz-sqlite", {"--mode", "naps", "--count", "5", "--pause-ms", "15"});
    EXPECT_EQ(run.value(kSlow, {{"digest", digest_of(kNapRead)}}) +
                  run.value(kSlow, {{"digest", digest_of(kNapWrite)}}),
              wanted);
  }
}

TEST(SlowStatements, LiteralsAreKeptWhereTheTargetSaysSo) {
  stop_shared_agents();
  const auto agent = agent_for("plan: step, slow: 10ms, keep_literals: true");
  run_with(*agent, "nz-sqlite", {"--mode", "naps", "--count", "3", "--pause-ms", "15"});
  size_t kept = 0;
  for (const Fields& f : slow_lines(*agent)) kept += f.at("sql") == kNapRead ? 1 : 0;
  EXPECT_EQ(kept, 3U);
}

TEST(SlowStatements, AMissingIndexIsNamed) {
  stop_shared_agents();
  Workload demo("nz-demo", {"--fault", "missing-index", "--rate", "100", "--threads", "1",
                            "--duration", "15"});
  const auto agent =
      agent_for("pid: " + std::to_string(demo.pid()), "plan: step, slow: 1ms, explain: true");
  expect_attached(*agent, demo.pid());
  demo.go();
  EXPECT_TRUE(eventually(
      [&] { return agent->program().err().find("ON risk_limits(account)") != std::string::npos; },
      14))
      << agent->program().err();
  EXPECT_THAT(agent->program().err(),
              HasSubstr("CREATE INDEX risk_limits_account ON risk_limits(account)"));
  EXPECT_GT(value_of(agent->fetch(), "nearzero_sqlite_database_bytes", {{"kind", "main"}}), 0);
  // The demo's own writers saw no lock of ours.
  EXPECT_EQ(value_of(agent->fetch(), "nearzero_sqlite_results_total", {{"code", "SQLITE_BUSY"}}),
            0);
  demo.signal(SIGINT);
  demo.wait(20);
}

}  // namespace
}  // namespace nz::live
