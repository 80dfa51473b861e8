// `nearzero list` and `nearzero check` on real binaries and processes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <set>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

using nlohmann::json;

const std::string kFunctions = std::string(NZ_WORKLOADS) + "/nz-functions";
const std::string kSqlite = std::string(NZ_WORKLOADS) + "/nz-sqlite";

json as_json(const Outcome& o) {
  json parsed = json::parse(o.out, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << o.out << o.err;
  return parsed;
}

// ---- list

TEST(List, ShowsWhereTheProbeOfEachKnownEntryWouldSit) {
  const Outcome o = run({"list", kFunctions + ":nz_entry_*", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  std::map<std::string, json> functions;
  const json all = as_json(o);
  for (const json& f : all["functions"]) functions[f["name"]] = f;
  EXPECT_EQ(functions.at("nz_entry_push")["entry"]["into_function"], 0);
  EXPECT_EQ(functions.at("nz_entry_endbr")["entry"]["into_function"], 4);
  EXPECT_TRUE(functions.at("nz_entry_push")["entry"]["emulated"].get<bool>());
  EXPECT_FALSE(functions.at("nz_entry_plain")["entry"]["emulated"].get<bool>());
  EXPECT_GT(functions.at("nz_entry_plain")["entry_ns"].get<double>(),
            5 * functions.at("nz_entry_push")["entry_ns"].get<double>());
}

TEST(List, TextAlignsAndCountsWhatItLeavesOut) {
  const Outcome o = run({"list", kFunctions + ":nz_entry_*", "--limit", "3"});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.out, {"ADDRESS", "ENTRY AT", "FUNCTION", "3 of ", "--limit 0"}));
}

TEST(List, FindsWhatAProcessMapsAndItsExecutable) {
  Workload sqlite("nz-sqlite", {"--mode", "lookup", "--count", "1"});
  const std::string pid = std::to_string(sqlite.pid());
  const Outcome library = run({"list", "-p", pid, "libsqlite3:sqlite3_step"});
  EXPECT_EQ(library.code, 0) << library.err;
  EXPECT_TRUE(says(library.out, {"sqlite3_step", "1 of 1 functions"}));
  const Outcome own = run({"list", "-p", pid, ":main"});
  EXPECT_EQ(own.code, 0) << own.err;
}

TEST(List, UsdtProbesOfLibstdcxx) {
  const Outcome o = run({"list", "usdt:libstdc++:*t*h*", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  std::set<std::string> names;
  const json all = as_json(o);
  for (const json& p : all["probes"]) names.insert(p["name"]);
  EXPECT_TRUE(names.contains("throw") && names.contains("catch")) << o.out;
  EXPECT_EQ(run({"list", "usdt:libstdc++:nothing-like-it"}).code, 9);
  EXPECT_TRUE(says(run({"list", "usdt:/bin/true"}).out, {"has no USDT probes"}));
}

TEST(List, SystemCallsByPattern) {
  const Outcome o = run({"list", "syscalls:f*sync"});
  ASSERT_EQ(o.code, 0);
  EXPECT_TRUE(says(o.out, {"74  fsync", "75  fdatasync"}));
  EXPECT_EQ(o.out.find("openat"), std::string::npos);
  EXPECT_EQ(run({"list", "syscalls:nothing*"}).code, 9);
}

TEST(List, UsersOfSqliteWithLinkageVersionPlansAndDatabases) {
  const std::string file = temporary_file("list.db", "");
  Program shared(
      {kSqlite, "--mode", "cursor", "--count", "1", "--pause-ms", "20000", "--db", file});
  Program bundled({std::string(NZ_WORKLOADS) + "/nz-sqlite-static", "--mode", "cursor", "--count",
                   "1", "--pause-ms", "20000"});
  json mine;
  EXPECT_TRUE(eventually(
      [&] {
        const json all = as_json(run({"list", "sqlite", "-f", "json"}));
        mine.clear();
        for (const json& p : all["processes"]) {
          if (p["pid"] == shared.pid() && !p["databases"].empty()) mine["shared"] = p;
          if (p["pid"] == bundled.pid() && !p["databases"].empty()) mine["static"] = p;
        }
        return mine.size() == 2;
      },
      10));
  ASSERT_EQ(mine.size(), 2U);
  for (const char* linkage : {"shared", "static"}) {
    EXPECT_EQ(mine[linkage]["linkage"], linkage);
    EXPECT_TRUE(mine[linkage]["version"].get<std::string>().starts_with("3.")) << mine;
    EXPECT_EQ(mine[linkage]["plans"], json({"step", "boundary"}));
  }
  EXPECT_NE(mine["shared"]["databases"].dump().find("list.db"), std::string::npos) << mine;
  const json all = as_json(run({"list", "sqlite", "-f", "json"}));
  for (const json& p : all["processes"])
    EXPECT_NE(p["comm"], "nearzero") << "does not take itself for a user of SQLite";
}

TEST(List, WrongQuestionsGetTextsThatHelp) {
  EXPECT_TRUE(says(run({"list", kFunctions + ":nz_entry_pish"}).err, {"nz_entry_push"}));
  EXPECT_EQ(run({"list", "/etc/passwd:f"}).code, 9);
  EXPECT_EQ(run({"list", "no-such-program:f"}).code, 9);
  EXPECT_EQ(run({"list", "-p", "4194999", ":f"}).code, 9);
  EXPECT_EQ(run({"list", "-p", "-1", ":f"}).code, 2);
  EXPECT_EQ(run({"list", "-f", "xml", "libc"}).code, 2);
  EXPECT_EQ(run({"list"}).code, 0) << "says what can be listed";
}

// ---- check

TEST(Check, OfTheHostSaysWhatIsThereAndWhatAHitCosts) {
  const Outcome o = run({"check", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.out << o.err;
  const json all = as_json(o);
  std::set<std::string> names;
  for (const json& row : all["rows"]) {
    names.insert(row["name"]);
    EXPECT_NE(row["state"], "MISSING") << row;
  }
  for (const char* name : {"kernel", "privileges", "type information", "programs", "memory"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_TRUE(all["prices_ns"]["uprobe, emulated"]["measured"].get<bool>()) << all;
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 5)) << "nothing is left";
}

TEST(Check, CountsTheCallsOfOneProcessAndFollowsWithTheOverhead) {
  Workload functions("nz-functions",
                     {"--call", "nz_spin", "--spin-ns", "1000000", "--count", "2000"});
  functions.go();
  const Outcome o = run({"check", kFunctions + ":nz_spin", "-p", std::to_string(functions.pid()),
                         "-s", "1", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const json all = as_json(o);
  ASSERT_EQ(all["functions"].size(), 1U) << all;
  const json& f = all["functions"][0];
  const double per_second = f["calls_per_second"];
  EXPECT_GT(per_second, 300) << all;
  EXPECT_LT(per_second, 1100) << "one a millisecond";
  EXPECT_NEAR(f["entry_overhead"].get<double>(), per_second * f["entry_ns"].get<double>() / 1e9,
              1e-6);
  EXPECT_EQ(all["processes"][0]["comm"], "nz-functions");
}

TEST(Check, StopsCountingWhenThatIsDear) {
  Workload functions("nz-functions", {"--call", "nz_entry_push", "--count", "400000000"});
  functions.go();
  const Outcome o = run({"check", kFunctions + ":nz_entry_push", "-p",
                         std::to_string(functions.pid()), "-s", "10", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const json all = as_json(o);
  EXPECT_TRUE(all["stopped_early"].get<bool>()) << all;
  EXPECT_LT(all["counted_seconds"].get<double>(), 1.0);
}

TEST(Check, RefusalsAreSaidAndHaveTheirExitCode) {
  // An exception may pass: exit instructions instead of a return probe.
  const Outcome o =
      run({"check", std::string(NZ_WORKLOADS) + "/nz-unwind:unwind::middle", "-s", "0"});
  EXPECT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.out, {"exit", "unwinder"}));
  EXPECT_EQ(run({"check", "libc:nothing_like_this", "-s", "0"}).code, 9);
  EXPECT_EQ(run({"check", "libc", "-s", "0"}).code, 2) << "no symbol";
  EXPECT_EQ(run({"check", "libc:*", "-s", "0"}).code, 2) << "too many";
}

}  // namespace
}  // namespace nz::live
