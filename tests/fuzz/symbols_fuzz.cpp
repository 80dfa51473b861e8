// Symbols outside the symbol table: Go's own, USDT notes, debug links, packed sections.
#include "tests/fuzz/input.h"
#include "userspace/sites/debug_file.h"
#include "userspace/sites/go_symbols.h"
#include "userspace/sites/usdt.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nz::sites;
  nz::fuzz::Input input(data, size);
  const uint8_t which = input.byte();
  const std::vector<uint8_t> bytes = input.bytes();
  switch (which % 4) {
    case 0:
      for (const GoFunction& f : parse_go_functions(bytes, 0x401000)) {
        nz::fuzz::require(!f.name.empty(), "a Go function has a name");
      }
      break;
    case 1: {
      std::vector<uint64_t> semaphores;
      const auto probes = parse_usdt_notes(bytes, which >= 128 ? 0x2000 : 0, semaphores);
      nz::fuzz::require(probes.size() == semaphores.size(), "each probe has its semaphore or 0");
      break;
    }
    case 2: {
      const DebugLink link = parse_debug_link(bytes);
      nz::fuzz::require(link.name.find('/') == std::string::npos, "a debug link is a plain name");
      break;
    }
    case 3:
      nz::fuzz::require(unpack_xz(bytes).size() <= 512U << 20, "unpacking is bounded");
      break;
  }
  return 0;
}
