// x86-64 instructions as uprobes see them. Decoding is Zydis's; the judgement is taken from
// arch/x86/kernel/uprobes.c: branch_setup_xol_ops, push_setup_xol_ops, uprobe_init_insn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/sites/kernel.h"

namespace nz::sites {

/// Argument registers of the System V ABI as a bit mask.
enum ArgumentRegister : uint8_t {
  kRdi = 1 << 0,
  kRsi = 1 << 1,
  kRdx = 1 << 2,
  kRcx = 1 << 3,
  kR8 = 1 << 4,
  kR9 = 1 << 5,
  kAllArguments = 0x3f,
};

enum class Kind {
  push,              ///< push of a general register, 50-57 with or without REX 41
  nop,               ///< 90, 66 90, and the multi-byte forms of the Intel manual
  call,              ///< call rel32
  jump,              ///< jmp rel8 or rel32
  conditional_jump,  ///< jcc rel8 or rel32
  other_branch,      ///< loop, jrcxz, xbegin: relative, not emulated
  indirect_jump,     ///< jmp through register or memory
  indirect_call,
  ret,
  endbr,  ///< endbr64 (f3 0f 1e fa): single-stepped by all kernels, insn_is_nop() excludes it
  stop,   ///< never falls through, or leaves user mode: ud2, hlt, int3, syscall
  other,
};

struct Instruction {
  uint64_t offset = 0;  ///< from the first decoded byte (the function's start)
  uint8_t length = 0;   ///< bytes
  Kind kind = Kind::other;
  std::optional<int64_t> target;  ///< of a relative branch, from the function's start
  std::optional<int64_t>
      sp_delta;  ///< change of rsp in bytes when execution falls through; unknown: none
  uint8_t written_arguments = 0;  ///< ArgumentRegister bits that it writes
  bool canonical_nop = false;     ///< one of the kernel's own x86_nops[]
  bool refused_by_kernel =
      false;                ///< attaching here fails (-ENOTSUPP), or corrupts: see prologue.cpp
  bool table_jump = false;  ///< indirect_jump with notrack or a scaled index: a switch table
  bool table_load = false;  ///< reads a switch table: movslq (base,index,4) or mov (base,index,8)
  bool got_jump = false;    ///< indirect_jump through memory at a fixed rip-relative address
};

/// Decodes one instruction of `code` at `offset`; none when the bytes are no instruction.
std::optional<Instruction> decode(std::span<const uint8_t> code, uint64_t offset);

/// Decodes from the start to the first instruction that does not fall through (inclusive), at most
/// `limit` bytes. Stops without error where bytes cannot be decoded: the size tells.
std::vector<Instruction> straight_line(std::span<const uint8_t> code, uint64_t limit);

struct Sweep {
  std::vector<Instruction> instructions;
  std::optional<uint64_t> undecodable;  ///< offset where decoding failed
};
/// Decodes all of `code` linearly.
Sweep sweep(std::span<const uint8_t> code);

/// Whether this kernel emulates the instruction under a uprobe (0.4-0.7 us) instead of
/// single-stepping a copy of it (9-10 us; both measured on 6.18, DESIGN 3.1).
bool emulated(const Instruction& instruction, const KernelTraits& kernel);

/// Whether this kernel may replace the instruction by a CALL, which writes below the stack pointer.
bool replaced_by_call(const Instruction& instruction, const KernelTraits& kernel);

/// AT&T text of one instruction: "push %rbp". `address` is for branch targets.
std::string disassemble(std::span<const uint8_t> code, uint64_t offset, uint64_t address);

}  // namespace nz::sites
