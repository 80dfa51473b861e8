// Parsing on a /proc tree made by hand: names that the kernel allows and nobody expects.
#include "userspace/targets/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nz::targets {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class FakeProc : public testing::Test {
 protected:
  FakeProc() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nz-proc.XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~FakeProc() override { std::filesystem::remove_all(root_); }

  void file(pid_t pid, const std::string& name, const std::string& content) {
    const auto folder = root_ / std::to_string(pid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary) << content;
  }
  void link(pid_t pid, const std::string& name, const std::string& to) {
    std::filesystem::create_directories(root_ / std::to_string(pid));
    std::filesystem::create_symlink(to, root_ / std::to_string(pid) / name);
  }
  void stat(pid_t pid, const std::string& comm, uint64_t start) {
    file(pid, "stat",
         std::to_string(pid) + " (" + comm + ") S 1 2 3 0 -1 4194560 10 0 0 0 5 6 0 0 20 0 1 0 " +
             std::to_string(start) + " 1000 100 18446744073709551615 1 1 0\n");
    file(pid, "comm", comm + "\n");
  }
  [[nodiscard]] std::string proc() const { return root_.string(); }

  std::filesystem::path root_;
};

TEST_F(FakeProc, ListsOnlyWholeNumbers) {
  for (const char* name : {"1", "42", "31337", "self", "4x", "sys", "-7x"}) {
    std::filesystem::create_directories(root_ / name);
  }
  EXPECT_THAT(list_processes(proc()), UnorderedElementsAre(1, 42, 31337));
  EXPECT_TRUE(list_processes(proc() + "/nowhere").empty());
}

TEST_F(FakeProc, ReadsEverything) {
  stat(42, "gateway", 123456);
  link(42, "exe", "/opt/trading/gateway");
  file(42, "cmdline",
       std::string("gateway\0--port\0"
                   "9000\0",
                   20));
  file(42, "cgroup", "5:pids:/trading\n1:name=systemd:/system.slice/gateway.service\n0::/\n");
  const auto p = read_process(42, proc());
  ASSERT_TRUE(p.has_value());
  EXPECT_EQ(p->pid, 42);
  EXPECT_EQ(p->parent, 1);
  EXPECT_EQ(p->start_time, 123456U);
  EXPECT_EQ(p->comm, "gateway");
  EXPECT_EQ(p->exe, "/opt/trading/gateway");
  EXPECT_EQ(p->cmdline, "gateway --port 9000");
  EXPECT_THAT(p->cgroups, ElementsAre("/trading", "/system.slice/gateway.service", "/"));
  EXPECT_FALSE(p->kernel_thread());
}

TEST_F(FakeProc, CommandsMayContainBlanksParenthesesAndNewlines) {
  for (const std::string comm : {"a b c", "x) S 9 9 9", "((", "))", "a\nb", ") 1 2 3 4 5 6"}) {
    stat(7, comm, 987);
    const auto p = read_process(7, proc());
    ASSERT_TRUE(p.has_value()) << comm;
    EXPECT_EQ(p->start_time, 987U) << comm;
    EXPECT_EQ(p->comm, comm);
  }
}

TEST_F(FakeProc, AReplacedExecutableKeepsItsName) {
  stat(8, "gateway", 1);
  link(8, "exe", "/opt/my gateway (v2) (deleted)");
  EXPECT_EQ(read_process(8, proc())->exe, "/opt/my gateway (v2)");
}

TEST_F(FakeProc, AVanishedProcessIsNothingAndATornOneNoCrash) {
  EXPECT_FALSE(read_process(9, proc()).has_value());
  EXPECT_TRUE(executable_files(9, proc()).empty());
  file(10, "stat", "10 (half");  // no exe, no comm, no cmdline
  const auto p = read_process(10, proc());
  ASSERT_TRUE(p.has_value());
  EXPECT_EQ(p->start_time, 0U);
  EXPECT_TRUE(p->kernel_thread());
  file(10, "stat", "10 (x) Z 1");
  EXPECT_TRUE(read_process(10, proc()).has_value());
}

TEST_F(FakeProc, KnowsWhoHasEnded) {
  stat(13, "x (y) z", 77);
  const auto p = read_process(13, proc());
  EXPECT_FALSE(has_ended(*p, proc()));
  stat(13, "x (y) z", 78);
  EXPECT_TRUE(has_ended(*p, proc())) << "the pid is another's";
  file(13, "stat",
       "13 (x) Z 1 2 3 0 -1 4227084 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0");  // 0x40800c: PF_EXITING
  EXPECT_TRUE(has_ended(*p, proc()));
  std::filesystem::remove_all(root_ / "13");
  EXPECT_TRUE(has_ended(*p, proc()));
  EXPECT_FALSE(has_ended(*read_process(getpid())));
}

TEST_F(FakeProc, CgroupPathsMayContainColons) {
  stat(11, "x", 1);
  file(11, "cgroup", "3:cpu,cpuacct:/docker/sha256:abc:def\nbroken\n");
  EXPECT_THAT(read_process(11, proc())->cgroups, ElementsAre("/docker/sha256:abc:def"));
}

TEST_F(FakeProc, ExecutableFilesEachOnceWithDeletedOnesMarked) {
  file(
      12, "maps",
      "55a000000000-55a000001000 r--p 00000000 fe:00 100                        /opt/gateway\n"
      "55a000001000-55a000002000 r-xp 00001000 fe:00 100                        /opt/gateway\n"
      "55a000003000-55a000004000 r-xp 00003000 fe:00 100                        /opt/gateway\n"
      "7f0000000000-7f0000001000 r-xp 00000000 fe:00 200                        /usr/lib/lib a "
      "(1).so (deleted)\n"
      "7f0000002000-7f0000003000 r-xp 00000000 fe:01 100                        /mnt/other\n"
      "7f0000004000-7f0000005000 r-xp 00000000 00:00 0                          [vdso]\n"
      "7f0000006000-7f0000007000 rwxp 00000000 00:00 0 \n"
      "7f0000008000-7f0000009000 rwxp 00000000 00:01 300                        anon_inode:[perf]\n"
      "garbage\n");
  const auto files = executable_files(12, proc());
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].path, "/opt/gateway");
  EXPECT_EQ(files[0].start, 0x55a000001000U);
  EXPECT_EQ(files[0].inode, 100U);
  EXPECT_EQ(files[0].device, "fe:00");
  EXPECT_FALSE(files[0].deleted);
  EXPECT_EQ(files[1].path, "/usr/lib/lib a (1).so");
  EXPECT_TRUE(files[1].deleted);
  EXPECT_EQ(files[2].path, "/mnt/other");  // same inode number, another device
}

TEST(OpenablePath, GoesThroughTheProcess) {
  Mapping m;
  m.path = "/opt/gateway";
  m.start = 0x1000;
  m.end = 0x2000;
  EXPECT_EQ(openable_path(42, m), "/proc/42/root/opt/gateway");
  m.deleted = true;
  EXPECT_EQ(openable_path(42, m), "/proc/42/map_files/1000-2000");
  EXPECT_EQ(openable_executable(42), "/proc/42/exe");
}

TEST(ReadProcess, KnowsItself) {
  const auto self = read_process(getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_GT(self->start_time, 0U);
  EXPECT_EQ(self->exe, std::filesystem::read_symlink("/proc/self/exe").string());
  EXPECT_FALSE(self->cgroups.empty());
  bool found = false;
  for (const Mapping& m : executable_files(getpid())) found = found || m.path == self->exe;
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace nz::targets
