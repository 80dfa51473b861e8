// A binary that somebody else has made, and everything that is asked of it before a probe is
// placed: symbols (tables, MiniDebugInfo, Go), traits, sites, returns, USDT, SQLite's offsets.
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/input.h"
#include "userspace/base/fd.h"
#include "userspace/sites/binary.h"
#include "userspace/sites/explain.h"
#include "userspace/sites/function_code.h"
#include "userspace/sites/return_site.h"
#include "userspace/sites/sqlite_offsets.h"
#include "userspace/sites/symbol_match.h"
#include "userspace/sites/usdt.h"

namespace {

using namespace nz::sites;

constexpr size_t kFunctions = 16;  // looked at in each input

void look_at(const Binary& binary, const Symbol& symbol, const KernelTraits& kernel) {
  const auto names = binary.names_at(symbol.address);
  nz::fuzz::require(!names.empty(), "a function has a name");
  for (const std::string& name : names) static_cast<void>(without_parameters(demangle(name)));
  static_cast<void>(binary.function_around(symbol.address));
  static_cast<void>(binary.next_function(symbol.address));
  static_cast<void>(binary.code_end(symbol.address));
  static_cast<void>(read_function(binary, symbol));
  for (const bool nothrow : {false, true}) {
    const auto entry = choose_entry(binary, symbol, {.stack_pointer_at_entry = nothrow}, kernel);
    if (!entry) continue;
    ReturnPolicy policy;
    policy.nothrow = nothrow;
    if (const auto plan = choose_return(binary, symbol, policy, kernel)) {
      static_cast<void>(explain(symbol, *entry, *plan));
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const nz::Fd file(memfd_create("fuzz", MFD_CLOEXEC));
  static const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  static const KernelTraits kernel = traits_of_release("6.18.0");
  if (ftruncate(file.get(), 0) != 0 ||
      pwrite(file.get(), data, size, 0) != static_cast<ssize_t>(size)) {
    return 0;
  }
  BinaryOptions options;
  options.debug_directory = "/nonexistent";
  const auto binary = Binary::open(path, options);
  if (!binary) return 0;
  if (const auto functions = binary->find("*")) {
    for (size_t i = 0; i < functions->size() && i < kFunctions; i++) {
      look_at(*binary, (*functions)[i], kernel);
    }
  }
  static_cast<void>(binary->find("std::vector<int>::push_back"));
  static_cast<void>(derive_sqlite_offsets(*binary));
  if (const auto probes = usdt_probes(path)) {
    for (const UsdtProbe& probe : *probes) {
      nz::fuzz::require(probe.offset < size, "a USDT probe lies inside its file");
    }
  }
  return 0;
}
