#include "userspace/sites/entry_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace nz::sites {
namespace {

using ::testing::HasSubstr;

const KernelTraits kOld = traits_of_release("6.1.0");
const KernelTraits kMultiByteNop = traits_of_release("6.16.0");
const KernelTraits kOptimised = traits_of_release("6.18.44");

class EntrySiteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<Binary> opened = Binary::open(NZ_SITES_FIXTURE);
    ASSERT_TRUE(opened) << opened.error().text();
    binary_.emplace(std::move(*opened));
  }
  Result<EntrySite> choose(const std::string& name, const Need& need = {},
                           const KernelTraits& kernel = kOptimised) {
    const std::optional<Symbol> symbol = binary_->function(name);
    if (!symbol) return fail("fixture has no " + name);
    Result<EntrySite> site = choose_entry(*binary_, *symbol, need, kernel);
    if (site) {
      EXPECT_EQ(site->offset, symbol->offset + site->into_function);
    }
    return site;
  }
  std::optional<Binary> binary_;
};

Need stack() {
  Need need;
  need.stack_pointer_at_entry = true;
  return need;
}

TEST_F(EntrySiteTest, PushAtTheFirstByte) {
  const auto site = choose("fx_push", stack());
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
  EXPECT_EQ(site->kind, Kind::push);
  EXPECT_EQ(site->expected, Cost::emulated);
  EXPECT_EQ(site->sp_displacement, 0);
}

TEST_F(EntrySiteTest, Endbr64IsPassedOver) {
  const auto site = choose("fx_endbr_push", stack());
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 4u);
  EXPECT_EQ(site->expected, Cost::emulated);
  EXPECT_EQ(site->sp_displacement, 0);
  EXPECT_EQ(
      site->why,
      "the first byte is endbr64, which this kernel single-steps; push %rbx at +4 is emulated");
}

TEST_F(EntrySiteTest, PushOfAnExtendedRegister) {
  const auto site = choose("fx_push_r12", stack());
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 3u);
  EXPECT_EQ(site->instruction, "push %r12");
}

TEST_F(EntrySiteTest, DisplacedStackPointerIsReported) {
  const auto site = choose("fx_sub_push");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 7u);
  EXPECT_EQ(site->sp_displacement, 8);
  EXPECT_EQ(site->expected, Cost::emulated);
}

TEST_F(EntrySiteTest, ReturnProbeDoesNotAcceptADisplacedStackPointer) {
  const auto site = choose("fx_sub_push", stack());
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
  EXPECT_EQ(site->expected, Cost::single_step);
  EXPECT_THAT(site->why, HasSubstr("the stack pointer has moved"));
}

TEST_F(EntrySiteTest, NothingEmulatedFallsBackToTheFirstByte) {
  const auto site = choose("fx_mov_only");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
  EXPECT_EQ(site->expected, Cost::single_step);
  EXPECT_THAT(site->why, HasSubstr("single-stepped"));
}

TEST_F(EntrySiteTest, ArgumentsMustBeIntact) {
  Need rdi;
  rdi.arguments = kRdi;
  Need rsi;
  rsi.arguments = kRsi;
  const auto wants_rdi = choose("fx_clobber", rdi);
  const auto wants_rsi = choose("fx_clobber", rsi);
  ASSERT_TRUE(wants_rdi && wants_rsi);
  EXPECT_EQ(wants_rdi->into_function, 0u);
  EXPECT_THAT(wants_rdi->why, HasSubstr("argument register"));
  EXPECT_EQ(wants_rsi->into_function, 5u);
}

TEST_F(EntrySiteTest, BranchIntoThePrologueMovesTheSiteBeforeIt) {
  const auto site = choose("fx_loop_into");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
  EXPECT_THAT(site->why, HasSubstr("a branch of the function enters"));
}

TEST_F(EntrySiteTest, RedZone) {
  // The leaf keeps a value at -8(%rsp) across the nop: a CALL there destroys it.
  const auto optimised = choose("fx_nop5_leaf");
  ASSERT_TRUE(optimised) << optimised.error().text();
  EXPECT_EQ(optimised->into_function, 0u);
  EXPECT_EQ(optimised->expected, Cost::single_step);
  EXPECT_THAT(optimised->why, HasSubstr("red zone"));
  // A kernel that emulates the nop and does not replace it may have it.
  const auto emulating = choose("fx_nop5_leaf", {}, kMultiByteNop);
  ASSERT_TRUE(emulating);
  EXPECT_EQ(emulating->into_function, 5u);
  const auto old = choose("fx_nop5_leaf", {}, kOld);
  ASSERT_TRUE(old);
  EXPECT_EQ(old->into_function, 0u);
}

TEST_F(EntrySiteTest, PrefixedFiveByteNopInALeafIsNeverTheSite) {
  const auto site = choose("fx_nopw5_leaf");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 10u);
  EXPECT_EQ(site->kind, Kind::push);
}

TEST_F(EntrySiteTest, FiveByteNopAtTheEntryIsSafe) {
  const auto plain = choose("fx_nop5_entry", stack());
  ASSERT_TRUE(plain) << plain.error().text();
  EXPECT_EQ(plain->into_function, 0u);
  EXPECT_EQ(plain->expected, Cost::emulated);
  const auto after_endbr = choose("fx_endbr_nop5", stack());
  ASSERT_TRUE(after_endbr) << after_endbr.error().text();
  EXPECT_EQ(after_endbr->into_function, 4u);
  EXPECT_EQ(after_endbr->expected, Cost::emulated);
}

TEST_F(EntrySiteTest, FiveByteNopAtTheHeadOfALoopIsRefused) {
  const auto behind = choose("fx_nop5_loop");
  ASSERT_TRUE(behind) << behind.error().text();
  EXPECT_EQ(behind->kind, Kind::conditional_jump) << "any site but the nop";
  EXPECT_THAT(behind->caveat, HasSubstr("each round counts"));
  // Where only the first byte is left, there is no safe site.
  Need rdi;
  rdi.arguments = kRdi;
  const auto refused = choose("fx_nop5_loop", rdi);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("red zone"));
  EXPECT_TRUE(choose("fx_nop5_loop", rdi, kMultiByteNop));
}

TEST_F(EntrySiteTest, CallIsASiteUnlessAShadowStackIsActive) {
  const auto site = choose("fx_call");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->kind, Kind::call);
  EXPECT_EQ(site->sp_displacement, 8);
  Need shadow;
  shadow.shadow_stack = true;
  const auto careful = choose("fx_call", shadow);
  ASSERT_TRUE(careful);
  EXPECT_EQ(careful->into_function, 0u);
  EXPECT_THAT(careful->why, HasSubstr("shadow stack"));
}

TEST_F(EntrySiteTest, ConditionalJumpIsASite) {
  const auto site = choose("fx_jcc", stack());
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 3u);
  EXPECT_EQ(site->kind, Kind::conditional_jump);
}

TEST_F(EntrySiteTest, XchgThatKernelsMistakeForNopIsPassedOver) {
  const auto site = choose("fx_xchg_r8");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 2u);
}

TEST_F(EntrySiteTest, UnknownStackChangeEndsTheSearch) {
  const auto site = choose("fx_realign");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
  EXPECT_THAT(site->why, HasSubstr("unknown amount"));
}

TEST_F(EntrySiteTest, LoopToTheEntryIsACaveat) {
  const auto site = choose("fx_self_loop");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
  EXPECT_THAT(site->caveat, HasSubstr("each round counts"));
}

TEST_F(EntrySiteTest, SiteBehindAnotherEntryIsNotUsed) {
  const auto outer = choose("fx_outer");
  ASSERT_TRUE(outer) << outer.error().text();
  EXPECT_EQ(outer->into_function, 0u);
  EXPECT_THAT(outer->why, HasSubstr("another function's entry"));
  const auto inner = choose("fx_inner");
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->expected, Cost::emulated);
}

TEST_F(EntrySiteTest, UnsizedFunctionIsStillProbed) {
  const auto site = choose("fx_unsized", stack());
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->into_function, 0u);
}

TEST_F(EntrySiteTest, RefusesWhatIsNoFunctionBody) {
  const auto ifunc = choose("fx_ifunc");
  ASSERT_FALSE(ifunc);
  EXPECT_THAT(ifunc.error().what, HasSubstr("ifunc"));
  const auto data = choose("fx_in_data");
  ASSERT_FALSE(data);
  EXPECT_THAT(data.error().what, HasSubstr("not in an executable segment"));
}

TEST_F(EntrySiteTest, RefusesAPltEntry) {
  // The PLT has no symbols of its own; a caller could still come with such an address.
  Symbol symbol = *binary_->function("fx_call");
  bool found = false;
  for (uint64_t address = symbol.address & ~uint64_t{0xffff}; address < symbol.address;
       address += 16)
    if (binary_->in_plt(address)) {
      symbol.address = address;
      found = true;
      break;
    }
  ASSERT_TRUE(found) << "the fixture has no .plt";
  const auto site = choose_entry(*binary_, symbol, {}, kOptimised);
  ASSERT_FALSE(site);
  EXPECT_THAT(site.error().what, HasSubstr("procedure linkage table"));
}

TEST(EntrySiteOfSqlite, KnownFunctionsOfThisHost) {
  const char* path = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not installed";
  const auto binary = Binary::open(path);
  ASSERT_TRUE(binary) << binary.error().text();
  // DESIGN 3.3: most statement boundaries begin with push; sqlite3_prepare_v2 begins with sub.
  for (const char* name : {"sqlite3BtreeBeginTrans", "sqlite3VdbeHalt", "sqlite3RunParser"}) {
    const auto symbol = binary->function(name);
    ASSERT_TRUE(symbol) << name;
    const auto site = choose_entry(*binary, *symbol, stack(), kOptimised);
    ASSERT_TRUE(site) << site.error().text();
    EXPECT_EQ(site->expected, Cost::emulated) << name << ": " << site->why;
    EXPECT_EQ(site->sp_displacement, 0) << name;
  }
  const auto prepare = binary->function("sqlite3_prepare_v2");
  ASSERT_TRUE(prepare);
  const auto site = choose_entry(*binary, *prepare, {}, kOptimised);
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_NE(site->into_function, 0u) << site->why;
  EXPECT_EQ(site->expected, Cost::emulated);
  EXPECT_GT(site->sp_displacement, 0);
}

}  // namespace
}  // namespace nz::sites
