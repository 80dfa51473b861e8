#include "userspace/alerts/state_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "userspace/base/test_eventually.h"

namespace nz::alerts {
namespace {

struct NotStandard {};

TEST(StateFile, IsReplacedAsAWhole) {
  const std::string path = ::testing::TempDir() + "nz_state";
  unlink(path.c_str());
  EXPECT_EQ(*read_state(path), "");
  ASSERT_TRUE(write_state(path, "one"));
  ASSERT_TRUE(write_state(path, "two"));
  EXPECT_EQ(*read_state(path), "two");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::others_all,
            std::filesystem::perms::none);
  EXPECT_FALSE(write_state("/proc/nz_state", "three"));
}

TEST(StateKeeper, WhatIsThrownIsCountedAndEndsNothing) {
  const std::string path = ::testing::TempDir() + "nz_state_keeper";
  for (const bool standard : {true, false}) {
    unlink(path.c_str());
    std::atomic<int> asked = 0;
    {
      StateKeeper keeper(path, [&asked, standard]() -> std::string {
        if (asked++ > 0) return "whole";
        if (standard) throw std::runtime_error("no");
        throw NotStandard{};
      });
      keeper.changed();
      ASSERT_TRUE(eventually([&] { return keeper.errors() == 1; }));
      keeper.changed();
    }
    EXPECT_EQ(*read_state(path), "whole") << "its thread goes on";
    EXPECT_GE(asked, 2);
  }
}

TEST(StateKeeper, EndsWhereNothingCanBeWritten) {
  StateKeeper keeper("/proc/nz_state_keeper", [] { return std::string("text"); });
  keeper.changed();
  ASSERT_TRUE(eventually([&] { return keeper.errors() > 0; }));
}

TEST(StateFile, ADeviceStaysOne) {
  const std::string path = ::testing::TempDir() + "nz_state_null";
  unlink(path.c_str());
  ASSERT_EQ(symlink("/dev/null", path.c_str()), 0);
  EXPECT_TRUE(write_state(path, "one"));
  set_aside(path, "nothing in it");
  EXPECT_TRUE(std::filesystem::is_symlink(path));
  EXPECT_TRUE(std::filesystem::is_character_file(path));
  EXPECT_EQ(*read_state(path), "");
  unlink(path.c_str());
}

}  // namespace
}  // namespace nz::alerts
