// Loads the whole object on this kernel and attaches every tracing program once.
#include <gtest/gtest.h>

#include "userspace/loader/object.h"

namespace nz::loader {
namespace {

Object::Options options() {
  Object::Options o;
  o.layout.cpus = possible_cpus();
  o.layout.task_entries = task_entries();
  return o;
}

TEST(Loader, LoadsEveryProgramOnThisKernel) {
  auto object = Object::load(options());
  ASSERT_TRUE(object.has_value()) << object.error().text();
  for (const auto& [program, reason] : (*object)->refused())
    ADD_FAILURE() << program << ": " << reason;
  EXPECT_GT((*object)->map_bytes(), 1U << 20U);
  EXPECT_LT((*object)->map_bytes(), 40U << 20U);
}

TEST(Loader, AttachesTheSchedulerAndCountsSwitches) {
  auto object = Object::load(options());
  ASSERT_TRUE(object.has_value()) << object.error().text();
  auto link = (*object)->attach_tracing("nz_sched_switch");
  ASSERT_TRUE(link.has_value()) << link.error().text();
  for (int i = 0; i < 100; i++) usleep(1000);
  uint64_t switches = 0;
  for (const nz_counters& c : (*object)->array<nz_counters>("nz_counts")) switches += c.switches;
  EXPECT_GE(switches, 200U);  // 100 sleeps: out and in
}

TEST(Loader, LeavesOutWhatIsNotAskedForAndSaysSo) {
  auto o = options();
  o.without = {"nz_sys_enter"};
  auto object = Object::load(o);
  ASSERT_TRUE(object.has_value());
  auto link = (*object)->attach_tracing("nz_sys_enter");
  ASSERT_FALSE(link.has_value());
  EXPECT_NE(link.error().text().find("not asked for"), std::string::npos);
}

TEST(Loader, MissingTypeInformationIsAClearError) {
  auto o = options();
  o.btf_path = "/nonexistent/vmlinux";
  auto object = Object::load(o);
  ASSERT_FALSE(object.has_value());
  EXPECT_NE(object.error().text().find("CONFIG_DEBUG_INFO_BTF"), std::string::npos);
}

}  // namespace
}  // namespace nz::loader
