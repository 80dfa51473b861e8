#include "userspace/sites/return_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "userspace/sites/explain.h"

namespace nz::sites {
namespace {

using ::testing::HasSubstr;

const KernelTraits kKernel = traits_of_release("6.18.44");

ReturnPolicy by_exits() {
  ReturnPolicy policy;
  policy.prefer_exit_instructions = true;
  return policy;
}

class ReturnSiteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<Binary> opened = Binary::open(NZ_SITES_FIXTURE);
    ASSERT_TRUE(opened) << opened.error().text();
    binary_.emplace(std::move(*opened));
    ASSERT_FALSE(binary_->traits().cxx_unwinder);
  }
  Result<ReturnPlan> choose(const std::string& name, const ReturnPolicy& policy = by_exits()) {
    const std::optional<Symbol> symbol = binary_->function(name);
    if (!symbol) return fail("fixture has no " + name);
    return choose_return(*binary_, *symbol, policy, kKernel);
  }
  ExitInstructions exits(const std::string& name) {
    const auto plan = choose(name);
    EXPECT_TRUE(plan) << plan.error().text();
    if (!plan) return {};
    caveat_ = plan->caveat;
    return std::get<ExitInstructions>(plan->how);
  }
  std::optional<Binary> binary_;
  std::string caveat_;
};

TEST_F(ReturnSiteTest, PlainCGetsAReturnProbe) {
  const auto plan = choose("fx_endbr_push", {});
  ASSERT_TRUE(plan) << plan.error().text();
  const auto& probe = std::get<ReturnProbe>(plan->how);
  EXPECT_EQ(probe.entry.into_function, 4u);
  EXPECT_EQ(probe.entry.sp_displacement, 0);
  EXPECT_EQ(plan->why, "binary has no C++ unwinder");
}

TEST_F(ReturnSiteTest, EveryRetIsFound) {
  const auto found = exits("fx_three_rets");
  ASSERT_EQ(found.exits.size(), 3u);
  EXPECT_FALSE(found.maybe_incomplete);
  const auto symbol = binary_->function("fx_three_rets");
  for (const ExitInstruction& exit : found.exits) {
    EXPECT_EQ(exit.kind, ExitKind::ret);
    EXPECT_EQ(exit.expected, Cost::single_step);
    EXPECT_EQ(exit.offset, symbol->offset + static_cast<uint64_t>(exit.into_function));
    const auto byte = binary_->read(symbol->address + static_cast<uint64_t>(exit.into_function), 1);
    EXPECT_TRUE(byte->front() == 0xc3 || byte->front() == 0xf3);  // ret, repz ret
  }
}

TEST_F(ReturnSiteTest, TailJumpIsAnExitAndEmulated) {
  const auto found = exits("fx_tail_jump");
  ASSERT_EQ(found.exits.size(), 2u);
  EXPECT_EQ(found.exits[0].kind, ExitKind::tail_jump);
  EXPECT_EQ(found.exits[0].expected, Cost::emulated);
  EXPECT_EQ(found.exits[1].kind, ExitKind::ret);
}

TEST_F(ReturnSiteTest, ConditionalTailJumpMakesItIncomplete) {
  const auto found = exits("fx_conditional_tail");
  EXPECT_EQ(found.exits.size(), 1u);
  EXPECT_TRUE(found.maybe_incomplete);
  EXPECT_THAT(caveat_, HasSubstr("conditional tail jump"));
}

TEST_F(ReturnSiteTest, IndirectJumps) {
  EXPECT_EQ(exits("fx_indirect_tail").exits.size(), 1u);
  EXPECT_EQ(exits("fx_thunk").exits.size(), 1u);

  const auto leaf_switch = exits("fx_leaf_switch");
  EXPECT_EQ(leaf_switch.exits.size(), 2u) << "the jump through the table stays inside";
  EXPECT_FALSE(leaf_switch.maybe_incomplete);
  EXPECT_THAT(caveat_, HasSubstr("switch table"));

  const auto notrack = exits("fx_notrack_switch");
  EXPECT_EQ(notrack.exits.size(), 1u);
  EXPECT_FALSE(notrack.maybe_incomplete);

  const auto unclear = exits("fx_unclear_jump");
  EXPECT_EQ(unclear.exits.size(), 1u);
  EXPECT_TRUE(unclear.maybe_incomplete);
  EXPECT_THAT(caveat_, HasSubstr("may be a switch or a tail call"));
}

TEST_F(ReturnSiteTest, ColdPartIsIncluded) {
  const auto found = exits("fx_with_cold");
  EXPECT_EQ(found.exits.size(), 2u);
  EXPECT_FALSE(found.maybe_incomplete) << caveat_;
}

TEST_F(ReturnSiteTest, WhatCannotBeDecodedIsRefused) {
  for (const char* name : {"fx_never_returns", "fx_data_inside", "fx_overlap", "fx_unsized"}) {
    const auto plan = choose(name);
    ASSERT_FALSE(plan) << name;
    EXPECT_THAT(plan.error().remedy, HasSubstr("from: and to:")) << name;
  }
  EXPECT_THAT(choose("fx_never_returns").error().what, HasSubstr("never returns"));
}

TEST_F(ReturnSiteTest, ShadowStackRefusesReturnProbes) {
  ReturnPolicy policy;
  policy.shadow_stack = true;
  const auto plan = choose("fx_push", policy);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_TRUE(std::holds_alternative<ExitInstructions>(plan->how));
  EXPECT_THAT(plan->why, HasSubstr("shadow stack"));
}

TEST_F(ReturnSiteTest, StackSwitchingElsewhereInTheProcessCounts) {
  ReturnPolicy policy;
  policy.nothrow = true;
  policy.process_switches_stacks = true;
  const auto plan = choose("fx_push", policy);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(std::holds_alternative<ExitInstructions>(plan->how));
}

TEST(ReturnSiteTraits, SwapcontextRefusesReturnProbesEvenWithNothrow) {
  const auto binary = Binary::open(NZ_SITES_FIXTURE_SWAP);
  ASSERT_TRUE(binary) << binary.error().text();
  EXPECT_TRUE(binary->traits().stack_switching);
  EXPECT_TRUE(binary->traits().longjmp);
  ReturnPolicy policy;
  policy.nothrow = true;
  const auto plan = choose_return(*binary, *binary->function("fx_switches"), policy, kKernel);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_TRUE(std::holds_alternative<ExitInstructions>(plan->how));
  EXPECT_THAT(plan->why, HasSubstr("switches stacks"));
}

// The test program itself is the C++ fixture.
extern "C" __attribute__((noinline, used)) int fx_cxx_function(int x) {
  asm volatile("" : "+r"(x));
  return x + 1;
}

TEST(ReturnSiteTraits, CxxUnwinderNeedsNothrow) {
  const auto binary = Binary::open("/proc/self/exe");
  ASSERT_TRUE(binary) << binary.error().text();
  ASSERT_TRUE(binary->traits().cxx_unwinder);
  const auto symbol = binary->function("fx_cxx_function");
  ASSERT_TRUE(symbol);
  const auto careful = choose_return(*binary, *symbol, {}, kKernel);
  ASSERT_TRUE(careful) << careful.error().text();
  EXPECT_TRUE(std::holds_alternative<ExitInstructions>(careful->how));
  EXPECT_THAT(careful->caveat, HasSubstr("exception is not reported"));
  ReturnPolicy nothrow;
  nothrow.nothrow = true;
  const auto told = choose_return(*binary, *symbol, nothrow, kKernel);
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_TRUE(std::holds_alternative<ReturnProbe>(told->how));
}

TEST(ReturnSiteTraits, GoIsRefused) {
  const char* path = "/usr/bin/prometheus";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " (a Go binary) is not installed";
  const auto binary = Binary::open(path);
  ASSERT_TRUE(binary) << binary.error().text();
  EXPECT_TRUE(binary->traits().go);
  Symbol symbol;
  symbol.name = "main.main";
  ReturnPolicy policy;
  policy.nothrow = true;
  const auto plan = choose_return(*binary, symbol, policy, kKernel);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().what, HasSubstr("Go binary"));
  EXPECT_THAT(plan.error().remedy, HasSubstr("from: and to:"));
}

TEST(ReturnSiteOfSqlite, HaltGetsAReturnProbe) {
  const char* path = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not installed";
  const auto binary = Binary::open(path);
  ASSERT_TRUE(binary) << binary.error().text();
  EXPECT_FALSE(binary->traits().cxx_unwinder);
  for (const char* name : {"sqlite3VdbeHalt", "sqlite3_step"}) {
    const auto plan = choose_return(*binary, *binary->function(name), {}, kKernel);
    ASSERT_TRUE(plan) << plan.error().text();
    EXPECT_TRUE(std::holds_alternative<ReturnProbe>(plan->how)) << name;
    EXPECT_TRUE(choose_return(*binary, *binary->function(name), by_exits(), kKernel)) << name;
  }
}

TEST_F(ReturnSiteTest, Explanations) {
  const Symbol symbol = *binary_->function("fx_three_rets");
  const auto entry = choose_entry(*binary_, symbol, {}, kKernel);
  const auto plan = choose("fx_three_rets");
  ASSERT_TRUE(entry && plan);
  EXPECT_EQ(explain(symbol, *entry, *plan),
            "fx_three_rets: entry at the first byte (push %rbx, emulated, ~1.0x), return by exit "
            "instructions (3 x ret, single-stepped, ~10x): exit instructions were asked for");
  const Symbol endbr = *binary_->function("fx_endbr_push");
  EXPECT_EQ(explain(endbr, *choose_entry(*binary_, endbr, {}, kKernel)),
            "fx_endbr_push: entry at +4 (push %rbx, emulated, ~1.0x)");
  EXPECT_THAT(
      explain(endbr, *choose_entry(*binary_, endbr, {}, kKernel), *choose("fx_endbr_push", {})),
      HasSubstr("return by return probe set at +4"));
}

}  // namespace
}  // namespace nz::sites
