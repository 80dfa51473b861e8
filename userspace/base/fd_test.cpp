#include "userspace/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace nz {
namespace {

int open_null() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(Fd, ClosesOnce) {
  const int number = open_null();
  {
    const Fd fd(number);
    EXPECT_TRUE(fd.valid());
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, AnEmptyOneClosesNothing) {
  // Descriptor 0 is a descriptor like any other; -1 is none.
  const Fd none;
  EXPECT_FALSE(none.valid());
  EXPECT_EQ(none.get(), -1);
}

TEST(Fd, MovingLeavesTheSourceEmpty) {
  Fd first(open_null());
  const int number = first.get();
  const Fd second(std::move(first));
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, AssigningClosesTheOldOne) {
  Fd first(open_null());
  const int old = first.get();
  Fd second(open_null());
  const int kept = second.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(old));
  EXPECT_EQ(first.get(), kept);
  EXPECT_TRUE(is_open(kept));
}

TEST(Fd, AssigningToItselfKeepsItOpen) {
  Fd fd(open_null());
  const int number = fd.get();
  Fd& alias = fd;
  fd = std::move(alias);
  EXPECT_EQ(fd.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, ReleaseHandsOver) {
  int number = -1;
  {
    Fd fd(open_null());
    number = fd.release();
    EXPECT_FALSE(fd.valid());
  }
  EXPECT_TRUE(is_open(number));
  close(number);
}

TEST(Fd, ResetReplaces) {
  Fd fd(open_null());
  const int old = fd.get();
  const int next = open_null();
  fd.reset(next);
  EXPECT_FALSE(is_open(old));
  EXPECT_EQ(fd.get(), next);
  fd.reset();
  EXPECT_FALSE(is_open(next));
}

}  // namespace
}  // namespace nz
