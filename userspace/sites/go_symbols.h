// Function names of a Go binary from its own runtime table, which it keeps when it is stripped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nz::sites {

struct GoFunction {
  std::string name;  ///< "net/http.(*conn).serve"
  uint64_t address = 0;
  uint64_t size = 0;
};

/// Parses the bytes of .gopclntab of Go 1.16 and later (magic numbers of 1.16, 1.18 and 1.20).
/// Empty when it is of another version or damaged. `text` is the address of .text: tables of
/// Go 1.18 and later may leave their own base at 0 (position-independent binaries). Layout: Go's
/// src/debug/gosym/pclntab.go.
std::vector<GoFunction> parse_go_functions(const std::vector<uint8_t>& table, uint64_t text);

}  // namespace nz::sites
