#include "userspace/sites/prologue.h"

#include <gtest/gtest.h>

namespace nz::sites {
namespace {

const KernelTraits kBeforeNop5 = traits_of_release("6.1");
const KernelTraits kNew = traits_of_release("6.18");

struct Case {
  const char* text;
  std::vector<uint8_t> bytes;
  Kind kind;
  bool emulated_old;
  bool emulated_new;
};

class PrologueTest : public ::testing::TestWithParam<Case> {};

TEST_P(PrologueTest, KindAndEmulation) {
  const Case& c = GetParam();
  const auto i = decode(c.bytes, 0);
  ASSERT_TRUE(i) << c.text;
  EXPECT_EQ(i->length, c.bytes.size()) << c.text;
  EXPECT_EQ(i->kind, c.kind) << c.text;
  EXPECT_EQ(emulated(*i, kBeforeNop5), c.emulated_old) << c.text;
  EXPECT_EQ(emulated(*i, kNew), c.emulated_new) << c.text;
}

INSTANTIATE_TEST_SUITE_P(
    Instructions, PrologueTest,
    ::testing::Values(
        Case{"push %rbp", {0x55}, Kind::push, true, true},
        Case{"push %r15", {0x41, 0x57}, Kind::push, true, true},
        Case{"rex.W push %rbp", {0x48, 0x55}, Kind::other, false, false},
        Case{"push $1", {0x6a, 0x01}, Kind::other, false, false},
        Case{"push (%rdi)", {0xff, 0x37}, Kind::other, false, false},
        Case{"nop", {0x90}, Kind::nop, true, true},
        Case{"xchg %ax,%ax", {0x66, 0x90}, Kind::nop, false, true},
        Case{"nopl (%rax)", {0x0f, 0x1f, 0x00}, Kind::nop, false, true},
        Case{"nopl 0(%rax,%rax)", {0x0f, 0x1f, 0x44, 0, 0}, Kind::nop, false, true},
        Case{"nopw cs:", {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}, Kind::nop, false, false},
        Case{"call", {0xe8, 0, 1, 0, 0}, Kind::call, true, true},
        Case{"jmp rel8", {0xeb, 0x10}, Kind::jump, true, true},
        Case{"jmp rel32", {0xe9, 0, 1, 0, 0}, Kind::jump, true, true},
        Case{"je rel8", {0x74, 0x10}, Kind::conditional_jump, true, true},
        Case{"jne rel32", {0x0f, 0x85, 0, 1, 0, 0}, Kind::conditional_jump, true, true},
        Case{"jrcxz", {0xe3, 0x10}, Kind::other_branch, false, false},
        Case{"loop", {0xe2, 0x10}, Kind::other_branch, false, false},
        Case{"endbr64", {0xf3, 0x0f, 0x1e, 0xfa}, Kind::endbr, false, false},
        Case{"ret", {0xc3}, Kind::ret, false, false},
        Case{"repz ret", {0xf3, 0xc3}, Kind::ret, false, false},
        Case{"sub $8,%rsp", {0x48, 0x83, 0xec, 0x08}, Kind::other, false, false},
        Case{"mov %rdi,%rax", {0x48, 0x89, 0xf8}, Kind::other, false, false},
        Case{"jmp *%rax", {0xff, 0xe0}, Kind::indirect_jump, false, false},
        Case{"call *%rax", {0xff, 0xd0}, Kind::indirect_call, false, false},
        Case{"ud2", {0x0f, 0x0b}, Kind::stop, false, false},
        Case{"xchg %r8d,%eax", {0x41, 0x90}, Kind::other, false, false}));

std::optional<int64_t> sp(std::vector<uint8_t> bytes) { return decode(bytes, 0)->sp_delta; }

TEST(Prologue, StackPointer) {
  EXPECT_EQ(sp({0x55}), -8);                                     // push %rbp
  EXPECT_EQ(sp({0x5d}), 8);                                      // pop %rbp
  EXPECT_EQ(sp({0x48, 0x83, 0xec, 0x28}), -0x28);                // sub $0x28,%rsp
  EXPECT_EQ(sp({0x48, 0x81, 0xec, 0x00, 0x10, 0, 0}), -0x1000);  // sub $0x1000,%rsp
  EXPECT_EQ(sp({0x48, 0x83, 0xc4, 0x80}), -128);                 // add $-128,%rsp
  EXPECT_EQ(sp({0x48, 0x8d, 0x64, 0x24, 0xf8}), -8);             // lea -8(%rsp),%rsp
  EXPECT_EQ(sp({0x48, 0x89, 0xe5}), 0);                          // mov %rsp,%rbp
  EXPECT_EQ(sp({0x48, 0x83, 0xe4, 0xe0}), std::nullopt);         // and $-32,%rsp
  EXPECT_EQ(sp({0xc9}), std::nullopt);                           // leave
  EXPECT_EQ(sp({0x5c}), std::nullopt);                           // pop %rsp
}

TEST(Prologue, ArgumentsThatAreWritten) {
  EXPECT_EQ(decode(std::vector<uint8_t>{0x31, 0xff}, 0)->written_arguments, kRdi);  // xor %edi,%edi
  EXPECT_EQ(decode(std::vector<uint8_t>{0x4d, 0x89, 0xc1}, 0)->written_arguments,
            kR9);                                                                   // mov %r8,%r9
  EXPECT_EQ(decode(std::vector<uint8_t>{0xb1, 0x01}, 0)->written_arguments, kRcx);  // mov $1,%cl
  EXPECT_EQ(decode(std::vector<uint8_t>{0x48, 0x99}, 0)->written_arguments, kRdx);  // cqto
  EXPECT_EQ(decode(std::vector<uint8_t>{0x48, 0x85, 0xff}, 0)->written_arguments, 0);  // test
}

TEST(Prologue, WhatTheKernelRefusesOrReplaces) {
  EXPECT_TRUE(decode(std::vector<uint8_t>{0xcc}, 0)->refused_by_kernel);
  EXPECT_TRUE(
      decode(std::vector<uint8_t>{0xf0, 0xff, 0x07}, 0)->refused_by_kernel);  // lock incl (%rdi)
  EXPECT_TRUE(
      decode(std::vector<uint8_t>{0x3e, 0xff, 0xe0}, 0)->refused_by_kernel);  // notrack jmp *%rax
  EXPECT_FALSE(decode(std::vector<uint8_t>{0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0}, 0)
                   ->refused_by_kernel);  // mov %fs:0x28,%rax
  const auto nop5 = decode(std::vector<uint8_t>{0x0f, 0x1f, 0x44, 0, 0}, 0);
  EXPECT_TRUE(replaced_by_call(*nop5, kNew));
  EXPECT_FALSE(replaced_by_call(*nop5, kBeforeNop5));
  EXPECT_TRUE(
      replaced_by_call(*decode(std::vector<uint8_t>{0x66, 0x66, 0x66, 0x66, 0x90}, 0), kNew));
  EXPECT_TRUE(replaced_by_call(*decode(std::vector<uint8_t>{0xe9, 0, 0, 0, 0}, 0), kNew));
  EXPECT_FALSE(replaced_by_call(*decode(std::vector<uint8_t>{0xe9, 1, 0, 0, 0}, 0), kNew));
}

TEST(Prologue, StraightLineEndsAtTheFirstBranch) {
  const std::vector<uint8_t> code = {0x55, 0x48, 0x89, 0xe5, 0x74, 0x01, 0x90, 0xc3};
  const auto line = straight_line(code, 256);
  ASSERT_EQ(line.size(), 3u);
  EXPECT_EQ(line[2].target, 7);
  EXPECT_EQ(straight_line(std::vector<uint8_t>{0x06}, 256).size(), 0u);
  EXPECT_EQ(straight_line(std::vector<uint8_t>{0x55, 0x48}, 256).size(), 1u) << "cut off";
}

TEST(Prologue, SweepTellsWhereItFailed) {
  EXPECT_EQ(sweep(std::vector<uint8_t>{0x90, 0x06}).undecodable, 1u);
  EXPECT_EQ(sweep(std::vector<uint8_t>{0x90, 0xc3}).undecodable, std::nullopt);
}

}  // namespace
}  // namespace nz::sites
