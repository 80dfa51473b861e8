// `nearzero trace` on any target: processes that live for a millisecond, a cgroup, a unit, one that
// dies under the trace, none at all. Counts are exact, and nothing stays attached.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/live/harness/trace.h"

namespace nz::live {
namespace {

using nlohmann::json;

const std::string kFunctions = std::string(NZ_WORKLOADS) + "/nz-functions";
const std::string kInner = "func:" + kFunctions + ":nz_inner";

class AnyTarget : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 5)) << "something stays behind";
  }
};

// A file of this name, executable, in a folder of its own.
std::string copy_of(const std::string& program, const std::string& name) {
  const std::string folder = temporary_file("programs", "") + ".d";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(program, folder + "/" + name);
  return folder + "/" + name;
}

// A cgroup that holds one workload, which waits to be told to go.
class InCgroup {
 public:
  InCgroup(const std::string& slice, const std::string& name) {
    // Version 1 has a hierarchy for each controller, version 2 is one.
    for (const char* root : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
      std::error_code error;
      if (std::ofstream(std::string(root) + "/cgroup.procs", std::ios::app).good()) {
        made_slice_ = std::filesystem::create_directory(root + slice, error);
        slice_ = root + slice;
        folder_ = slice_ + name;
        std::filesystem::create_directory(folder_, error);
        break;
      }
    }
    program_ = std::make_unique<Program>(
        std::vector<std::string>{"/bin/sh", "-c",
                                 "echo $$ > " + folder_ + "/cgroup.procs && exec " + kFunctions +
                                     " --call nz_outer --count 600 --wait"});
    EXPECT_TRUE(program_->wait_for_text("ready pid=", 20)) << program_->err();
  }
  ~InCgroup() {
    program_->signal(SIGKILL);
    program_->wait();
    EXPECT_TRUE(eventually([this] { return rmdir(folder_.c_str()) == 0; }, 5)) << folder_;
    if (made_slice_) rmdir(slice_.c_str());
  }
  InCgroup(const InCgroup&) = delete;
  InCgroup& operator=(const InCgroup&) = delete;
  [[nodiscard]] Program& program() { return *program_; }

 private:
  std::string slice_, folder_;
  bool made_slice_ = false;
  std::unique_ptr<Program> program_;
};

TEST_F(AnyTarget, TwoHundredProcessesOfACommandThatAreGoneAtOnceAreAllCounted) {
  const std::string mine = copy_of("/bin/true", "nz-brief");
  Trace trace({"func:libc.so.6:__libc_start_main", "-n", "nz-brief"});
  Program shell(
      {"/bin/sh", "-c", "i=0; while [ $i -lt 200 ]; do " + mine + "; /bin/true; i=$((i+1)); done"});
  ASSERT_EQ(shell.wait(30), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "libc_start_main")), 200U)
      << "and none of the 200 strangers between them";
  EXPECT_EQ(trace.code(), 0);
}

TEST_F(AnyTarget, SystemCallsOfTheirWholeLives) {
  const std::string mine = copy_of("/bin/true", "nz-brief");
  Trace trace({"syscalls", "-n", "nz-brief", "--by", "comm"});
  Program shell({"/bin/sh", "-c", "i=0; while [ $i -lt 200 ]; do " + mine + "; i=$((i+1)); done"});
  ASSERT_EQ(shell.wait(30), 0);
  // ld.so asks once for the address space of a program, before its first own instruction.
  const json row = row_of(trace.end(), "syscalls", "set_tid_address");
  EXPECT_EQ(count_of(row), 200U) << row << trace.lost();
}

TEST_F(AnyTarget, ACgroupAndAStrangerOutsideIt) {
  InCgroup cgroup("/nz-any-target", "/inner");
  Trace trace({kInner, "-c", "/nz-any-target"});
  Workload stranger("nz-functions", {"--call", "nz_outer", "--count", "500"});
  stranger.go();
  cgroup.program().signal(SIGUSR2);
  ASSERT_EQ(stranger.wait(30), 0);
  ASSERT_EQ(cgroup.program().wait(30), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), 1200U);
}

TEST_F(AnyTarget, AUnitIsTheCgroupOfItsName) {
  for (const char* unit : {"nz-any.service", "nz-any"}) {
    InCgroup cgroup("/nz-system.slice", "/nz-any.service");
    InCgroup other("/nz-other.slice", "/nz-anyone.service");
    Trace trace({kInner, "--unit", unit});
    cgroup.program().signal(SIGUSR2);
    other.program().signal(SIGUSR2);
    ASSERT_EQ(cgroup.program().wait(30), 0);
    ASSERT_EQ(other.program().wait(30), 0);
    EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), 1200U) << unit;
  }
}

TEST_F(AnyTarget, WhoeverIsKilledUnderTheTraceEndsItAndItsValuesArePrinted) {
  Program keeper({kFunctions, "--call", "nz_outer", "--count", "800", "--wait", "--linger", "60"});
  ASSERT_TRUE(keeper.wait_for_text("ready pid=", 20));
  Trace trace({kInner, "-p", std::to_string(keeper.pid())});
  keeper.signal(SIGUSR2);
  ASSERT_TRUE(eventually([&] { return !keeper.out().empty(); }, 20)) << "its calls are done";
  keeper.signal(SIGKILL);
  EXPECT_EQ(trace.program().wait(10), 0) << "ends with its process";
  EXPECT_TRUE(says(trace.program().err(), {"has ended"}));
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), 1600U);
}

TEST_F(AnyTarget, AProcessThatDoesNotExist) {
  for (const std::vector<std::string>& what : {std::vector<std::string>{"trace", "runq"},
                                               {"trace", "func::main"},
                                               {"list", ":main"},
                                               {"check", ":main"}}) {
    std::vector<std::string> arguments = what;
    arguments.insert(arguments.end(), {"-p", "4194300"});
    const Outcome o = run(arguments);
    EXPECT_EQ(o.code, 9) << what[0] << o.err;
    EXPECT_TRUE(says(o.err, {"no process 4194300"})) << what[0];
    EXPECT_TRUE(o.out.empty()) << o.out;
  }
}

TEST_F(AnyTarget, ACommandThatIsNotThereIsWaitedFor) {
  const Outcome o = run({"trace", "runq", "-n", "nz-nobody", "-d", "0.5", "-f", "json", "--yes"});
  EXPECT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.err, {"no process is command nz-nobody now"}));
  const auto lines = json_lines(o.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0]["rows"].empty()) << o.out;
}

TEST_F(AnyTarget, NamesOfTwoHundredColumns) {
  const std::string name(200, 'w');  // the kernel's command is its first 15
  const std::string mine = copy_of(kFunctions, name);
  Program functions({mine, "--call", "nz_outer", "--count", "300", "--wait"});
  ASSERT_TRUE(functions.wait_for_text("ready pid=", 20));
  Program text({NZ_AGENT, "trace", "func:" + mine + ":nz_inner", "--exe", name, "--by", "comm",
                "--yes", "--pictures", "0"});
  ASSERT_TRUE(text.wait_for_text("Tracing executable " + name, 10)) << text.err();
  sleep_seconds(0.3);
  functions.signal(SIGUSR2);
  ASSERT_EQ(functions.wait(30), 0);
  text.signal(SIGINT);
  ASSERT_EQ(text.wait(10), 0);
  EXPECT_TRUE(says(text.out(), {"wwwwwwwwwwwwwww", " 600 "})) << "two inner calls of each of 300";
  EXPECT_EQ(run({"list", mine + ":nz_inner"}).code, 0);
}

}  // namespace
}  // namespace nz::live
