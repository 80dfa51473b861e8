// kill -9 and power cuts at any moment: the file is sound, holds everything that was said to be
// safe, and no interval is torn.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "userspace/store/test_disk.h"
#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using namespace testing;

constexpr int kKills = 200, kCuts = 200;
// A drain a minute: each commit has a raw interval and a minute, blocks come every 120 commits.
constexpr int kStep = 60;

// What holds after any crash. `safe_ms`: end of the last interval that was said to be on the disk.
void expect_whole(const std::string& path, std::int64_t safe_ms, const std::string& when) {
  expect_sound(path, when);
  if (::testing::Test::HasFatalFailure()) return;
  std::int64_t last[kLevelCount] = {};
  double growth[kLevelCount] = {};
  for (const Level level : {Level::raw, Level::minute}) {
    const auto counter = points(path, "c_total", level);
    const auto histogram = points(path, "h_seconds", level);
    ASSERT_EQ(counter.size(), histogram.size()) << when << ": an interval has all of its series";
    for (std::size_t i = 0; i < counter.size(); i++) {
      const auto& [interval, cell] = counter[i];
      ASSERT_EQ(interval, histogram[i].first) << when;
      ASSERT_GE(interval.from, last[index_of(level)]) << when;
      std::int64_t count = 0;
      for (const auto& [slot, n] : histogram[i].second.slots) {
        if (slot <= history::kOverflowSlot) count += n;
      }
      // Five a second beside one value a second.
      ASSERT_EQ(cell.growth, 5.0 * static_cast<double>(count)) << when;
      ASSERT_EQ(count, (interval.to - interval.from) / 1000) << when << ": torn";
      last[index_of(level)] = interval.to;
      growth[index_of(level)] += cell.growth;
    }
  }
  EXPECT_GE(last[index_of(Level::raw)], safe_ms) << when << ": what was safe is lost";
  EXPECT_LE(growth[index_of(Level::minute)], growth[index_of(Level::raw)]) << when;
}

// Adds drains from `begin` on, and tells through `to` up to when all is safe.
[[noreturn]] void record_until_killed(const std::string& path, int begin, int to) {
  auto store = Store::open({.path = path, .keep_raw = 1e9});
  if (!store) _exit(1);
  Service service;
  for (int s = 0;; s += kStep) {
    const std::int64_t at = static_cast<std::int64_t>(kMidnight) + begin + s;
    add(**store, static_cast<double>(at), service.families(s));
    if (!(*store)->flush()) _exit(2);
    const std::int64_t safe_ms = s == 0 ? 0 : at * 1000;
    if (write(to, &safe_ms, sizeof(safe_ms)) != sizeof(safe_ms)) _exit(3);
  }
}

TEST(Crash, KilledAtAnyMomentNothingThatWasSafeIsLost) {
  const Folder folder;
  std::mt19937 random(20261127);
  std::int64_t safe_ms = 0;
  int begin = 0, checked = 0;
  for (int kill_number = 0; checked < kKills; kill_number++) {
    ASSERT_LT(kill_number, 2 * kKills) << "it hardly ever made the file: " << checked << " checked";
    int pipe_ends[2];
    ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) record_until_killed(folder.file(), begin, pipe_ends[1]);
    close(pipe_ends[1]);
    // Some while it opens the file, most while it writes.
    const auto wait = std::chrono::microseconds(random() % (kill_number % 4 == 0 ? 8'000 : 80'000));
    std::this_thread::sleep_for(wait);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
    std::int64_t told = 0;
    while (read(pipe_ends[0], &told, sizeof(told)) == sizeof(told))
      safe_ms = std::max(safe_ms, told);
    close(pipe_ends[0]);
    // The next one goes on behind everything that this one may have written.
    const std::int64_t last =
        safe_ms == 0 ? 0 : safe_ms / 1000 - static_cast<std::int64_t>(kMidnight);
    begin = std::max(begin, static_cast<int>(last)) + 3 * kStep;
    if (access(folder.file().c_str(), F_OK) != 0) continue;      // before it had made the file
    if (safe_ms == 0 && !Reader::open(folder.file())) continue;  // before it had any table
    expect_whole(folder.file(), safe_ms, "kill " + std::to_string(kill_number));
    checked++;
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(safe_ms, static_cast<std::int64_t>(kMidnight + 8 * 3600) * 1000)
      << "blocks were written, too";
  EXPECT_EQ(checked, kKills);
  // Everything that was raw is in minutes, once somebody has opened it.
  {
    auto store = open_store({.path = folder.file(), .keep_raw = 1e9});
    ASSERT_TRUE(store->flush());
  }
  EXPECT_EQ(growth_of(folder.file(), Level::raw), growth_of(folder.file(), Level::minute));
}

TEST(Crash, APowerCutAtAnyMomentCostsNothingThatWasSafe) {
  const Folder folder;
  // Ten minutes before blocks are written.
  const int first = 8 * 3600 - 10 * kStep;
  {
    auto store = open_store({.path = folder.file("before.db"), .keep_raw = 1e9});
    Service service;
    run_service(*store, service, 0, first, kStep);
  }
  std::mt19937 random(4);
  int cuts = 0;
  unsigned most = 400;  // operations of a try, as far as is known
  for (int number = 0; cuts < kCuts; number++) {
    ASSERT_LT(number, 4 * kCuts) << "the power hardly ever goes: " << cuts << " cuts";
    const Folder disk_folder;
    const Folder left;
    TestDisk disk;
    std::filesystem::copy_file(folder.file("before.db"), disk_folder.file());
    std::atomic<std::int64_t> safe_ms{static_cast<std::int64_t>(kMidnight + first) * 1000};
    disk.remember();
    disk.cut_at(1 + static_cast<unsigned>(random() % most), [&] { return safe_ms.load(); });
    {
      auto store =
          open_store({.path = disk_folder.file(), .keep_raw = 1e9, .vfs = TestDisk::kName});
      Service service;
      for (int s = 0; s <= 20 * kStep; s += kStep) {
        const std::int64_t at = static_cast<std::int64_t>(kMidnight) + first + kStep + s;
        add(*store, static_cast<double>(at), service.families(s));
        ASSERT_TRUE(store->flush());
        if (s != 0) safe_ms = at * 1000;
      }
    }
    const auto told = disk.what_is_left(left.path(), random);
    if (!told) {  // there were fewer operations
      most = std::max(1U, disk.operations());
      continue;
    }
    cuts++;
    expect_whole(left.file(), *told, "cut " + std::to_string(number));
    if (::testing::Test::HasFatalFailure()) return;
    auto store = open_store({.path = left.file()});
    ASSERT_TRUE(store->flush());
    EXPECT_EQ(value_of(*store, "nearzero_store_damaged_files_total"), 0);
  }
  EXPECT_EQ(cuts, kCuts);
}

}  // namespace
}  // namespace nz::store
