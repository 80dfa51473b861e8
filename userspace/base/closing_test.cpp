#include "userspace/base/closing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "userspace/base/fd.h"

namespace nz {
namespace {

bool still_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

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
  for (const int fd : numbers) n += still_open(fd) ? 1 : 0;
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

// To close it takes a second: its data have nowhere to go (SO_LINGER).
Fd slow_to_close(Fd& peer) {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener.get(), generic, length), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  EXPECT_EQ(getsockname(listener.get(), generic, &length), 0);
  Fd slow(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(slow.get(), generic, length), 0);
  peer.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const std::vector<char> much(1 << 20);
  while (send(slow.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
  }
  const linger one_second{1, 1};
  EXPECT_EQ(setsockopt(slow.get(), SOL_SOCKET, SO_LINGER, &one_second, sizeof(one_second)), 0);
  return slow;
}

TEST(ClosingTogether, TellsWhetherTheBackgroundIsBusy) {
  Fd peer;
  Fd slow = slow_to_close(peer);
  {
    const ClosingTogether together(ClosingTogether::Wait::in_background);
    slow.reset();
  }
  EXPECT_TRUE(ClosingTogether::busy_in_background());
  ClosingTogether::wait_for_background();
  EXPECT_FALSE(ClosingTogether::busy_in_background());
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
    EXPECT_FALSE(still_open(numbers[0]));
    owned[1].reset();
    EXPECT_TRUE(still_open(numbers[1]));
  }
  EXPECT_FALSE(still_open(numbers[1]));
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
