#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/stages/plan.h"

namespace nz::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nz_action act(nz_action_kind kind, uint16_t stage) { return {stage, static_cast<nz_u8>(kind), 0}; }

PlannedSite site(uint64_t offset, std::vector<nz_action> actions) {
  PlannedSite s;
  s.offset = offset;
  s.actions = std::move(actions);
  return s;
}

StagePlan plan(std::vector<PlannedSite> sites) {
  StagePlan p;
  p.sites = std::move(sites);
  return p;
}

std::vector<std::pair<int, int>> kinds(const std::vector<nz_action>& actions) {
  std::vector<std::pair<int, int>> result;
  for (const nz_action& a : actions) result.emplace_back(a.kind, a.stage);
  return result;
}

using Pair = std::pair<int, int>;

TEST(Merge, ConsecutiveStagesShareTheAddressBetweenThem) {
  const auto merged =
      merge({plan({site(0x30, {act(NZ_ACT_FROM, 1)}), site(0x40, {act(NZ_ACT_TO, 1)})}),
             plan({site(0x10, {act(NZ_ACT_FROM, 0)}), site(0x30, {act(NZ_ACT_TO, 0)})})});
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->size(), 3U) << "by offset, each once";
  EXPECT_EQ((*merged)[0].offset, 0x10U);
  EXPECT_EQ((*merged)[1].offset, 0x30U);
  EXPECT_EQ((*merged)[2].offset, 0x40U);
  // The end of the first stage comes before the start of the second, whatever order they were given
  // in.
  EXPECT_THAT(kinds((*merged)[1].actions), ElementsAre(Pair{NZ_ACT_TO, 0}, Pair{NZ_ACT_FROM, 1}));
}

TEST(Merge, AStageFromAFunctionToItselfEndsBeforeItBegins) {
  const auto merged = merge({plan({site(8, {act(NZ_ACT_FROM, 0)}), site(8, {act(NZ_ACT_TO, 0)})})});
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->size(), 1U);
  EXPECT_THAT(kinds((*merged)[0].actions), ElementsAre(Pair{NZ_ACT_TO, 0}, Pair{NZ_ACT_FROM, 0}));
}

TEST(Merge, AFunctionThatIsOneInstructionIsEnteredBeforeItIsLeft) {
  const auto merged =
      merge({plan({site(8, {act(NZ_ACT_FN_ENTRY, 0)}), site(8, {act(NZ_ACT_FN_EXIT, 0)})}),
             plan({site(8, {act(NZ_ACT_TO, 1)})})});
  ASSERT_TRUE(merged);
  EXPECT_THAT(kinds((*merged)[0].actions),
              ElementsAre(Pair{NZ_ACT_TO, 1}, Pair{NZ_ACT_FN_ENTRY, 0}, Pair{NZ_ACT_FN_EXIT, 0}));
}

TEST(Merge, AFunctionWithReturnTakesTheOtherStagesOfItsAddressAlong) {
  PlannedSite function = site(0x20, {act(NZ_ACT_FN_ENTRY, 2)});
  function.returns = true;
  function.return_actions = {act(NZ_ACT_FN_EXIT, 2)};
  for (const bool function_first : {true, false}) {
    std::vector<StagePlan> plans{plan({site(0x20, {act(NZ_ACT_TO, 3)})})};
    plans.insert(function_first ? plans.begin() : plans.end(), plan({function}));
    const auto merged = merge(plans);
    ASSERT_TRUE(merged);
    ASSERT_EQ(merged->size(), 1U);
    EXPECT_TRUE((*merged)[0].returns);
    EXPECT_THAT(kinds((*merged)[0].actions),
                ElementsAre(Pair{NZ_ACT_TO, 3}, Pair{NZ_ACT_FN_ENTRY, 2}));
    EXPECT_THAT(kinds((*merged)[0].return_actions), ElementsAre(Pair{NZ_ACT_FN_EXIT, 2}));
  }
}

// Two `function:` stages of one function: the kernel side keeps frames as a stack.
TEST(Merge, ExitsGoInTheReverseOrderOfEntries) {
  const auto function = [](uint16_t stage) {
    return plan(
        {site(0x10, {act(NZ_ACT_FN_ENTRY, stage)}), site(0x90, {act(NZ_ACT_FN_EXIT, stage)})});
  };
  const auto merged = merge({function(0), function(1), function(2)});
  ASSERT_TRUE(merged);
  EXPECT_THAT(
      kinds((*merged)[0].actions),
      ElementsAre(Pair{NZ_ACT_FN_ENTRY, 0}, Pair{NZ_ACT_FN_ENTRY, 1}, Pair{NZ_ACT_FN_ENTRY, 2}));
  EXPECT_THAT(
      kinds((*merged)[1].actions),
      ElementsAre(Pair{NZ_ACT_FN_EXIT, 2}, Pair{NZ_ACT_FN_EXIT, 1}, Pair{NZ_ACT_FN_EXIT, 0}));
}

TEST(Merge, ASessionIsTheOuterFrameBecauseItsReturnComesLast) {
  const auto function = [](uint16_t stage) {
    PlannedSite s = site(0x10, {act(NZ_ACT_FN_ENTRY, stage)});
    s.returns = true;
    s.return_actions = {act(NZ_ACT_FN_EXIT, stage)};
    return plan({s});
  };
  const auto merged =
      merge({plan({site(0x10, {act(NZ_ACT_FN_ENTRY, 0)})}), function(1), function(2)});
  ASSERT_TRUE(merged);
  EXPECT_THAT(
      kinds((*merged)[0].actions),
      ElementsAre(Pair{NZ_ACT_FN_ENTRY, 1}, Pair{NZ_ACT_FN_ENTRY, 2}, Pair{NZ_ACT_FN_ENTRY, 0}));
  EXPECT_THAT(kinds((*merged)[0].return_actions),
              ElementsAre(Pair{NZ_ACT_FN_EXIT, 2}, Pair{NZ_ACT_FN_EXIT, 1}));
}

TEST(Merge, EightStagesFitOneAddressNineDoNot) {
  std::vector<StagePlan> plans;
  for (uint16_t stage = 0; stage < NZ_SITE_ACTIONS; stage++) {
    plans.push_back(plan({site(0x10, {act(NZ_ACT_FROM, stage)})}));
  }
  ASSERT_TRUE(merge(plans));
  EXPECT_EQ(merge(plans)->front().actions.size(), 8U);
  plans.push_back(plan({site(0x10, {act(NZ_ACT_FROM, NZ_SITE_ACTIONS)})}));
  const auto refused = merge(plans);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("more than 8 stages share one address"));
}

TEST(Merge, NothingIsNothing) {
  EXPECT_TRUE(merge({})->empty());
  EXPECT_TRUE(merge({StagePlan{}})->empty());
}

}  // namespace
}  // namespace nz::probes
