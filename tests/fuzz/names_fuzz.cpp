// Names from a symbol table against a pattern that somebody typed.
#include "tests/fuzz/input.h"
#include "userspace/sites/symbol_match.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nz::sites;
  nz::fuzz::Input input(data, size);
  const std::string pattern = input.line();
  const std::string name = input.line();
  const std::string demangled = demangle(name);
  static_cast<void>(without_parameters(demangled));
  static_cast<void>(without_parameters(name));
  static_cast<void>(is_compiler_piece(name));
  const SymbolPattern wanted(pattern);
  const bool cheap = wanted.matches(name, false);
  nz::fuzz::require(!cheap || wanted.matches(name, true), "the cheap test finds nothing more");
  NearestNames nearest(pattern);
  nearest.offer(name);
  static_cast<void>(nearest.best());
  return 0;
}
