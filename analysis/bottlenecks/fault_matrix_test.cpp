// The faults of the matrix (and some more), each with its known answer: what is on top, what it
// costs, with a reference, without, and for a target without stages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>

#include "analysis/bottlenecks/scene.h"
#include "analysis/text.h"

namespace nz::analysis::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

struct Fault {
  std::string name, kind;
  std::function<void(Scene&)> inject;
  double impact;      ///< expected share of the order's time
  bool alone = true;  ///< found without a reference, too
  bool without_stages = true;
  std::string place = {};  ///< in `where`
  /// What was there before it, too: the size of a disk, of a WAL.
  std::function<void(Scene&)> before = [](Scene&) {};
};

void PrintTo(const Fault& f, std::ostream* out) { *out << f.name; }

// A healthy order takes 281 us.
constexpr double kHealthy = 281;

void add_data_disk(Scene& s, double used) {
  const auto labels = [](const char* kind) {
    return Labels{{"mount", "/data"}, {"device", "vdb"}, {"kind", kind}};
  };
  s.gauge("nearzero_filesystem_bytes", labels("size"), 100e9);
  s.gauge("nearzero_filesystem_bytes", labels("available"), 100e9 * (1 - used));
}

void add_database(Scene& s) {
  add_data_disk(s, 0.6);
  s.gauge("nearzero_sqlite_database_bytes",
          {{"target", "demo"}, {"database", "/data/orders.db"}, {"kind", "main"}}, 64e6);
  s.gauge("nearzero_sqlite_database_device",
          {{"target", "demo"}, {"database", "/data/orders.db"}, {"device", "vdb"}}, 1);
}

// Each tenth order is not written.
void fail_inserts(Scene& s) {
  const Labels digest{{"target", "demo"}, {"digest", "bb02"}};
  const auto with = [&](const char* label, const char* value) {
    Labels labels = digest;
    labels.emplace_back(label, value);
    return labels;
  };
  s.counter("nearzero_sqlite_results_total", {{"target", "demo"}, {"code", "SQLITE_FULL"}}, 30);
  s.counter("nearzero_sqlite_statement_errors_total",
            with("statement", "INSERT INTO orders(account) VALUES(?)"), 30);
  s.gauge("nearzero_sqlite_statement_code", with("code", "SQLITE_FULL"), 1);
  s.gauge("nearzero_sqlite_statement_stage", with("stage", "persist"), 1);
}

std::vector<Fault> faults() {
  return {
      {"hog_on_the_same_core", "cpu_saturation",
       [](Scene& s) {
         s.us["signal"]["runnable"] = 400;
         s.us["risk"]["runnable"] = 300;
         s.others = 1.0;
         s.hog_cpu = 0;
       },
       695 / (kHealthy + 696), true, true, "CPU 0"},
      {"too_much_own_work", "cpu_saturation",
       [](Scene& s) {
         s.us["signal"]["runnable"] = 500;
         s.background = 1.8;
       },
       498 / (kHealthy + 498), true, false, "all CPUs"},
      {"noisy_neighbour", "noisy_neighbour",
       [](Scene& s) {
         s.us["signal"]["runnable"] = 300;
         s.others = 1.9;
         s.others_kernel = 0.2;
       },
       298 / (kHealthy + 298), true, true, "other processes"},
      {"cgroup_quota", "cpu_quota",
       [](Scene& s) {
         s.us["signal"]["runnable"] = 900;
         s.us["persist"]["runnable"] = 200;
         s.counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.3);
         s.counter("nearzero_target_throttled_periods_total", {{"target", "demo"}}, 8);
         s.gauge("nearzero_target_cpu_quota_cores", {{"target", "demo"}}, 0.1);
       },
       1097 / (kHealthy + 1097)},
      {"steal", "cpu_steal",
       [](Scene& s) {
         for (const char* stage : {"signal", "risk", "persist"}) s.us[stage]["running"] *= 1.6;
         s.us["signal"]["runnable"] = 40;
         s.stolen = 0.6;
       },
       // All of the running time that grew, and the wait with it.
       (156 + 38) / (kHealthy + 156 + 38), false, false},
      {"lock_convoy", "lock_contention",
       [](Scene& s) {
         s.us["risk"]["lock"] = 450;
         s.histogram("nearzero_offcpu_seconds", {{"target", "demo"}, {"reason", "lock"}}, 100,
                     1.5e-3);
       },
       449 / (kHealthy + 449), true, true, "stage risk"},
      {"slow_fsync", "slow_sync",
       [](Scene& s) {
         s.rate = 30;
         s.us["persist"]["disk"] = 20'000;
         s.waits["sync"] = {20'000, 1};
       },
       19'988 / (kHealthy + 19'988), true, true, "fsync"},
      {"slow_fsync_in_process", "slow_sync",
       [](Scene& s) {
         s.rate = 30;
         s.us["persist"]["sleep"] = 20'000;
         s.waits["sync"] = {20'000, 1};
       },
       19'998 / (kHealthy + 19'998), true, false},
      {"slow_fsync_without_sqlite", "slow_sync",
       [](Scene& s) {
         s.statements.clear();
         s.waits.clear();
         s.us["persist"]["disk"] = 8'000;
         s.counter("nearzero_blocked_syscall_seconds_total",
                   {{"target", "demo"}, {"syscall", "fdatasync"}}, 300 * 8e-3);
         s.counter("nearzero_blocked_syscalls_total",
                   {{"target", "demo"}, {"syscall", "fdatasync"}}, 300);
       },
       7'988 / (kHealthy + 7'988), true, true, "fsync"},
      {"disk_saturated", "disk_saturation",
       [](Scene& s) {
         s.us["persist"]["disk"] = 6'000;
         s.waits["sync"] = {5'900, 1};
         s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.99);
         s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 12);
         s.counter("nearzero_disk_operations_total", {{"device", "vda"}, {"op", "write"}}, 800);
       },
       5'988 / (kHealthy + 5'988), true, true, "host disk vda"},
      {"second_sqlite_writer", "sqlite_writer_contention",
       [](Scene& s) {
         s.us["persist"]["sleep"] = 3'000;
         s.waits["busy"] = {10'000, 0.3};
       },
       2'998 / (kHealthy + 2'998), true, false},
      {"missing_index", "slow_statement",
       [](Scene& s) {
         s.us["risk"]["running"] = 120 + 1'988;
         s.statements[0].mean_us = 2'000;
       },
       1'988 / (kHealthy + 1'988), true, false, "statement aa01"},
      {"query_in_a_loop", "slow_statement",
       [](Scene& s) {
         s.us["risk"]["running"] = 120 + 12 * 20;
         s.statements[0].per_order = 21;
       },
       240 / (kHealthy + 240), false, false, "statement aa01"},
      {"own_code", "own_code", [](Scene& s) { s.us["signal"]["running"] = 500; },
       400 / (kHealthy + 400), false, false, "stage signal"},
      {"page_fault_storm", "page_faults",
       [](Scene& s) {
         s.us["risk"]["running"] = 320;
         s.us["risk"]["page_fault"] = 300;
         s.own_kernel = 0.4;
         s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "minor"}},
                   300'000);
       },
       500 / (kHealthy + 500), true, false, "memory of demo"},
      {"memory_pressure", "memory_pressure",
       [](Scene& s) {
         s.us["risk"]["page_fault"] = 700;
         s.us["risk"]["disk"] = 100;
         s.counter("nearzero_pressure_seconds_total",
                   {{"scope", "host"}, {"resource", "memory"}, {"kind", "some"}}, 0.4);
         s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}},
                   200);
         s.counter("nearzero_host_vm_events_total", {{"event", "pswpin"}}, 2'000);
         s.histogram("nearzero_reclaim_stall_seconds", {{"target", "demo"}}, 20, 5e-3);
       },
       800 / (kHealthy + 800), true, false, "memory"},
      {"packet_loss", "network_loss",
       [](Scene& s) {
         s.us["persist"]["network"] = 900;
         s.counter("nearzero_tcp_retransmits_total", {{"target", "demo"}}, 25);
         s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 2e-3);
       },
       900 / (kHealthy + 900), true, false},
      {"fd_exhaustion", "fd_exhaustion",
       [](Scene& s) {
         s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "used"}}, 1024);
         s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "limit"}}, 1024);
         s.counter("nearzero_syscall_errors_total",
                   {{"target", "demo"}, {"syscall", "openat"}, {"errno", "EMFILE"}}, 60);
       },
       0.2, true, true, "open files"},
      {"fork_storm", "fork_storm",
       [](Scene& s) {
         s.us["signal"]["runnable"] = 400;
         s.others = 1.8;
         s.others_kernel = 1.4;
         s.forks = 4'000;
       },
       398 / (kHealthy + 398), true, true, "host forks"},
      {"checkpoint_stall", "checkpoint_stall",
       [](Scene& s) {
         s.us["persist"]["disk"] = 200;
         s.us["persist"]["running"] = 100;
         s.waits["checkpoint"] = {30'000, 0.01};
         s.waits["sync"] = {1'500, 0.02};
       },
       248 / (kHealthy + 248), false, false},
      {"slow_venue", "slow_dependency", [](Scene& s) { s.us["persist"]["network"] = 5'000; },
       5'000 / (kHealthy + 5'000), false, false, "stage persist"},
      // Limits that are reached: told whatever an order takes.
      {"wal_without_checkpoints", "wal_growth",
       [](Scene& s) {
         s.gauge("nearzero_sqlite_database_bytes",
                 {{"target", "demo"}, {"database", "/data/orders.db"}, {"kind", "wal"}}, 300e6);
       },
       0, false, true, "/data/orders.db",
       [](Scene& s) {
         s.gauge("nearzero_sqlite_database_bytes",
                 {{"target", "demo"}, {"database", "/data/orders.db"}, {"kind", "wal"}}, 4e6);
       }},
      {"a_connection_for_each_order", "sqlite_opens",
       [](Scene& s) {
         s.counter("nearzero_sqlite_opens_total", {{"target", "demo"}}, 300);
       },
       0, true, true, "connections to SQLite"},
      {"reader_that_stays_open", "long_transaction",
       [](Scene& s) {
         const Labels labels{
             {"target", "demo"}, {"digest", "cc03"}, {"statement", "SELECT * FROM fills"}};
         s.histogram("nearzero_sqlite_statement_open_seconds", labels, 0.1, 8);
         s.histogram("nearzero_sqlite_statement_duration_seconds", labels, 0.1, 0.2);
       },
       0, true, true, "statement cc03",
       [](Scene& s) {
         const Labels labels{
             {"target", "demo"}, {"digest", "cc03"}, {"statement", "SELECT * FROM fills"}};
         s.histogram("nearzero_sqlite_statement_open_seconds", labels, 0.1, 0.3);
         s.histogram("nearzero_sqlite_statement_duration_seconds", labels, 0.1, 0.2);
       }},
      {"nobody_accepts", "listen_overflow",
       [](Scene& s) {
         s.counter("nearzero_tcp_events_total", {{"event", "listen_overflows"}}, 40);
       },
       0, true, true, "listening sockets"},
      {"disk_full", "filesystem_full", [](Scene& s) { add_data_disk(s, 0.97); }, 0, true, true,
       "filesystem /data", [](Scene& s) { add_data_disk(s, 0.6); }},
      {"a_disk_that_fails", "disk_errors",
       [](Scene& s) {
         add_database(s);
         s.counter("nearzero_block_io_errors_total", {{"device", "vdb"}, {"op", "write"}}, 1.2);
         s.counter("nearzero_block_io_errors_total", {{"device", "vdb"}, {"op", "flush"}}, 0.3);
       },
       0, true, true, "host disk vdb", add_database},
      {"statements_that_fail", "disk_errors",
       [](Scene& s) {
         add_database(s);
         fail_inserts(s);
       },
       0.1, true, true, "SQLITE_FULL of demo", add_database},
  };
}

std::vector<Fault> faults_with(bool Fault::*property) {
  auto all = faults();
  std::erase_if(all, [&](const Fault& f) { return !(f.*property); });
  return all;
}

// A window with the fault, and one of before it at the same load.
std::pair<Scene, Scene> scenes(const Fault& fault) {
  Scene sick, healthy;
  fault.inject(sick);
  fault.before(healthy);
  healthy.rate = sick.rate;
  return {sick, healthy};
}

std::string example(const Finding& f) {
  constexpr std::array<const char*, 3> kSeverities = {"info", "warning", "critical"};
  std::string text = "EXAMPLE " + f.kind + "\n" + f.title + "\n" +
                     kSeverities.at(static_cast<std::size_t>(f.severity)) + ", impact " +
                     percent_text(f.impact) + " (" + seconds_text(f.impact_seconds) +
                     " per order), confidence " + percent_text(f.confidence) +
                     ", where: " + f.where + "\n";
  for (const Evidence& e : f.evidence) text += "  " + e.text + "  <- " + e.series + "\n";
  return text + "=> " + f.recommendation + "\n\n";
}

class FaultMatrix : public ::testing::TestWithParam<Fault> {};
class FaultAlone : public FaultMatrix {};          // others only a comparison tells
class FaultWithoutStages : public FaultMatrix {};  // others the scheduler alone does not tell

TEST_P(FaultMatrix, IsOnTopWithTheImpactThatItHas) {
  const Fault& fault = GetParam();
  const auto [sick, healthy] = scenes(fault);
  const auto found = find(sick, healthy);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, fault.kind) << told(found);
  EXPECT_NEAR(found[0].impact, fault.impact, 0.05 * fault.impact) << told(found);
  EXPECT_THAT(found[0].where, HasSubstr(fault.place));
  EXPECT_EQ(found[0].target, "demo");
  EXPECT_GE(found[0].confidence, 0.5) << told(found);
  double sum = 0;
  for (const Finding& f : found) sum += f.impact;
  EXPECT_LE(sum, 1 + 1e-9);
  // The examples of docs/bottlenecks.md.
  if (std::getenv("NZ_PRINT_FINDINGS") != nullptr) std::cout << example(found[0]);
}

TEST_P(FaultMatrix, IsTheOnlyFinding) {
  const auto [sick, healthy] = scenes(GetParam());
  const auto found = find(sick, healthy);
  EXPECT_EQ(found.size(), 1U) << told(found);
}

TEST_P(FaultAlone, IsFoundWithoutAReference) {
  const auto [sick, healthy] = scenes(GetParam());
  const auto found = find(sick, std::nullopt);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, GetParam().kind) << told(found);
  EXPECT_LT(found[0].confidence, 0.85);
}

TEST_P(FaultWithoutStages, IsLessSure) {
  auto [sick, healthy] = scenes(GetParam());
  const double sure = find(sick, healthy)[0].confidence;
  sick.stages = healthy.stages = false;
  const auto found = find(sick, healthy);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, GetParam().kind) << told(found);
  EXPECT_LT(found[0].confidence, sure);
  EXPECT_EQ(found[0].impact_seconds, 0) << "no order, no seconds of one";
}

TEST_P(FaultMatrix, UnderADutyCycleItIsTheSame) {
  auto [sick, healthy] = scenes(GetParam());
  const double impact = find(sick, healthy)[0].impact;
  sick.stages_observed = 0.4;
  healthy.stages_observed = 0.7;
  const auto found = find(sick, healthy);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, GetParam().kind) << told(found);
  EXPECT_NEAR(found[0].impact, impact, 0.05);
}

TEST_P(FaultMatrix, IsThereAtTwiceTheLoadOfTheReference) {
  auto [sick, healthy] = scenes(GetParam());
  healthy.rate = sick.rate / 2;
  const auto found = find(sick, healthy);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, GetParam().kind) << told(found);
}

TEST_P(FaultMatrix, SaysWhatItRestsOnAndWhatToDo) {
  const auto [sick, healthy] = scenes(GetParam());
  const Finding f = find(sick, healthy)[0];
  EXPECT_FALSE(f.title.empty());
  EXPECT_GE(f.recommendation.size(), 80U) << f.recommendation;
  EXPECT_GE(f.evidence.size(), 1U);
  int before = 0;
  for (const Evidence& e : f.evidence) {
    before += e.text.find("(before: ") != std::string::npos ? 1 : 0;
    EXPECT_TRUE(e.series.starts_with("nearzero_")) << e.series;
    EXPECT_FALSE(e.unit.empty()) << e.text;
    EXPECT_FALSE(std::isnan(e.value)) << e.text;
  }
  EXPECT_GE(before, 1) << "against the reference";
  EXPECT_EQ(f.from, sick.to - sick.seconds);
  EXPECT_EQ(f.to, sick.to);
  EXPECT_THAT(bottleneck_kinds(), Contains(f.kind));
}

TEST_P(FaultMatrix, AWindowOfAFewOrdersClaimsNoImpact) {
  auto [sick, healthy] = scenes(GetParam());
  sick.rate = 1;  // 10 orders
  healthy.rate = 1;
  for (const Finding& f : find(sick, healthy)) {
    EXPECT_EQ(f.impact_seconds, 0) << told({f});
    // What stands by itself (a limit reached, a disk or a CPU that is full) needs no orders.
    EXPECT_TRUE(f.kind == "cpu_saturation" || f.kind == "noisy_neighbour" ||
                f.kind == "fd_exhaustion" || f.kind == "network_loss" || f.kind == "fork_storm" ||
                f.kind == "disk_saturation" || f.kind == "memory_pressure" ||
                f.kind == "page_faults" || f.kind == "cpu_quota" || f.kind == "disk_errors" ||
                GetParam().impact == 0)
        << told({f});
  }
}

TEST_P(FaultMatrix, HasAnIdentityThatDoesNotMove) {
  auto [sick, healthy] = scenes(GetParam());
  const auto first = find(sick, healthy);
  sick.to += 10;
  for (auto& [stage, parts] : sick.us) {
    for (auto& [component, us] : parts) us *= 1.1;
  }
  const auto second = find(sick, healthy);
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(first[0].id, second[0].id);
}

constexpr auto kName = [](const auto& param) { return param.param.name; };
INSTANTIATE_TEST_SUITE_P(Faults, FaultMatrix, ::testing::ValuesIn(faults()), kName);
INSTANTIATE_TEST_SUITE_P(Faults, FaultAlone, ::testing::ValuesIn(faults_with(&Fault::alone)),
                         kName);
INSTANTIATE_TEST_SUITE_P(Faults, FaultWithoutStages,
                         ::testing::ValuesIn(faults_with(&Fault::without_stages)), kName);

// ---- two at once: both are named

struct Pair {
  std::string first, second;
};
void PrintTo(const Pair& p, std::ostream* out) { *out << p.first << "+" << p.second; }

class TwoFaults : public ::testing::TestWithParam<Pair> {};

TEST_P(TwoFaults, AreBothNamed) {
  Scene sick, healthy;
  std::vector<std::string> expected;
  const auto all = faults();
  // What one sets the other adds to: longer orders of both.
  std::map<std::string, std::map<std::string, double>> added;
  for (const std::string& name : {GetParam().first, GetParam().second}) {
    const auto fault =
        std::find_if(all.begin(), all.end(), [&](const Fault& f) { return f.name == name; });
    ASSERT_NE(fault, all.end()) << name;
    Scene before = sick;
    sick.us = healthy.us;
    fault->inject(sick);
    for (auto& [stage, parts] : sick.us) {
      for (auto& [component, us] : parts) {
        const double normal = healthy.us[stage][component];
        us = before.us[stage][component] + us - normal;
      }
    }
    expected.push_back(fault->kind);
  }
  healthy.rate = sick.rate;
  const auto found = find(sick, healthy);
  for (const std::string& kind : expected) {
    EXPECT_THAT(kinds(found), Contains(kind)) << told(found);
  }
  EXPECT_EQ(found.size(), 2U) << told(found);
}

INSTANTIATE_TEST_SUITE_P(
    Pairs, TwoFaults,
    ::testing::ValuesIn(std::vector<Pair>{
        {"hog_on_the_same_core", "lock_convoy"},   {"hog_on_the_same_core", "second_sqlite_writer"},
        {"noisy_neighbour", "missing_index"},      {"noisy_neighbour", "slow_fsync_without_sqlite"},
        {"lock_convoy", "missing_index"},          {"lock_convoy", "second_sqlite_writer"},
        {"missing_index", "second_sqlite_writer"}, {"missing_index", "packet_loss"},
        {"missing_index", "fd_exhaustion"},        {"cgroup_quota", "lock_convoy"},
        {"disk_saturated", "lock_convoy"},         {"disk_saturated", "noisy_neighbour"},
        {"disk_saturated", "missing_index"},       {"memory_pressure", "lock_convoy"},
        {"memory_pressure", "missing_index"},      {"packet_loss", "lock_convoy"},
        {"packet_loss", "hog_on_the_same_core"},   {"fork_storm", "missing_index"},
        {"fork_storm", "second_sqlite_writer"},    {"page_fault_storm", "lock_convoy"},
        {"fd_exhaustion", "hog_on_the_same_core"}, {"statements_that_fail", "lock_convoy"},
    }),
    [](const auto& param) { return param.param.first + "_and_" + param.param.second; });

}  // namespace
}  // namespace nz::analysis::test
