// Functions whose names are hard: a kilobyte of template arguments, overloads, two names for one
// address, a part split off by the compiler, an ifunc. Each is called --count times.

#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "tests/workloads/common/workload.h"

#define NZ_PROBED __attribute__((noipa, noinline, used))

namespace names {

struct InstrumentOfTheOrderBook {};

// Each level names the one below several times: more than 1,000 characters.
template <typename Inner>
using Level = std::pair<std::map<Inner, InstrumentOfTheOrderBook>, std::array<Inner, 3>>;
using Kilobyte = Level<Level<InstrumentOfTheOrderBook>>;

template <typename T>
NZ_PROBED long templated(long x) {
  asm volatile("" ::: "memory");
  return x + 1;
}

NZ_PROBED long overloaded(long x) {
  asm volatile("" ::: "memory");
  return x + 1;
}
NZ_PROBED long overloaded(double x) {
  asm volatile("" ::: "memory");
  return static_cast<long>(x) + 1;
}

}  // namespace names

extern "C" {

NZ_PROBED long nz_split(long x) {
  asm volatile("" ::: "memory");
  return x + 1;
}
// What happens rarely, as the compiler puts it elsewhere. Never reached.
asm(".pushsection .text\n.type nz_split.cold, @function\n"
    "nz_split.cold: ud2\n.size nz_split.cold, . - nz_split.cold\n.popsection");

NZ_PROBED long nz_first_name(long x) {
  asm volatile("" ::: "memory");
  return x + 1;
}
// As identical code folding leaves it.
long nz_second_name(long x) __attribute__((nothrow, alias("nz_first_name")));

NZ_PROBED long nz_chosen_implementation(long x) {
  asm volatile("" ::: "memory");
  return x + 1;
}
using Implementation = long (*)(long);
Implementation nz_resolve_ifunc() { return nz_chosen_implementation; }
long nz_ifunc(long x) __attribute__((ifunc("nz_resolve_ifunc")));

}  // extern "C"

int main(int argc, char** argv) {
  uint64_t count = 1000;
  nz::workload::Program program(
      "nz-names: calls of functions whose names are hard, --count times each",
      "  nz-names --count 500 --wait\n  nz-names-static --count 100\n  nz-names-fixed --count 100");
  program.option("--count", count, "Calls of each function");
  program.parse(argc, argv);
  program.start();
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const long x = static_cast<long>(i);
    wrong += names::templated<names::Kilobyte>(x) != x + 1;
    wrong += names::overloaded(x) != x + 1;
    wrong += names::overloaded(static_cast<double>(x)) != x + 1;
    wrong += nz_split(x) != x + 1;
    wrong += nz_first_name(x) != x + 1;
    wrong += nz_second_name(x) != x + 1;
    wrong += nz_ifunc(x) != x + 1;
  }
  return program.finish({{"program", "nz-names"}, {"calls", count}, {"wrong", wrong}});
}
