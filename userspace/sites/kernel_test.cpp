#include "userspace/sites/kernel.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace nz::sites {
namespace {

TEST(Kernel, VersionsThatChangedUprobes) {
  EXPECT_FALSE(traits_of_release("5.10.0-30-amd64").emulates_multibyte_nop);
  EXPECT_FALSE(traits_of_release("6.15.9").emulates_multibyte_nop);
  EXPECT_TRUE(traits_of_release("6.16.0-rc1").emulates_multibyte_nop);
  EXPECT_FALSE(traits_of_release("6.17.12").optimised_nop5);
  EXPECT_TRUE(traits_of_release("6.18.44-fc-v595").optimised_nop5);
  EXPECT_TRUE(traits_of_release("7.1").optimised_nop5);
  EXPECT_TRUE(traits_of_release("10.0").emulates_multibyte_nop);
}

TEST(Kernel, UnreadableReleaseIsCautious) {
  for (const char* release : {"", "linux", "6", "6.", "6.x"}) {
    EXPECT_TRUE(traits_of_release(release).optimised_nop5) << release;
    EXPECT_FALSE(traits_of_release(release).emulates_multibyte_nop) << release;
  }
}

TEST(Kernel, DetectsTheRunningOne) { EXPECT_FALSE(detect().release.empty()); }

TEST(Kernel, ShadowStackLine) {
  EXPECT_TRUE(status_has_shadow_stack("Name:\tx\nx86_Thread_features:\tshstk wrss \n"));
  EXPECT_FALSE(status_has_shadow_stack(
      "Name:\tx\nx86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n"));
  EXPECT_FALSE(status_has_shadow_stack(""));
  EXPECT_FALSE(user_shadow_stack_active(0x7fffffff));
  user_shadow_stack_active(getpid());  // must not fail, whatever this host has
}

}  // namespace
}  // namespace nz::sites
