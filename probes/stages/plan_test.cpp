// Plans for the functions of this very test (a C++ binary) and of a C library that it has loaded.
#include "probes/stages/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "userspace/targets/process.h"

#if defined(__clang__)
#define NZ_PLANNED __attribute__((noinline, used))
#else
#define NZ_PLANNED __attribute__((noipa, noinline, used))
#endif

// Known first instructions: after `sub`, the first that the kernel emulates is the push at +4.
asm(".text\n.globl nz_plan_moved\n.type nz_plan_moved, @function\nnz_plan_moved:\n"
    "sub $8, %rsp\npush %rbx\nlea 1(%rdi), %rax\npop %rbx\nadd $8, %rsp\nret\n"
    ".size nz_plan_moved, . - nz_plan_moved\n"
    ".globl nz_plan_lone_ret\n.type nz_plan_lone_ret, @function\nnz_plan_lone_ret:\nret\n"
    ".size nz_plan_lone_ret, . - nz_plan_lone_ret\n"
    ".globl nz_plan_push\n.type nz_plan_push, @function\nnz_plan_push:\n"
    "push %rbp\nlea 1(%rdi), %rax\ntest %rdi, %rdi\njz 1f\npop %rbp\nret\n1: pop %rbp\nret\n"
    ".size nz_plan_push, . - nz_plan_push\n");
extern "C" {
long nz_plan_moved(long);
void nz_plan_lone_ret();
long nz_plan_push(long);
}

namespace nz::probes {

template <int N>
NZ_PLANNED long plan_many(long x) {
  asm volatile("" ::: "memory");
  return x + N;
}

template <int N>
NZ_PLANNED long plan_too_many(long x) {
  asm volatile("" ::: "memory");
  return x - N;
}

template <int... N>
long call_all(std::integer_sequence<int, N...> /*64*/) {
  return (plan_many<N>(1) + ...) + (plan_too_many<N>(1) + ...) + plan_too_many<64>(1);
}

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const sites::KernelTraits kKernel = sites::traits_of_release("6.18.44");

config::Stage function(const std::string& name, bool nothrow = false) {
  config::Stage stage;
  stage.name = "s";
  stage.function = name;
  stage.nothrow = nothrow;
  return stage;
}

config::Stage span(const std::string& from, const std::string& to) {
  config::Stage stage;
  stage.name = "s";
  stage.from = from;
  stage.to = to;
  return stage;
}

class Plan : public ::testing::Test {
 protected:
  void SetUp() override {
    // Referred to, so that the linker keeps them.
    ASSERT_EQ(nz_plan_moved(1) + nz_plan_push(0) + nz_plan_push(1), 5);
    nz_plan_lone_ret();
    auto opened = sites::Binary::open("/proc/self/exe");
    ASSERT_TRUE(opened) << opened.error().text();
    binary_.emplace(std::move(*opened));
    ASSERT_TRUE(binary_->traits().cxx_unwinder);
  }
  Result<StagePlan> plan(const config::Stage& stage, bool shadow_stack = false) {
    return plan_stage(*binary_, stage, {3, 7}, shadow_stack, kKernel);
  }
  uint64_t offset(const std::string& name) { return binary_->function(name)->offset; }
  std::optional<sites::Binary> binary_;
};

TEST_F(Plan, FromAndToAreTwoEntries) {
  const auto p = plan(span("nz_plan_push", "nz_plan_moved"));
  ASSERT_TRUE(p) << p.error().text();
  ASSERT_EQ(p->sites.size(), 2U);
  const PlannedSite& from = p->sites[0];
  EXPECT_EQ(from.offset, offset("nz_plan_push"));
  EXPECT_EQ(from.sp_displacement, 0);
  EXPECT_FALSE(from.returns);
  EXPECT_FALSE(from.stepped);
  ASSERT_EQ(from.actions.size(), 1U);
  EXPECT_EQ(from.actions[0].kind, NZ_ACT_FROM);
  EXPECT_EQ(from.actions[0].stage, 3);
  EXPECT_EQ(from.actions[0].index, 7);
  const PlannedSite& to = p->sites[1];
  EXPECT_EQ(to.offset, offset("nz_plan_moved") + 4) << "the push behind the sub";
  EXPECT_EQ(to.sp_displacement, 8) << "so that the entry's stack pointer is known";
  EXPECT_FALSE(to.stepped);
  EXPECT_EQ(to.actions[0].kind, NZ_ACT_TO);
  EXPECT_THAT(p->text,
              HasSubstr("from nz_plan_push: entry at the first byte (push %rbp, emulated"));
  EXPECT_THAT(p->text, HasSubstr(" to nz_plan_moved: entry at +4 (push %rbx, emulated"));
}

TEST_F(Plan, WithoutNothrowACxxFunctionIsLeftByItsExitInstructions) {
  const auto p = plan(function("nz_plan_push"));
  ASSERT_TRUE(p) << p.error().text();
  ASSERT_EQ(p->sites.size(), 3U) << "an entry and two rets";
  for (const PlannedSite& s : p->sites) {
    EXPECT_FALSE(s.returns);
    EXPECT_TRUE(s.return_actions.empty());
  }
  EXPECT_EQ(p->sites[0].actions[0].kind, NZ_ACT_FN_ENTRY);
  EXPECT_EQ(p->sites[1].actions[0].kind, NZ_ACT_FN_EXIT);
  EXPECT_EQ(p->sites[2].actions[0].kind, NZ_ACT_FN_EXIT);
  EXPECT_TRUE(p->sites[1].stepped) << "a ret is single-stepped";
  EXPECT_THAT(p->text, HasSubstr("return by exit instructions (2 x ret, single-stepped, ~10x)"));
  EXPECT_THAT(p->text, HasSubstr("C++ unwinder"));
  EXPECT_THAT(p->text, Not(HasSubstr("return probe set")));
}

TEST_F(Plan, NothrowAllowsASession) {
  const auto p = plan(function("nz_plan_push", true));
  ASSERT_TRUE(p) << p.error().text();
  ASSERT_EQ(p->sites.size(), 1U);
  const PlannedSite& s = p->sites[0];
  EXPECT_TRUE(s.returns);
  EXPECT_EQ(s.offset, offset("nz_plan_push"));
  EXPECT_EQ(s.sp_displacement, 0);
  ASSERT_EQ(s.actions.size(), 1U);
  EXPECT_EQ(s.actions[0].kind, NZ_ACT_FN_ENTRY);
  ASSERT_EQ(s.return_actions.size(), 1U);
  EXPECT_EQ(s.return_actions[0].kind, NZ_ACT_FN_EXIT);
  EXPECT_EQ(s.return_actions[0].stage, 3);
  EXPECT_THAT(p->text, HasSubstr("return by return probe set at the first byte"));
}

TEST_F(Plan, ASessionSitsWhereTheStackPointerIsThatOfTheEntry) {
  const auto p = plan(function("nz_plan_moved", true));
  ASSERT_TRUE(p) << p.error().text();
  ASSERT_EQ(p->sites.size(), 1U);
  EXPECT_EQ(p->sites[0].offset, offset("nz_plan_moved")) << "not at the push: the stack has moved";
  EXPECT_TRUE(p->sites[0].stepped);
}

TEST_F(Plan, AShadowStackForbidsTheSessionEvenWithNothrow) {
  const auto p = plan(function("nz_plan_push", true), true);
  ASSERT_TRUE(p) << p.error().text();
  EXPECT_EQ(p->sites.size(), 3U);
  EXPECT_THAT(p->text, HasSubstr("shadow stack"));
}

TEST_F(Plan, AFunctionOfOneInstructionIsEnteredAndThenLeftAtOneAddress) {
  const auto p = plan(function("nz_plan_lone_ret"));
  ASSERT_TRUE(p) << p.error().text();
  const auto merged = merge({*p});
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->size(), 1U);
  ASSERT_EQ(merged->front().actions.size(), 2U);
  EXPECT_EQ(merged->front().actions[0].kind, NZ_ACT_FN_ENTRY);
  EXPECT_EQ(merged->front().actions[1].kind, NZ_ACT_FN_EXIT);
}

TEST_F(Plan, ACLibraryGetsASessionWithoutBeingAsked) {
  std::string path;
  for (const auto& m : targets::executable_files(getpid())) {
    if (m.path.find("/libz.so") != std::string::npos) path = m.path;
  }
  ASSERT_FALSE(path.empty()) << "this test is linked with zlib";
  auto zlib = sites::Binary::open(path);
  ASSERT_TRUE(zlib) << zlib.error().text();
  const auto p = plan_stage(*zlib, function("crc32_z"), {0, 0}, false, kKernel);
  ASSERT_TRUE(p) << p.error().text();
  ASSERT_EQ(p->sites.size(), 1U);
  EXPECT_TRUE(p->sites[0].returns);
  EXPECT_THAT(p->text, HasSubstr("binary has no C++ unwinder"));
}

TEST_F(Plan, NamesThatMatchNothingGetTheNearestOnes) {
  for (const auto& stage : {function("nz_plan_pusch"), span("nz_plan_pusch", "nz_plan_moved"),
                            span("nz_plan_moved", "nz_plan_pusch")}) {
    const auto p = plan(stage);
    ASSERT_FALSE(p);
    EXPECT_THAT(p.error().what, HasSubstr("no function 'nz_plan_pusch'"));
    EXPECT_THAT(p.error().remedy, HasSubstr("nz_plan_push"));
  }
}

TEST_F(Plan, APatternMayNameSixtyFourFunctionsAndNoMore) {
  ASSERT_NE(call_all(std::make_integer_sequence<int, 64>{}), 0);
  const auto fits = plan(span("_ZN2nz6probes9plan_manyILi*", "nz_plan_push"));
  ASSERT_TRUE(fits) << fits.error().text();
  EXPECT_EQ(fits->sites.size(), 65U) << "64 and the other end";
  for (const auto& stage : {function("_ZN2nz6probes13plan_too_manyILi*"),
                            span("nz_plan_push", "_ZN2nz6probes13plan_too_manyILi*")}) {
    const auto p = plan(stage);
    ASSERT_FALSE(p);
    EXPECT_THAT(p.error().what,
                HasSubstr("'_ZN2nz6probes13plan_too_manyILi*' matches 65 functions of"));
    EXPECT_THAT(p.error().what, HasSubstr("more than 64"));
    EXPECT_THAT(p.error().remedy, HasSubstr("narrow the pattern"));
  }
}

TEST_F(Plan, MangledDemangledAndGlobNamesAreOneFunction) {
  std::set<uint64_t> offsets;
  for (const char* name :
       {"_ZN2nz6probes9plan_manyILi7EEEll", "nz::probes::plan_many<7>",
        "long nz::probes::plan_many<7>(long)", "*plan_manyILi7E*", "*plan_many<7>*"}) {
    const auto p = plan(span(name, "nz_plan_push"));
    ASSERT_TRUE(p) << name << ": " << p.error().text();
    ASSERT_EQ(p->sites.size(), 2U) << name;
    offsets.insert(p->sites[0].offset);
  }
  EXPECT_EQ(offsets.size(), 1U);
}

}  // namespace
}  // namespace nz::probes
