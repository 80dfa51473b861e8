// Machine code that nobody has checked: instruction decoding, prologues, field accesses.
#include "tests/fuzz/input.h"
#include "userspace/sites/field_reads.h"
#include "userspace/sites/prologue.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nz::sites;
  static const KernelTraits kernel = traits_of_release("6.18.0");
  const std::vector<uint8_t> code = nz::fuzz::Input(data, size).bytes();
  uint64_t end = 0;
  const Sweep all = sweep(code);
  for (const Instruction& i : all.instructions) {
    nz::fuzz::require(i.offset == end && i.length > 0, "instructions follow each other");
    end = i.offset + i.length;
    nz::fuzz::require(end <= code.size(), "an instruction lies inside the code");
    static_cast<void>(emulated(i, kernel));
    static_cast<void>(replaced_by_call(i, kernel));
    static_cast<void>(disassemble(code, i.offset, 0x401000));
  }
  nz::fuzz::require(all.undecodable.value_or(end) == end, "a sweep ends where decoding failed");
  static_cast<void>(straight_line(code, 64));
  static_cast<void>(decode(code, code.size()));
  static_cast<void>(disassemble(code, code.size(), 0));
  static_cast<void>(read_fields(code));
  return 0;
}
