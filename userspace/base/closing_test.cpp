#include "userspace/base/closing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "userspace/base/fd.h"

namespace nz {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

std::vector<int> open_many(int n, std::vector<Fd>& owned) {
  std::vector<int> numbers;
  for (int i = 0; i < n; i++) {
    owned.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    numbers.push_back(owned.back().get());
  }
  return numbers;
}

int still_open(const std::vector<int>& numbers) {
  int n = 0;
  for (const int fd : numbers) n += is_open(fd) ? 1 : 0;
  return n;
}

TEST(ClosingTogether, AllAreClosedWhenItEnds) {
  std::vector<Fd> owned;
  const auto numbers = open_many(300, owned);
  {
    const ClosingTogether together(ClosingTogether::Wait::until_closed);
    owned.clear();
    EXPECT_EQ(still_open(numbers), 300) << "only collected";
  }
  EXPECT_EQ(still_open(numbers), 0);
}

TEST(ClosingTogether, InTheBackgroundAndAwaited) {
  std::vector<Fd> owned;
  const auto numbers = open_many(300, owned);
  {
    const ClosingTogether together(ClosingTogether::Wait::in_background);
    owned.clear();
  }
  ClosingTogether::wait_for_background();
  EXPECT_EQ(still_open(numbers), 0);
}

TEST(ClosingTogether, OutsideAScopeNothingIsDeferred) {
  std::vector<Fd> owned;
  const auto numbers = open_many(3, owned);
  { const ClosingTogether together(ClosingTogether::Wait::in_background); }
  owned.clear();
  EXPECT_EQ(still_open(numbers), 0);
}

TEST(ClosingTogether, OtherThreadsCloseTheirOwnAtOnce) {
  std::vector<Fd> owned;
  const auto numbers = open_many(3, owned);
  const ClosingTogether together(ClosingTogether::Wait::until_closed);
  std::thread([&] { owned.clear(); }).join();
  EXPECT_EQ(still_open(numbers), 0);
}

TEST(ClosingTogether, ScopesNest) {
  std::vector<Fd> owned;
  const auto numbers = open_many(2, owned);
  {
    const ClosingTogether outer(ClosingTogether::Wait::until_closed);
    {
      const ClosingTogether inner(ClosingTogether::Wait::until_closed);
      owned[0].reset();
    }
    EXPECT_FALSE(is_open(numbers[0]));
    owned[1].reset();
    EXPECT_TRUE(is_open(numbers[1]));
  }
  EXPECT_FALSE(is_open(numbers[1]));
}

TEST(ClosingTogether, ManyScopesFromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; i++) {
        std::vector<Fd> owned;
        open_many(5, owned);
        const ClosingTogether together(i % 2 == 0 ? ClosingTogether::Wait::in_background
                                                  : ClosingTogether::Wait::until_closed);
        owned.clear();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  ClosingTogether::wait_for_background();
}

}  // namespace
}  // namespace nz
