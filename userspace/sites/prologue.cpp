#include "userspace/sites/prologue.h"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace nz::sites {
namespace {

const ZydisDecoder& decoder() {
  static const ZydisDecoder instance = [] {
    ZydisDecoder d;
    ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return d;
  }();
  return instance;
}

uint8_t argument_bit(ZydisRegister reg) {
  switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg)) {
    case ZYDIS_REGISTER_RDI:
      return kRdi;
    case ZYDIS_REGISTER_RSI:
      return kRsi;
    case ZYDIS_REGISTER_RDX:
      return kRdx;
    case ZYDIS_REGISTER_RCX:
      return kRcx;
    case ZYDIS_REGISTER_R8:
      return kR8;
    case ZYDIS_REGISTER_R9:
      return kR9;
    default:
      return 0;
  }
}

/// x86_nops[1..8] of arch/x86/include/asm/nops.h. From 6.19 on (8a5c6cbfe4a3) the kernel knows more
/// forms; what compilers emit is here, and a form taken for dearer than it is does no harm.
bool is_canonical_nop(std::span<const uint8_t> bytes) {
  static constexpr std::array<std::string_view, 8> kNops = {
      std::string_view("\x90", 1),
      std::string_view("\x66\x90", 2),
      std::string_view("\x0f\x1f\x00", 3),
      std::string_view("\x0f\x1f\x40\x00", 4),
      std::string_view("\x0f\x1f\x44\x00\x00", 5),
      std::string_view("\x66\x0f\x1f\x44\x00\x00", 6),
      std::string_view("\x0f\x1f\x80\x00\x00\x00\x00", 7),
      std::string_view("\x0f\x1f\x84\x00\x00\x00\x00\x00", 8),
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::find(kNops.begin(), kNops.end(), text) != kNops.end();
}

/// uprobe_init_insn() and prepare_uprobe() answer -ENOTSUPP for these, or must not be trusted with
/// them.
bool refused(const ZydisDecodedInstruction& i) {
  for (size_t p = 0; p < i.raw.prefix_count; ++p) {
    switch (i.raw.prefixes[p].value) {
      case 0x26:  // ES, CS, SS, DS (also as notrack and branch hints) and LOCK: is_prefix_bad()
      case 0x2e:
      case 0x36:
      case 0x3e:
      case 0xf0:
        return true;
      case 0x66:  // branch_setup_xol_ops(): CPUs differ in what 66 means to a near branch
        if (i.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE && i.mnemonic != ZYDIS_MNEMONIC_RET)
          return true;
        break;
      default:
        break;
    }
  }
  switch (i.mnemonic) {
    case ZYDIS_MNEMONIC_INT3:  // already a breakpoint: is_swbp_insn()
    case ZYDIS_MNEMONIC_INT:   // not in good_insns_64: interrupts, I/O, privileged
    case ZYDIS_MNEMONIC_INT1:
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_OUT:
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSD:
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSD:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_CLI:
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_SYSCALL:  // good_2byte_insns: 0f 05 is refused
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_UD2:
      return true;
    case ZYDIS_MNEMONIC_XCHG:
      // xchg %r8,%rax is 4x 90: kernels before 8a5c6cbfe4a3 (6.19) take any 90 for a NOP and skip
      // it.
      return i.opcode == 0x90 && i.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
    default:
      return false;
  }
}

std::optional<int64_t> stack_change(const ZydisDecodedInstruction& i,
                                    const ZydisDecodedOperand* operands) {
  bool writes = false;
  for (size_t n = 0; n < i.operand_count; ++n)
    if (operands[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
        (operands[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0 &&
        ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operands[n].reg.value) ==
            ZYDIS_REGISTER_RSP)
      writes = true;
  if (!writes) return 0;
  const auto& first = operands[0];
  const auto& second = operands[1];
  switch (i.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_PUSHFQ:
      return i.operand_width == 64 ? std::optional<int64_t>(-8) : std::nullopt;
    case ZYDIS_MNEMONIC_POP:
    case ZYDIS_MNEMONIC_POPFQ:
      if (first.type == ZYDIS_OPERAND_TYPE_REGISTER && first.reg.value == ZYDIS_REGISTER_RSP)
        return std::nullopt;
      return i.operand_width == 64 ? std::optional<int64_t>(8) : std::nullopt;
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_ADD:
      if (first.reg.value != ZYDIS_REGISTER_RSP || second.type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return std::nullopt;
      return i.mnemonic == ZYDIS_MNEMONIC_SUB ? -second.imm.value.s : second.imm.value.s;
    case ZYDIS_MNEMONIC_LEA:
      if (first.reg.value != ZYDIS_REGISTER_RSP || second.mem.base != ZYDIS_REGISTER_RSP ||
          second.mem.index != ZYDIS_REGISTER_NONE)
        return std::nullopt;
      return second.mem.disp.value;
    case ZYDIS_MNEMONIC_CALL:
      return 0;  // when it has returned
    default:
      return std::nullopt;  // and $-16,%rsp; mov; leave; enter: not a constant
  }
}

bool relative(const ZydisDecodedInstruction& i) { return i.raw.imm[0].is_relative != ZYAN_FALSE; }

Kind kind_of(const ZydisDecodedInstruction& i, const ZydisDecodedOperand* operands) {
  switch (i.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH: {
      const bool plain = i.length == 1;
      // push_setup_xol_ops(): only REX.B alone, 41; "REX.W push" is legal and single-stepped.
      const bool rex = i.length == 2 && (i.attributes & ZYDIS_ATTRIB_HAS_REX) != 0 &&
                       i.raw.rex.W == 0 && i.raw.rex.R == 0 && i.raw.rex.X == 0 && i.raw.rex.B == 1;
      return i.opcode >= 0x50 && i.opcode <= 0x57 && i.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
                     (plain || rex)
                 ? Kind::push
                 : Kind::other;
    }
    case ZYDIS_MNEMONIC_NOP:
      return Kind::nop;
    case ZYDIS_MNEMONIC_ENDBR64:
      return Kind::endbr;
    case ZYDIS_MNEMONIC_CALL:
      return relative(i) ? Kind::call : Kind::indirect_call;
    case ZYDIS_MNEMONIC_JMP:
      return relative(i) ? Kind::jump : Kind::indirect_jump;
    case ZYDIS_MNEMONIC_RET:
      return Kind::ret;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_IRETQ:
      return Kind::stop;
    default:
      break;
  }
  if (i.meta.category == ZYDIS_CATEGORY_COND_BR && relative(i)) {
    const bool jcc = (i.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (i.opcode & 0xf0) == 0x70) ||
                     (i.opcode_map == ZYDIS_OPCODE_MAP_0F && (i.opcode & 0xf0) == 0x80);
    return jcc ? Kind::conditional_jump : Kind::other_branch;
  }
  if (i.operand_count > 0 && operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && relative(i))
    return Kind::other_branch;
  return i.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? Kind::stop : Kind::other;
}

}  // namespace

std::optional<Instruction> decode(std::span<const uint8_t> code, uint64_t offset) {
  if (offset >= code.size()) return std::nullopt;
  ZydisDecodedInstruction raw;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), code.data() + offset, code.size() - offset,
                                           &raw, operands)))
    return std::nullopt;
  Instruction result;
  result.offset = offset;
  result.length = raw.length;
  result.kind = kind_of(raw, operands);
  result.refused_by_kernel = refused(raw);
  result.sp_delta = stack_change(raw, operands);
  if (result.kind == Kind::nop)
    result.canonical_nop = is_canonical_nop(code.subspan(offset, raw.length));
  if (relative(raw))
    result.target = static_cast<int64_t>(offset) + raw.length + raw.raw.imm[0].value.s;
  for (size_t n = 0; n < raw.operand_count; ++n)
    if (operands[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
        (operands[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
      result.written_arguments |= argument_bit(operands[n].reg.value);
  if (result.kind == Kind::indirect_jump) {
    const bool memory = operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
    result.table_jump =
        (raw.attributes & ZYDIS_ATTRIB_HAS_NOTRACK) != 0 ||
        (memory && operands[0].mem.index != ZYDIS_REGISTER_NONE && operands[0].mem.scale == 8);
    result.got_jump = memory && operands[0].mem.base == ZYDIS_REGISTER_RIP;
  }
  if ((raw.mnemonic == ZYDIS_MNEMONIC_MOVSXD || raw.mnemonic == ZYDIS_MNEMONIC_MOV) &&
      operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[1].mem.index != ZYDIS_REGISTER_NONE)
    result.table_load = operands[1].mem.scale == (raw.mnemonic == ZYDIS_MNEMONIC_MOV ? 8 : 4);
  return result;
}

std::vector<Instruction> straight_line(std::span<const uint8_t> code, uint64_t limit) {
  std::vector<Instruction> line;
  for (uint64_t at = 0; at < code.size() && at < limit;) {
    const std::optional<Instruction> instruction = decode(code, at);
    if (!instruction) break;
    line.push_back(*instruction);
    at += instruction->length;
    switch (instruction->kind) {
      case Kind::call:
      case Kind::jump:
      case Kind::conditional_jump:
      case Kind::other_branch:
      case Kind::indirect_jump:
      case Kind::indirect_call:
      case Kind::ret:
      case Kind::stop:
        return line;
      default:
        break;
    }
  }
  return line;
}

Sweep sweep(std::span<const uint8_t> code) {
  Sweep result;
  for (uint64_t at = 0; at < code.size();) {
    const std::optional<Instruction> instruction = decode(code, at);
    if (!instruction) {
      result.undecodable = at;
      break;
    }
    result.instructions.push_back(*instruction);
    at += instruction->length;
  }
  return result;
}

bool emulated(const Instruction& instruction, const KernelTraits& kernel) {
  if (instruction.refused_by_kernel) return false;
  switch (instruction.kind) {
    case Kind::push:
    case Kind::call:
    case Kind::jump:
    case Kind::conditional_jump:
      return true;
    case Kind::nop:
      return instruction.canonical_nop &&
             (instruction.length == 1 ||
              // 66 90: cefa72129e45 "uprobes/x86: Allow to probe a NOP instruction with 0x66
              // prefix" (6.2); kernels without it refuse to attach, so it waits for the multi-byte
              // forms.
              kernel.emulates_multibyte_nop);
    default:
      return false;
  }
}

bool replaced_by_call(const Instruction& instruction, const KernelTraits& kernel) {
  if (!kernel.optimised_nop5 || instruction.length != 5) return false;
  // e9 00 00 00 00 counts as a NOP for the kernel since 8a5c6cbfe4a3 (6.19).
  return instruction.kind == Kind::nop ||
         (instruction.kind == Kind::jump &&
          instruction.target == static_cast<int64_t>(instruction.offset) + instruction.length);
}

std::string disassemble(std::span<const uint8_t> code, uint64_t offset, uint64_t address) {
  if (offset >= code.size()) return "?";
  ZydisDecodedInstruction raw;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), code.data() + offset, code.size() - offset,
                                           &raw, operands)))
    return "?";
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT);
  char text[128];
  if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &raw, operands,
                                                    raw.operand_count_visible, text, sizeof(text),
                                                    address, nullptr)))
    return "?";
  return text;
}

}  // namespace nz::sites
