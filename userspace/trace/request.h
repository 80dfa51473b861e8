// What `nearzero trace` was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/config/config.h"

namespace nz::trace {

enum class Kind {
  runq,
  offcpu,
  oncpu,
  syscalls,
  sqlite,
  block,
  tcp,
  pagefaults,
  futex,
  func,
  usdt,
};

/// One TARGET of the command line.
struct Target {
  Kind kind = Kind::runq;
  std::string place;  ///< func: BINARY:SYMBOL; usdt: BINARY:PROVIDER:NAME[..NAME]
};

/// Words of the command line for all kinds, in the order of enum Kind.
const std::vector<std::string>& kind_names();
/// Error: no such target, with the nearest one; func and usdt without their parts.
Result<Target> parse_target(const std::string& text);

struct Request {
  std::vector<Target> targets;
  config::Match match;             ///< whose events; empty: everybody's
  std::string whose;               ///< the same in words, "pid 123"; empty: everybody's
  double interval = 0;             ///< seconds between two outputs; 0: one, at the end
  uint64_t count = 0;              ///< outputs; 0: until interrupted
  std::optional<double> duration;  ///< seconds
  unsigned by = 0;                 ///< enum nz_by
  bool by_cpu = false;
  uint64_t slower_ns = 0;  ///< tell single events from here on; 0: none
  bool stacks = true;      ///< with their stacks
  size_t rows = 20;        ///< shown at most, the busiest; 0: all
  size_t pictures = 3;     ///< of them with their histogram drawn
  bool json = false;
  bool yes = false;      ///< also when it costs more than `budget`
  double budget = 0.05;  ///< share of one core
  bool nothrow = false;  ///< the user asserts that no exception passes the functions
  uint32_t keys = 2048;  ///< different rows, each CPU's counted by itself
};

/// Whether any target is of this kind.
bool wants(const Request& request, Kind kind);

}  // namespace nz::trace
