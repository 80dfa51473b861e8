// Labels of syscalls and errors: stable names, and a number where there is none.
#include "probes/syscall_names.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <set>

namespace nz::probes {
namespace {

TEST(SyscallNames, AreThoseOfTheManualPages) {
  EXPECT_EQ(syscall_name(SYS_read), "read");
  EXPECT_EQ(syscall_name(SYS_openat), "openat");
  EXPECT_EQ(syscall_name(SYS_futex), "futex");
  EXPECT_EQ(syscall_name(SYS_clone3), "clone3");
}

TEST(SyscallNames, YoungerThanLibseccomp) {
  EXPECT_EQ(syscall_name(462), "mseal");
  EXPECT_EQ(syscall_name(335), "uretprobe") << "what a return probe itself adds";
}

TEST(SyscallNames, UnknownNumbersStayNumbersAndNoNameIsGivenTwice) {
  EXPECT_EQ(syscall_name(481), "syscall_481");
  EXPECT_EQ(syscall_name(511), "syscall_511");
  std::set<std::string> seen;
  for (uint32_t nr = 0; nr < 512; nr++)
    EXPECT_TRUE(seen.insert(syscall_name(nr)).second) << syscall_name(nr);
}

TEST(ErrnoNames, AreThoseOfTheHeader) {
  EXPECT_EQ(errno_name(ENOENT), "ENOENT");
  EXPECT_EQ(errno_name(EAGAIN), "EAGAIN");
  EXPECT_EQ(errno_name(200), "errno_200");
}

}  // namespace
}  // namespace nz::probes
