#include "userspace/sites/field_reads.h"

#include <Zydis/Zydis.h>

#include <map>

namespace nz::sites {
namespace {

ZydisRegister full(ZydisRegister reg) {
  return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

class Follower {
 public:
  Follower() { registers_[ZYDIS_REGISTER_RDI] = {}; }

  void step(const ZydisDecodedInstruction& i, const ZydisDecodedOperand* op, uint64_t end,
            FieldReads& out) {
    const bool reg0 = i.operand_count > 0 && op[0].type == ZYDIS_OPERAND_TYPE_REGISTER;
    const bool mem0 = i.operand_count > 0 && op[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
    const bool reg1 = i.operand_count > 1 && op[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
    const bool mem1 = i.operand_count > 1 && op[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
    const bool imm1 = i.operand_count > 1 && op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    switch (i.mnemonic) {
      case ZYDIS_MNEMONIC_MOV:
      case ZYDIS_MNEMONIC_MOVZX:
      case ZYDIS_MNEMONIC_MOVSX:
      case ZYDIS_MNEMONIC_MOVSXD:
        if (reg0 && mem1) return load(op[0].reg.value, op[1], out);
        if (reg0 && reg1) return copy(op[0].reg.value, op[1].reg.value);
        if (mem0 && reg1) return spill(op[0], op[1].reg.value);
        if (mem0 && imm1) return constant(AccessKind::store_constant, op[0], op[1], out);
        break;
      case ZYDIS_MNEMONIC_CMP:
        if (mem0 && imm1) return constant(AccessKind::compare_constant, op[0], op[1], out);
        if (reg0 && imm1)
          if (const FieldPath* path = holds(op[0].reg.value); path != nullptr && !path->empty())
            out.accesses.push_back({AccessKind::compare_constant, *path,
                                    loaded_width(op[0].reg.value), op[1].imm.value.s});
        return;
      case ZYDIS_MNEMONIC_TEST:
      case ZYDIS_MNEMONIC_AND:
        if (mem0 && imm1 && i.mnemonic == ZYDIS_MNEMONIC_TEST)
          return constant(AccessKind::test_constant, op[0], op[1], out);
        if (reg0 && imm1) {
          if (const FieldPath* path = holds(op[0].reg.value); path != nullptr && !path->empty())
            out.accesses.push_back({AccessKind::test_constant, *path, loaded_width(op[0].reg.value),
                                    op[1].imm.value.s << shifts_[full(op[0].reg.value)]});
          return;  // the value is still that field's, masked
        }
        if (i.mnemonic == ZYDIS_MNEMONIC_TEST) return;
        break;
      case ZYDIS_MNEMONIC_SHR:
        if (reg0 && imm1 && holds(op[0].reg.value) != nullptr) {
          shifts_[full(op[0].reg.value)] = static_cast<uint8_t>(op[1].imm.value.u & 63);
          return;
        }
        break;
      case ZYDIS_MNEMONIC_LEA:
        if (reg0 && op[1].mem.base == ZYDIS_REGISTER_RIP &&
            full(op[0].reg.value) == ZYDIS_REGISTER_RAX)
          out.lea_rip = end + static_cast<uint64_t>(op[1].mem.disp.value);
        break;
      case ZYDIS_MNEMONIC_CALL:
        // Callee-saved registers and the frame survive.
        for (auto reg : {ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_RDX,
                         ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_R8,
                         ZYDIS_REGISTER_R9, ZYDIS_REGISTER_R10, ZYDIS_REGISTER_R11})
          registers_.erase(reg);
        return;
      case ZYDIS_MNEMONIC_RET:
        returned(out);
        return;
      case ZYDIS_MNEMONIC_JMP:
        return;
      default:
        break;
    }
    for (size_t n = 0; n < i.operand_count; ++n)
      if (op[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
          (op[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0) {
        // rsp moves with every push; frames are compared by the slot's text, which rbp code keeps.
        registers_.erase(full(op[n].reg.value));
        shifts_.erase(full(op[n].reg.value));
      }
  }

 private:
  using Slot = std::pair<int, int64_t>;  // base register, displacement

  const FieldPath* holds(ZydisRegister reg) {
    const auto at = registers_.find(full(reg));
    return at == registers_.end() ? nullptr : &at->second;
  }
  uint8_t loaded_width(ZydisRegister reg) { return widths_[full(reg)]; }

  static bool frame(const ZydisDecodedOperand& mem) {
    return mem.mem.index == ZYDIS_REGISTER_NONE && mem.mem.base == ZYDIS_REGISTER_RBP;
  }

  std::optional<FieldPath> field(const ZydisDecodedOperand& mem) {
    const FieldPath* base = holds(mem.mem.base);
    // An index is the position in an array: position 0 is what the path stands for.
    if (base == nullptr && mem.mem.index != ZYDIS_REGISTER_NONE && mem.mem.scale == 1)
      base = holds(mem.mem.index);
    if (base == nullptr) return std::nullopt;
    FieldPath path = *base;
    path.push_back(mem.mem.disp.has_displacement ? mem.mem.disp.value : 0);
    return path;
  }

  void load(ZydisRegister to, const ZydisDecodedOperand& mem, FieldReads& out) {
    std::optional<FieldPath> path;
    bool is_field = false;
    if (frame(mem) && registers_.count(ZYDIS_REGISTER_RBP) == 0) {
      const auto slot = slots_.find({mem.mem.base, mem.mem.disp.value});
      if (slot != slots_.end()) path = slot->second;
    } else {
      path = field(mem);
      is_field = path.has_value();
    }
    shifts_.erase(full(to));
    if (!path) {
      registers_.erase(full(to));
      return;
    }
    const auto width = static_cast<uint8_t>(mem.size / 8);
    if (is_field) {
      out.accesses.push_back({AccessKind::load, *path, width, 0});
      widths_[full(to)] = width;
    }
    registers_[full(to)] = *path;
  }

  void copy(ZydisRegister to, ZydisRegister from) {
    const FieldPath* path = holds(from);
    shifts_[full(to)] = shifts_[full(from)];
    widths_[full(to)] = widths_[full(from)];
    if (path != nullptr)
      registers_[full(to)] = FieldPath(*path);
    else
      registers_.erase(full(to));
  }

  void spill(const ZydisDecodedOperand& mem, ZydisRegister from) {
    if (!frame(mem)) return;
    const Slot slot{mem.mem.base, mem.mem.disp.value};
    if (const FieldPath* path = holds(from))
      slots_[slot] = *path;
    else
      slots_.erase(slot);
  }

  void constant(AccessKind kind, const ZydisDecodedOperand& mem, const ZydisDecodedOperand& imm,
                FieldReads& out) {
    std::optional<FieldPath> path = field(mem);
    if (!path || (frame(mem) && registers_.count(ZYDIS_REGISTER_RBP) == 0)) return;
    out.accesses.push_back(
        {kind, std::move(*path), static_cast<uint8_t>(mem.size / 8), imm.imm.value.s});
  }

  void returned(FieldReads& out) {
    // The branch for a null argument returns a constant; the other one returns the field.
    if (const FieldPath* path = holds(ZYDIS_REGISTER_RAX); path != nullptr && !path->empty())
      out.returned = *path;
  }

  std::map<int, FieldPath> registers_;
  std::map<Slot, FieldPath> slots_;
  std::map<int, uint8_t> shifts_;
  std::map<int, uint8_t> widths_;
};

}  // namespace

FieldReads read_fields(std::span<const uint8_t> code) {
  FieldReads out;
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  Follower follower;
  size_t at = 0;
  while (at < code.size()) {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.data() + at, code.size() - at,
                                             &instruction, operands)))
      return out;
    at += instruction.length;
    follower.step(instruction, operands, at, out);
  }
  out.decoded = true;
  return out;
}

}  // namespace nz::sites
