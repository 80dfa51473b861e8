#include "userspace/sites/function_code.h"

#include <algorithm>

namespace nz::sites {
namespace {

// Code without a size in the symbol table is read up to the next function, at most this many bytes:
// assembly routines are small, and their straight-line start is all that is needed.
constexpr uint64_t kUnsizedLimit = 4096;

void note_branches(const Sweep& sweep, int64_t base, FunctionCode& code) {
  for (const Instruction& i : sweep.instructions) {
    if (i.kind == Kind::indirect_jump) code.indirect_jump = true;
    // A call to oneself enters the function as any other call does.
    if (i.target && i.kind != Kind::call) code.branch_targets.push_back(base + *i.target);
  }
}

}  // namespace

Result<FunctionCode> read_function(const Binary& binary, const Symbol& symbol) {
  if (symbol.ifunc)
    return fail(
        symbol.name + " is an ifunc: the symbol is a resolver that runs once, at load time",
        "name the implementation that the resolver selects, such as " + symbol.name + "_avx2");
  if (!binary.executable(symbol.address))
    return fail(symbol.name + " is not in an executable segment of " + binary.path());
  if (binary.in_plt(symbol.address))
    return fail(symbol.name + " is an entry of the procedure linkage table of " + binary.path(),
                "name the function in the library that defines it");

  FunctionCode code;
  code.size_known = symbol.size != 0;
  uint64_t size = symbol.size;
  const uint64_t end = binary.code_end(symbol.address);
  if (size == 0) {
    const uint64_t next = binary.next_function(symbol.address).value_or(end);
    size = std::min({next - symbol.address, end - symbol.address, kUnsizedLimit});
  }
  Result<std::vector<uint8_t>> bytes = binary.read_some(symbol.address, size);
  if (!bytes) return tl::unexpected(bytes.error());
  if (code.size_known && bytes->size() != size)
    return fail(symbol.name + ": its size in the symbol table reaches beyond the segment");
  code.bytes = std::move(*bytes);
  code.sweep = sweep(code.bytes);
  note_branches(code.sweep, 0, code);

  // Cold parts jump back; GCC names them after the function, lambdas and clones included.
  if (std::optional<Symbol> cold = binary.function(symbol.name + ".cold")) {
    if (Result<std::vector<uint8_t>> cold_bytes = binary.read_some(cold->address, cold->size)) {
      code.cold_bytes = std::move(*cold_bytes);
      code.cold_sweep = sweep(code.cold_bytes);
      note_branches(code.cold_sweep, static_cast<int64_t>(cold->address - symbol.address), code);
      code.cold = std::move(cold);
    }
  }
  return code;
}

}  // namespace nz::sites
