// Exceptions and longjmps through functions that a profiler may have probed. A return probe that
// rewrites the return address kills this program; a careful profiler refuses it.

#include <csetjmp>
#include <stdexcept>

#include "tests/workloads/common/workload.h"

#if defined(__clang__)
#define NZ_PROBED __attribute__((noinline, used))
#else
#define NZ_PROBED __attribute__((noipa, noinline, used))
#endif

namespace unwind {

struct Thrown : std::runtime_error {
  explicit Thrown(uint64_t n) : std::runtime_error("thrown"), number(n) {}
  uint64_t number;
};

// Runs when the exception passes, so that middle has a landing pad.
struct Counted {
  explicit Counted(uint64_t& n) : left(n) {}
  ~Counted() { ++left; }
  uint64_t& left;
};

NZ_PROBED uint64_t thrower(uint64_t n, bool raise) {
  if (raise) throw Thrown(n);
  return n;
}

NZ_PROBED uint64_t middle(uint64_t n, bool raise, uint64_t& left) {
  const Counted counted(left);
  return thrower(n, raise) + 1;
}

}  // namespace unwind

extern "C" {

NZ_PROBED void nz_longjmp_leaf(std::jmp_buf target) { std::longjmp(target, 1); }

NZ_PROBED void nz_longjmp_middle(std::jmp_buf target) {
  nz_longjmp_leaf(target);
  asm volatile("" ::: "memory");
}

// In a function of its own: locals that change between setjmp and longjmp would be undefined.
NZ_PROBED bool nz_longjmp_once() {
  std::jmp_buf target;
  if (setjmp(target) != 0) return true;
  nz_longjmp_middle(target);
  return false;
}

}  // extern "C"

int main(int argc, char** argv) {
  using namespace nz::workload;
  uint64_t exceptions = 10'000, longjmps = 10'000, returns = 10'000;
  Program program("nz-unwind: exceptions and longjmps through probed functions",
                  "  nz-unwind --exceptions 10000 --longjmps 0\n  nz-unwind --wait");
  program.option("--exceptions", exceptions, "Calls of unwind::middle that throw")
      .option("--longjmps", longjmps, "Calls of nz_longjmp_middle, left by longjmp")
      .option("--returns", returns, "Calls of unwind::middle that return");
  program.parse(argc, argv);
  program.start();

  uint64_t caught = 0, jumped = 0, returned = 0, left = 0;
  const auto throw_once = [&] {
    const uint64_t n = caught;
    try {
      unwind::middle(n, true, left);
    } catch (const unwind::Thrown& e) {
      caught += e.number == n;
    }
  };
  const double per_throw = median_ns_per_op(exceptions, throw_once);
  const double per_jump = median_ns_per_op(longjmps, [&] { jumped += nz_longjmp_once(); });
  for (uint64_t n = 0; n < returns; ++n) returned += unwind::middle(n, false, left) == n + 1;

  const bool right = caught == exceptions && jumped == longjmps && returned == returns &&
                     left == exceptions + returns;
  program.finish({{"program", "nz-unwind"},
                  {"exceptions", caught},
                  {"longjmps", jumped},
                  {"returns", returned},
                  {"middle_calls", exceptions + returns},
                  {"right", right},
                  {"ns_per_exception", per_throw},
                  {"ns_per_longjmp", per_jump}});
  return right ? 0 : 1;
}
