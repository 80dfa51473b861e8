// Targets chosen by pid, command, executable and cgroup, several at once, and followed through
// fork, exec, exit and restart.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

// A copy of sleep(1) under a name of its own.
std::string sleeper(const std::string& name) {
  std::string path = temporary_file(name, "");
  std::filesystem::copy_file("/bin/sleep", path, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

std::string comm_of(const std::string& path) {
  return std::filesystem::path(path).filename().string().substr(0, 15);
}

nlohmann::json health(const Agent& agent) {
  return nlohmann::json::parse(agent.control("status"), nullptr, false);
}

std::string target_of(const Agent& agent, pid_t pid) {
  const auto now = health(agent);
  if (now.is_discarded()) return "?";
  for (const auto& process : now["processes"]) {
    if (process["pid"] == pid) return process["target"];
  }
  return "";
}

bool becomes(const Agent& agent, pid_t pid, const std::string& target, double seconds = 12) {
  return eventually([&] { return target_of(agent, pid) == target; }, seconds);
}

size_t members(const Agent& agent) {
  const auto now = health(agent);
  return now.is_discarded() ? SIZE_MAX : now["processes"].size();
}

// A cgroup of the pids or freezer hierarchy (version 1), gone at the end.
class Cgroup {
 public:
  Cgroup() : name_("/nz-test-" + std::to_string(getpid())) {
    for (const std::string hierarchy :
         {"/sys/fs/cgroup/pids", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup"}) {
      if (create_in(hierarchy)) return;
    }
    // None is mounted: a chroot, a machine without systemd.
    mounted_ = temporary_file("cgroup", "") + ".d";
    std::filesystem::create_directory(mounted_);
    if (mount("none", mounted_.c_str(), "cgroup2", 0, nullptr) != 0 || !create_in(mounted_))
      ADD_FAILURE() << "no cgroup hierarchy is mounted, and none can be: " << std::strerror(errno);
  }
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup() {
    if (!eventually([&] { return rmdir(folder_.c_str()) == 0; }, 5))
      ADD_FAILURE() << folder_ << " is left behind";
    if (mounted_.empty()) return;
    umount(mounted_.c_str());
    rmdir(mounted_.c_str());
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string procs() const { return folder_ + "/cgroup.procs"; }

 private:
  bool create_in(const std::string& hierarchy) {
    std::error_code error;
    if (!std::filesystem::create_directory(hierarchy + name_, error)) return false;
    folder_ = hierarchy + name_;
    return true;
  }

  std::string name_, folder_;
  std::string mounted_;  // by us
};

TEST(Targets, ByPidCommandExecutableAndCgroupAtOnce) {
  const Cgroup cgroup;
  const std::string by_comm = sleeper("nzcomm");
  const std::string by_exe = sleeper("nzexe");
  const std::string stranger = sleeper("nzother");
  Program fixed({stranger, "300"});
  Agent agent(
      "targets:\n"
      "  - {name: by-pid, match: {pid: " +
      std::to_string(fixed.pid()) + "}}\n" + "  - {name: by-comm, match: {comm: '" +
      comm_of(by_comm) + "'}}\n" + "  - {name: by-exe, match: {exe: '*" +
      std::filesystem::path(by_exe).filename().string() + "'}}\n" +
      "  - {name: by-cgroup, match: {cgroup: " + cgroup.name() + "}}\n" +
      "  - {name: nobody, match: {pid: 4194300}}\n");
  EXPECT_EQ(target_of(agent, fixed.pid()), "by-pid") << "it ran before the agent";
  Program comm({by_comm, "300"});
  Program exe({by_exe, "300"});
  Program in_cgroup(
      {"/bin/sh", "-c", "echo $$ > " + cgroup.procs() + "; exec " + stranger + " 300"});
  Program other({stranger, "300"});
  EXPECT_TRUE(becomes(agent, comm.pid(), "by-comm"));
  EXPECT_TRUE(becomes(agent, exe.pid(), "by-exe"));
  EXPECT_TRUE(becomes(agent, in_cgroup.pid(), "by-cgroup"));
  EXPECT_EQ(target_of(agent, other.pid()), "");
  EXPECT_EQ(members(agent), 4U);

  // Joins the cgroup while it runs: no event tells, the scan finds it; and back.
  std::ofstream(cgroup.procs()) << other.pid() << std::flush;
  agent.program().signal(SIGHUP);  // scans at once
  EXPECT_TRUE(becomes(agent, other.pid(), "by-cgroup"));

  const auto data = agent.fetch();
  EXPECT_EQ(value_of(data, "nearzero_target_processes", {{"target", "by-cgroup"}}), 2);
  EXPECT_EQ(value_of(data, "nearzero_target_processes", {{"target", "nobody"}}), 0)
      << "a pid that does not exist";

  // Exit is told at once; a restart is a new process of the same target.
  comm.signal(SIGKILL);
  comm.wait();
  EXPECT_TRUE(becomes(agent, comm.pid(), "", 3));
  Program again({by_comm, "300"});
  EXPECT_TRUE(becomes(agent, again.pid(), "by-comm", 3));
  for (Program* p : {&fixed, &exe, &in_cgroup, &other, &again}) {
    p->signal(SIGKILL);
    p->wait();
  }
  EXPECT_TRUE(eventually([&] { return members(agent) == 0; }, 3));
  EXPECT_EQ(agent.stop(), 0);
}

TEST(Targets, ChildrenAreFollowedThroughForkExecAndDoubleFork) {
  const std::string script = temporary_file("nzshell", "");
  std::filesystem::copy_file("/bin/sh", script, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  Agent agent("targets: [{name: t, match: {comm: '" + comm_of(script) + "'}}]\n");
  // A child that executes something else, and a daemon: the parent in between is gone at once.
  const std::string pids = temporary_file("pids", "");
  Program shell({script, "-c",
                 "kill -STOP $$; sleep 300 & echo $! >> " + pids + "; (sleep 301 & echo $! >> " +
                     pids + "); sleep 302 & echo $! >> " + pids + "; wait"});
  ASSERT_TRUE(becomes(agent, shell.pid(), "t"));
  // Only now: a grandchild whose parent was gone before the agent knew the target cannot be told
  // apart.
  shell.signal(SIGCONT);
  std::vector<pid_t> children;
  ASSERT_TRUE(eventually(
      [&] {
        children.clear();
        std::ifstream file(pids);
        for (pid_t pid = 0; file >> pid;) children.push_back(pid);
        return children.size() == 3;
      },
      10));
  for (const pid_t pid : children) EXPECT_TRUE(becomes(agent, pid, "t", 3)) << pid;
  for (const pid_t pid : children) kill(pid, SIGKILL);
  shell.wait();
  EXPECT_TRUE(eventually([&] { return members(agent) == 0; }, 3));
}

TEST(Targets, WithoutFollowForksChildrenAreStrangers) {
  const std::string script = temporary_file("nzshell", "");
  std::filesystem::copy_file("/bin/sh", script, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  Agent agent("targets: [{name: t, follow_forks: false, match: {comm: '" + comm_of(script) +
              "'}}]\n");
  Program shell({script, "-c", "sleep 300 & echo $!; wait"});
  ASSERT_TRUE(becomes(agent, shell.pid(), "t"));
  sleep_seconds(0.5);
  EXPECT_EQ(members(agent), 1U);
  kill(static_cast<pid_t>(std::stol(shell.out())), SIGKILL);
  shell.wait();
}

TEST(Targets, AProcessThatExecutesItselfAgainStaysAMember) {
  const std::string script = temporary_file("nzagain", "");
  std::filesystem::copy_file("/bin/sh", script, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  Agent agent("targets: [{name: t, match: {comm: '" + comm_of(script) + "'}}]\n");
  // Each image forks a child right after the exec: in a gap between removing and adding it would be
  // lost.
  const std::string body = "sleep 300 & n=$1; [ $n = 0 ] && { wait; exit; }; exec " + script +
                           " -c \"$0\" \"$0\" $((n - 1))";
  Program shell({script, "-c", body, body, "29"});
  EXPECT_TRUE(eventually([&] { return members(agent) == 31; }, 10))
      << members(agent) << ": itself and 30 children";
  EXPECT_EQ(target_of(agent, shell.pid()), "t");
  const auto now = health(agent);
  for (const auto& process : now["processes"]) kill(process["pid"], SIGKILL);
  shell.wait();
}

TEST(Targets, AStormOfShortLivedProcessesNeitherBreaksNorFloodsTheAgent) {
  const std::string short_lived = temporary_file("nztrue", "");
  std::filesystem::copy_file("/bin/true", short_lived,
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(short_lived, std::filesystem::perms::owner_all);
  // By executable: every exec on the host might match. A long interval, so that the storm is one
  // tick.
  Agent agent("drain_interval: 20s\ntargets: [{name: t, match: {exe: '" + short_lived + "'}}]\n");
  agent.settle();
  Program storm(
      {"/bin/sh", "-c", "i=0; while [ $i -lt 2000 ]; do " + short_lived + "; i=$((i+1)); done"});
  ASSERT_EQ(storm.wait(60), 0);
  EXPECT_TRUE(eventually([&] { return members(agent) == 0; }, 5))
      << members(agent) << " stay behind";
  agent.settle();
  const auto data = agent.fetch();
  const double skipped = value_of(data, "nearzero_drops_total", {{"cause", "exec_left_to_scan"}});
  const double cpu = value_of(data, "nearzero_agent_cpu_seconds_total", {});
  std::cout << "left to the scan " << skipped << ", ring full "
            << value_of(data, "nearzero_drops_total", {{"cause", "ring_full"}}) << ", agent CPU "
            << cpu << " s\n";
  EXPECT_GE(skipped, 1000) << "at most 200 a tick are looked at";
  EXPECT_LE(skipped, 4000);
  // Those that were looked at in time were members while they lived, and their time was recorded.
  EXPECT_EQ(value_of(data, "nearzero_target_processes", {{"target", "t"}}), 0);
  int status = 0;
  (void)agent.get("/healthz", &status);
  EXPECT_EQ(status, 200);
  EXPECT_EQ(agent.stop(), 0);
}

TEST(Targets, AForkStormOfATargetIsFollowedAndForgotten) {
  const std::string script = temporary_file("nzstorm", "");
  std::filesystem::copy_file("/bin/sh", script, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  Agent agent("targets: [{name: t, match: {comm: '" + comm_of(script) + "'}}]\n");
  Program storm({script, "-c", "i=0; while [ $i -lt 2000 ]; do (:); i=$((i+1)); done; sleep 1"});
  ASSERT_EQ(storm.wait(90), 0);
  EXPECT_TRUE(eventually([&] { return members(agent) == 0; }, 15))
      << members(agent) << " stay behind";
  agent.settle();
  const auto data = agent.fetch();
  // Each child's time is the target's from its first instruction, whether or not the agent saw it
  // alive.
  EXPECT_GE(histogram_of(data, "nearzero_oncpu_slice_seconds", {{"target", "t"}}).count(), 2000U);
  EXPECT_EQ(value_of(data, "nearzero_drops_total", {{"cause", "targets_full"}}), 0);
  EXPECT_EQ(agent.stop(), 0);
}

}  // namespace
}  // namespace nz::live
