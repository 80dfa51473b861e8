// A real file system that is full, or read-only: a tmpfs in a mount namespace of its own.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using namespace testing;

// Runs `body` in a child that has a tmpfs of `size` at `folder`; its failures are printed there.
void with_tmpfs(const Folder& folder, const char* size, const std::function<void()>& body) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string options = std::string("size=") + size;
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.path().c_str(), "tmpfs", 0, options.c_str()) != 0) {
      perror("a tmpfs");
      _exit(9);
    }
    body();
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_NE(WEXITSTATUS(status), 9) << "needs root";
  EXPECT_EQ(WEXITSTATUS(status), 0) << "its output stands above";
}

int remount(const Folder& folder, bool read_only) {
  return mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT | (read_only ? MS_RDONLY : 0),
               nullptr);
}

TEST(Disk, WhenItIsFullNothingIsLostAndItGoesOnWhenThereIsRoom) {
  const Folder folder;
  with_tmpfs(folder, "3m", [&] {
    auto store = open_store({.path = folder.file()});
    Service service;
    run_service(*store, service, 0, 60);
    {
      std::ofstream filler(folder.file("filler"));
      while (filler.write(std::string(4096, 'x').data(), 4096) && filler.flush()) continue;
    }
    int end = 60;
    bool failed = false;
    for (int s = 61; s <= 5000; s++) {
      add(*store, kMidnight + s, service.families(s));
      if (s % 10 == 0) failed = !store->flush() || failed;
      end = s;
    }
    ASSERT_TRUE(failed) << "the disk was not full";
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 0);
    EXPECT_EQ(store->window(kMidnight, kMidnight + 60).change("c_total"), 300);
    std::filesystem::remove(folder.file("filler"));
    ASSERT_TRUE(store->flush());
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
    store.reset();
    EXPECT_EQ(growth_of(folder.file(), Level::raw), 5 * end);
  });
}

TEST(Disk, AReadOnlyOneIsReadFromAndTriedAgain) {
  const Folder folder;
  with_tmpfs(folder, "8m", [&] {
    {
      auto store = open_store({.path = folder.file()});
      Service service;
      run_service(*store, service, 0, 600);
    }
    ASSERT_EQ(remount(folder, true), 0);
    EXPECT_EQ(points(folder.file(), "c_total", Level::minute).size(), 10U)
        << "without a -shm, which cannot be made there";
    auto store = open_store({.path = folder.file()});
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 0);
    EXPECT_EQ(store->window(kMidnight, kMidnight + 600).change("c_total"), 3000);
    Service service;
    add(*store, kMidnight + 700, service.families(0));
    EXPECT_FALSE(store->flush());
    ASSERT_EQ(remount(folder, false), 0);
    run_service(*store, service, 1, 300, 1, kMidnight + 700);
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
    EXPECT_GT(store->window(kMidnight + 700, kMidnight + 1000).change("c_total"), 1400);
  });
}

}  // namespace
}  // namespace nz::store
