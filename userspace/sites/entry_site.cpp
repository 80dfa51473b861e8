#include "userspace/sites/entry_site.h"

#include <algorithm>

#include "userspace/sites/function_code.h"

namespace nz::sites {
namespace {

// How far into a function a site may lie. The code before it must be straight, so the time it hides
// is some tens of nanoseconds at most.
constexpr uint64_t kPrologueLimit = 256;

std::string at(uint64_t offset) {
  return offset == 0 ? "first byte" : "+" + std::to_string(offset);
}

/// Why an emulated instruction at `i` may not be the site; empty when it may.
std::string objection(const Instruction& i, bool nothing_ran, const FunctionCode& code,
                      const Binary& binary, const Symbol& symbol, const Need& need,
                      const KernelTraits& kernel, uint8_t clobbered, int64_t displacement) {
  const auto offset = static_cast<int64_t>(i.offset);
  if ((clobbered & need.arguments) != 0) return "an argument register is overwritten before it";
  if (need.stack_pointer_at_entry && displacement != 0) return "the stack pointer has moved";
  if (need.shadow_stack && i.kind == Kind::call)
    return "an emulated call does not push to the shadow stack";
  // A loop that closes inside the prologue would count every round as an entry. The entry itself
  // may be a target: a function that calls itself as its last act jumps there.
  for (int64_t target : code.branch_targets)
    if (target > 0 && target <= offset) return "a branch of the function enters at or before it";
  if (const std::optional<uint64_t> next = binary.next_function(symbol.address))
    if (*next <= symbol.address + i.offset) return "another function's entry lies before it";
  if (replaced_by_call(i, kernel)) {
    // The CALL that replaces it writes at rsp - 8. Only before the function's first own instruction
    // is that word certainly free; and not where a loop can come back to it.
    if (!nothing_ran)
      return "the kernel would replace this 5-byte nop by a call, into the red zone";
    for (int64_t target : code.branch_targets)
      if (target >= 0 && target <= offset)
        return "the kernel would replace this 5-byte nop by a call, inside a loop";
  }
  return {};
}

std::string caveats(const FunctionCode& code, bool at_push) {
  std::string text;
  if (std::find(code.branch_targets.begin(), code.branch_targets.end(), 0) !=
      code.branch_targets.end())
    text = "a branch of the function leads back to its entry: each round counts as a call";
  if (code.indirect_jump && !at_push)
    text += std::string(text.empty() ? "" : "; ") +
            "the function has an indirect jump, whose targets are not known";
  return text;
}

}  // namespace

Result<EntrySite> choose_entry(const Binary& binary, const Symbol& symbol, const Need& need,
                               const KernelTraits& kernel) {
  const Result<FunctionCode> code = read_function(binary, symbol);
  if (!code) return tl::unexpected(code.error());
  const std::vector<Instruction> line = straight_line(code->bytes, kPrologueLimit);
  if (line.empty())
    return fail(symbol.name + ": its first bytes are no x86-64 instruction",
                "the symbol may be data, or the file is damaged");

  auto site_at = [&](const Instruction& i, int64_t displacement) {
    EntrySite site;
    site.offset = symbol.offset + i.offset;
    site.into_function = i.offset;
    site.kind = i.kind;
    site.sp_displacement = displacement;
    site.instruction = disassemble(code->bytes, i.offset, symbol.address + i.offset);
    return site;
  };

  const std::string first = disassemble(code->bytes, 0, symbol.address);
  int64_t displacement = 0;
  uint8_t clobbered = 0;
  bool nothing_ran = true;
  std::string passed_over;
  for (const Instruction& i : line) {
    if (emulated(i, kernel)) {
      const std::string no =
          objection(i, nothing_ran, *code, binary, symbol, need, kernel, clobbered, displacement);
      if (no.empty()) {
        EntrySite site = site_at(i, displacement);
        site.expected = Cost::emulated;
        site.why = i.offset == 0
                       ? "the first instruction, " + first + ", is emulated"
                       : "the first byte is " + first + ", which this kernel single-steps; " +
                             site.instruction + " at " + at(i.offset) + " is emulated";
        // Pushes move the stack pointer, so a jump table cannot lead back before one.
        site.caveat = caveats(*code, i.kind == Kind::push);
        return site;
      }
      if (passed_over.empty())
        passed_over = disassemble(code->bytes, i.offset, symbol.address + i.offset) + " at " +
                      at(i.offset) + ": " + no;
    }
    // endbr64 changes nothing; anything else may have put a value in the red zone.
    if (i.kind != Kind::endbr) nothing_ran = false;
    clobbered |= i.written_arguments;
    if (!i.sp_delta) {
      if (passed_over.empty()) passed_over = "the stack pointer changes by an unknown amount";
      break;
    }
    displacement -= *i.sp_delta;
  }

  const Instruction& entry = line.front();
  if (entry.refused_by_kernel)
    return fail(symbol.name + ": the kernel refuses a uprobe on its first instruction, " + first);
  // A 5-byte nop at the entry that a loop comes back to: the one case where the first byte is
  // unsafe.
  if (replaced_by_call(entry, kernel) &&
      !objection(entry, true, *code, binary, symbol, Need{}, kernel, 0, 0).empty())
    return fail(symbol.name +
                ": begins with a 5-byte nop that is also the head of a loop; the kernel would "
                "replace it by a call, which overwrites the red zone");
  if (need.shadow_stack && (entry.kind == Kind::call || entry.kind == Kind::indirect_call))
    return fail(symbol.name + ": begins with a call, and the target has a shadow stack");
  EntrySite site = site_at(entry, 0);
  site.expected = emulated(entry, kernel) ? Cost::emulated : Cost::single_step;
  site.why = "no instruction of the prologue that this kernel emulates can be used" +
             (passed_over.empty() ? "" : " (" + passed_over + ")") + "; " + first +
             " at the first byte is single-stepped";
  site.caveat = caveats(*code, false);
  return site;
}

}  // namespace nz::sites
