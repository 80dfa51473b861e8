// How an agent begins, is switched off and on, reloads and ends, seen from the kernel and from the
// process that it observes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/live/harness/agent.h"
#include "tests/live/kernel_view.h"
#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

const std::string kFunctions = std::string(NZ_WORKLOADS) + "/nz-functions";

// All instances of nz-functions of this build, so that one can start after the agent.
std::string functions_target(const std::string& name = "orders") {
  return "targets:\n  - name: " + name + "\n    match: {exe: " + kFunctions +
         "}\n    stages:\n      - {" + function_stage("push", "nz_entry_push", true) + "}\n";
}

std::vector<std::string> calls(uint64_t n) {
  return {"--call", "nz_entry_push", "--count", std::to_string(n)};
}

// Runs `n` calls in a new process, observed from its first one on if an agent is attached.
void make_calls(const Agent& agent, uint64_t n, bool observed = true) {
  Workload w("nz-functions", calls(n));
  if (observed) {
    ASSERT_TRUE(agent.has_member(w.pid()));
  }
  w.go();
  EXPECT_EQ(w.wait(60), 0);
}

uint64_t counted(const Agent& agent, const std::string& target = "orders") {
  agent.settle();
  return stage_counts(agent.fetch(), target, "push").completed;
}

void rewrite(const std::string& file, const std::string& from, const std::string& to) {
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
  std::ofstream(file) << text;
}

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {(std::istreambuf_iterator<char>(in)), {}};
}

// A signal that ends it, with a target attached.
void ends_cleanly(int number) {
  Workload w("nz-functions", calls(1000));
  Agent agent(kNoBreaker + functions_target(), true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  const BpfObjects objects = bpf_objects_of(agent.program().pid());
  EXPECT_GT(objects.links.size(), 4U) << objects.text();
  EXPECT_GT(changed_text_bytes(w.pid()), 0);
  agent.program().signal(number);
  EXPECT_EQ(agent.program().wait(20), 0);
  EXPECT_TRUE(agent.program().wait_for_text("nothing is left attached", 1));
  EXPECT_EQ(changed_text_bytes(w.pid()), 0);
  // Maps and programs are freed after a grace period.
  EXPECT_TRUE(eventually([&] { return still_listed(objects).empty(); }, 2))
      << still_listed(objects).text();
  EXPECT_FALSE(std::filesystem::exists(agent.runtime_dir() + "/agent.sock"));
  w.go();
  EXPECT_EQ(w.wait(20), 0);
}

TEST(End, Sigterm) { ends_cleanly(SIGTERM); }
TEST(End, Sigint) { ends_cleanly(SIGINT); }

TEST(End, Killed) {
  Workload w("nz-functions", calls(1000));
  Agent agent(kNoBreaker + functions_target(), true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  const BpfObjects objects = bpf_objects_of(agent.program().pid());
  EXPECT_GE(objects.programs.size(), 10U) << objects.text();
  EXPECT_GE(objects.maps.size(), 10U) << objects.text();
  EXPECT_GE(objects.links.size(), 5U) << objects.text();
  EXPECT_EQ(still_listed(objects).text(), objects.text()) << "bpftool lists all of them";
  EXPECT_GT(changed_text_bytes(w.pid()), 0);
  agent.program().signal(SIGKILL);
  EXPECT_TRUE(eventually(
      [&] { return changed_text_bytes(w.pid()) == 0 && still_listed(objects).empty(); }, 2))
      << still_listed(objects).text() << ", text bytes changed: " << changed_text_bytes(w.pid());
  w.go();
  EXPECT_EQ(w.wait(20), 0);
  EXPECT_EQ(w.json()["wrong"], 0);
}

TEST(End, AgentAfterAKilledOne) {
  std::string folder;
  {
    Agent first("");
    folder = first.runtime_dir();
    first.program().signal(SIGKILL);
    EXPECT_EQ(first.program().wait(10), 128 + SIGKILL);
  }
  ASSERT_TRUE(std::filesystem::exists(folder + "/agent.sock"))
      << "stale, as it should be for this test";
  ASSERT_TRUE(std::filesystem::exists(folder + "/agent.lock"));
  const std::string file = temporary_file(
      "again.yaml",
      "listen: 127.0.0.1:0\noverhead: {calibrate: false, duty_cycle: false}\nruntime_dir: " +
          folder + "\n");
  Program second({NZ_AGENT, "agent", "--config", file});
  EXPECT_TRUE(second.wait_for_text("\"ready after", 60)) << second.err();
  EXPECT_EQ(content(folder + "/agent.lock"), std::to_string(second.pid()));
  Program status({NZ_AGENT, "status", "--runtime-dir", folder});
  EXPECT_EQ(status.wait(20), 0);
  EXPECT_EQ(status.json()["status"], "ok") << status.out();
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait(20), 0);
}

TEST(Start, ASignalMeanwhileEndsItCleanly) {
  const std::string folder = temporary_file("run", "") + ".d";
  const std::string file =
      temporary_file("early.yaml", "listen: 127.0.0.1:0\nruntime_dir: " + folder + "\n");
  Program agent({NZ_AGENT, "agent", "--config", file});
  // The lock is the first thing that shows; signals are held from before it.
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder + "/agent.lock"); }, 20));
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait(60), 0);
  EXPECT_EQ(agent.err().find("ready after"), std::string::npos)
      << "it was told to end before it was ready";
  EXPECT_TRUE(agent.wait_for_text("nothing is left attached", 1));
}

// ---- off and on
// ------------------------------------------------------------------------------------------

TEST(OffOn, DetachesEverythingAndGoesOnFromWhereItWas) {
  Workload w("nz-functions", calls(1));
  Agent agent(kNoBreaker + functions_target(), true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  make_calls(agent, 1000);
  EXPECT_EQ(counted(agent), 1000U);
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_probe_attached", {{"probe", "stages:push"}}), 1);
  EXPECT_GT(changed_text_bytes(w.pid()), 0);

  EXPECT_NE(agent.control("off").find("off: everything detached"), std::string::npos);
  EXPECT_TRUE(bpf_objects_of(agent.program().pid()).links.empty())
      << bpf_objects_of(agent.program().pid()).text();
  EXPECT_EQ(changed_text_bytes(w.pid()), 0);
  const auto off = agent.fetch();
  EXPECT_EQ(value_of(off, "nearzero_probe_attached", {}), 0) << "no probe claims to be attached";
  EXPECT_EQ(value_of(off, "nearzero_off", {}), 1);
  EXPECT_NE(agent.get("/healthz").find("\"status\": \"off\""), std::string::npos);
  EXPECT_EQ(agent.control("off"), "already off\n");
  const double switches = value_of(off, "nearzero_context_switches_total", {});
  make_calls(agent, 500, false);
  EXPECT_EQ(counted(agent), 1000U);
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_context_switches_total", {}), switches);

  EXPECT_EQ(agent.control("on"), "on\n");
  EXPECT_GT(changed_text_bytes(w.pid()), 0)
      << "the process that was there all the time is attached again";
  EXPECT_EQ(agent.control("on"), "already on\n");
  make_calls(agent, 700);
  EXPECT_EQ(counted(agent), 1700U);
  const auto on = agent.fetch();
  EXPECT_GT(value_of(on, "nearzero_context_switches_total", {}), switches);
  EXPECT_EQ(value_of(on, "nearzero_off", {}), 0);
  EXPECT_EQ(value_of(on, "nearzero_probe_attached", {{"probe", "stages:push"}}), 1);
  w.go();
  EXPECT_EQ(w.wait(20), 0);
  EXPECT_EQ(counted(agent), 1701U);
}

TEST(Many, LinksCloseTogether) {
  // Each link takes 20 to 40 ms to close: one after the other, 120 of them would take 2.4 s or
  // more.
  std::vector<std::unique_ptr<Workload>> workloads;
  for (int i = 0; i < 60; i++) {
    workloads.push_back(std::make_unique<Workload>("nz-functions", calls(3)));
  }
  Agent agent(kNoBreaker + functions_target() + "      - {" +
                  function_stage("exits", "nz_entry_endbr") + "}\n",
              true);
  for (const auto& w : workloads) ASSERT_TRUE(agent.has_member(w->pid()));
  EXPECT_GE(bpf_objects_of(agent.program().pid()).links.size(), 120U);
  for (const bool again : {false, true}) {
    const std::string answer = agent.control("off");
    int ms = -1;
    ASSERT_EQ(std::sscanf(answer.c_str(), "off: everything detached in %d ms", &ms), 1) << answer;
    std::printf("120 links detached in %d ms\n", ms);
    EXPECT_LT(ms, 1500);
    EXPECT_TRUE(bpf_objects_of(agent.program().pid()).links.empty());
    for (const auto& w : workloads) EXPECT_EQ(changed_text_bytes(w->pid()), 0);
    if (!again) {
      EXPECT_EQ(agent.control("on"), "on\n");
    }
  }
  EXPECT_EQ(agent.control("on"), "on\n");

  // Forty end at once; the drain goes on.
  for (int i = 0; i < 40; i++) workloads[static_cast<size_t>(i)]->go();
  for (int i = 0; i < 40; i++) EXPECT_EQ(workloads[static_cast<size_t>(i)]->wait(20), 0);
  EXPECT_TRUE(eventually(
      [&] {
        return value_of(agent.fetch(), "nearzero_target_processes", {{"target", "orders"}}) == 20;
      },
      2.5));
  EXPECT_EQ(counted(agent), 40U * 3);
}

TEST(OffOn, TimeSpentOffIsNobodysDuration) {
  // A thread that was blocked, or inside a stage, when it was switched off.
  Workload w("nz-functions", {"--call", "nz_spin", "--spin-ns", "2000000", "--count", "4000"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("orders", w.pid(), {function_stage("spin", "nz_spin", true)}),
              true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  w.go();
  ASSERT_TRUE(eventually(
      [&] { return stage_counts(agent.fetch(), "orders", "spin").completed > 200; }, 10));
  (void)agent.control("off");
  sleep_seconds(2);
  (void)agent.control("on");
  const uint64_t before = stage_counts(agent.fetch(), "orders", "spin").completed;
  ASSERT_TRUE(eventually(
      [&] { return stage_counts(agent.fetch(), "orders", "spin").completed > before + 200; }, 10));
  const auto spin = stage_counts(agent.fetch(), "orders", "spin").duration;
  // A spin lasts 2 ms plus what the scheduler takes: nowhere near the 2 s of the pause.
  EXPECT_LT(spin.quantile(1.0), 1.5);
}

// ---- SIGHUP
// -------------------------------------------------------------------------------------------------

TEST(Reload, ABrokenFileKeepsTheOldConfiguration) {
  Agent agent(kNoBreaker + functions_target(), true);
  make_calls(agent, 300);
  rewrite(agent.config_file(), "stages:", "stagse:");
  rewrite(agent.config_file(), "match:", "mtach:");
  agent.program().signal(SIGHUP);
  ASSERT_TRUE(agent.program().wait_for_text("the old configuration stays in force", 10));
  const std::string log = agent.program().err();
  for (const char* word : {"stagse", "mtach", ".yaml:"})
    EXPECT_NE(log.find(word), std::string::npos) << word;
  EXPECT_EQ(log.find("configuration reloaded"), std::string::npos);
  make_calls(agent, 200);
  EXPECT_EQ(counted(agent), 500U);

  std::filesystem::remove(agent.config_file());
  agent.program().signal(SIGHUP);
  ASSERT_TRUE(agent.program().wait_for_text("No such file or directory", 10));
  make_calls(agent, 1);
  EXPECT_EQ(counted(agent), 501U);
}

TEST(Reload, ANewTargetIsObservedAndAnOldOneLeft) {
  Workload w("nz-functions", calls(900));
  Agent agent(kNoBreaker, true);
  EXPECT_EQ(changed_text_bytes(w.pid()), 0);
  std::ofstream(agent.config_file(), std::ios::app) << functions_target();
  agent.program().signal(SIGHUP);
  ASSERT_TRUE(agent.program().wait_for_text("configuration reloaded", 10));
  ASSERT_TRUE(agent.has_member(w.pid()));
  EXPECT_GT(changed_text_bytes(w.pid()), 0);
  w.go();
  EXPECT_EQ(w.wait(20), 0);
  EXPECT_EQ(counted(agent), 900U);

  Workload later("nz-functions", calls(100));
  ASSERT_TRUE(agent.has_member(later.pid()));
  rewrite(agent.config_file(), functions_target(), "");
  agent.program().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return changed_text_bytes(later.pid()) == 0; }, 10)) << "detached";
  later.go();
  EXPECT_EQ(later.wait(20), 0);
}

TEST(Reload, LosesNoCountOfATargetThatDidNotChange) {
  constexpr uint64_t kCalls = 1'500'000;
  Workload w("nz-functions", calls(kCalls));
  Agent agent(kNoBreaker + functions_target(), true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  w.go();
  int reloads = 0;
  while (w.running() && reloads < 20) {
    rewrite(agent.config_file(), reloads % 2 == 0 ? "listen:" : "drain_interval: 500ms\nlisten:",
            reloads % 2 == 0 ? "drain_interval: 500ms\nlisten:" : "listen:");
    agent.program().signal(SIGHUP);
    reloads++;
    sleep_seconds(0.1);
  }
  EXPECT_GT(reloads, 3) << "several while it ran";
  EXPECT_EQ(w.wait(120), 0);
  EXPECT_EQ(counted(agent), kCalls);
}

TEST(Reload, SaysWhatNeedsARestart) {
  Agent agent("");
  rewrite(agent.config_file(), "127.0.0.1:" + std::to_string(agent.port()), "127.0.0.1:1");
  for (int i = 0; i < 2; i++) {
    agent.program().signal(SIGHUP);
    ASSERT_TRUE(eventually(
        [&] {
          const std::string log = agent.program().err();
          size_t n = 0;
          for (size_t at = 0;
               (at = log.find("take effect at the next start", at)) != std::string::npos; at++)
            n++;
          return n == static_cast<size_t>(i) + 1;
        },
        10))
        << "each time, not only the first";
  }
  int status = 0;
  (void)agent.get("/readyz", &status);
  EXPECT_EQ(status, 200) << "still at the old address";
}

TEST(Reload, WithoutAFileThereIsNothingToRead) {
  const std::string folder = temporary_file("run", "") + ".d";
  Program agent({NZ_AGENT, "agent", "--listen", "127.0.0.1:0"},
                {"NEARZERO_RUNTIME_DIR=" + folder, "NEARZERO_OVERHEAD_CALIBRATE=false"});
  ASSERT_TRUE(agent.wait_for_text("\"ready after", 60)) << agent.err();
  agent.signal(SIGHUP);
  EXPECT_TRUE(agent.wait_for_text("no configuration file to reload", 10));
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait(20), 0);
}

}  // namespace
}  // namespace nz::live
