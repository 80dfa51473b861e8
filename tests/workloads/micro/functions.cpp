// Calls one function with a known entry a known number of times and checks every result.

#include <atomic>
#include <map>

#include "tests/workloads/common/workload.h"
#include "tests/workloads/micro/entries.h"

#if defined(__clang__)
#define NZ_PROBED __attribute__((noinline, used))
#else
#define NZ_PROBED __attribute__((noipa, noinline, used))
#endif

extern "C" {

// depth + 1 activations are on the stack at once. The barrier keeps the compiler from a loop.
NZ_PROBED long nz_recursive(long depth) {
  if (depth <= 0) return 0;
  const long below = nz_recursive(depth - 1);
  asm volatile("" ::: "memory");
  return below + 1;
}

NZ_PROBED long nz_inner(long x) {
  asm volatile("" ::: "memory");
  return x + 1;
}

// Calls nz_inner twice.
NZ_PROBED long nz_outer(long x) { return nz_inner(nz_inner(x)); }

// Runs for at least this long. Returns its argument plus one.
NZ_PROBED long nz_spin(long ns) {
  const uint64_t end = nz::workload::now_ns() + static_cast<uint64_t>(ns);
  while (nz::workload::now_ns() < end) {
  }
  return ns + 1;
}

}  // extern "C"

int main(int argc, char** argv) {
  using namespace nz::workload;
  const std::map<std::string, long (*)(long)> functions{
      {"nz_entry_push", nz_entry_push},
      {"nz_entry_endbr", nz_entry_endbr},
      {"nz_entry_sub_call", nz_entry_sub_call},
      {"nz_entry_sub_push", nz_entry_sub_push},
      {"nz_entry_mov_push", nz_entry_mov_push},
      {"nz_entry_plain", nz_entry_plain},
      {"nz_entry_nop5", nz_entry_nop5},
      {"nz_entry_loop", nz_entry_loop},
      {"nz_leaf_redzone_nop5", nz_leaf_redzone_nop5},
      {"nz_recursive", nz_recursive},
      {"nz_outer", nz_outer},
      {"nz_spin", nz_spin}};
  std::vector<std::string> names;
  for (const auto& [name, function] : functions) names.push_back(name);

  std::string call = "nz_entry_push";
  uint64_t count = 1'000'000;
  uint64_t threads = 1;
  uint64_t spin_ns = 1000;
  uint64_t depth = 10;
  bool truth = false;
  Program program("nz-functions: calls of functions with known first instructions",
                  "  nz-functions --call nz_entry_endbr --count 100000 --threads 2\n"
                  "  nz-functions --call nz_spin --spin-ns 50000 --count 1000 --truth\n"
                  "  nz-functions --call nz_recursive --depth 30 --wait --linger 2");
  program.choice("--call", call, names, "Function")
      .option("--count", count, "Calls per thread")
      .option("--threads", threads, "Threads")
      .option("--spin-ns", spin_ns, "Nanoseconds of each nz_spin")
      .option("--depth", depth, "Depth of nz_recursive")
      .flag("--truth", truth, "Time each call with the own clock (adds two clock reads)");
  program.parse(argc, argv);
  program.start();

  long (*const function)(long) = functions.at(call);
  long expected_add = 1;
  long argument = 41;
  uint64_t activations = 1;  // of the named function per call
  if (call == "nz_spin") argument = static_cast<long>(spin_ns);
  if (call == "nz_outer") expected_add = 2;
  if (call == "nz_recursive") {
    argument = static_cast<long>(depth);
    expected_add = 0;
    activations = depth + 1;
  }
  std::atomic<uint64_t> wrong{0}, sum_ns{0};
  std::vector<double> per_call(threads);
  run_threads(threads, [&](uint64_t i) {
    uint64_t bad = 0, sum = 0;
    per_call[i] = median_ns_per_op(count, [&] {
      const uint64_t begin = truth ? now_ns() : 0;
      bad += function(argument) != argument + expected_add;
      if (truth) sum += now_ns() - begin;
    });
    wrong += bad;
    sum_ns += sum;
  });
  nlohmann::json report{{"program", "nz-functions"},
                        {"call", call},
                        {"threads", threads},
                        {"calls", count * threads},
                        {"activations", count * threads * activations},
                        {"wrong", wrong.load()},
                        {"ns_per_call", median(per_call)}};
  if (call == "nz_outer") report["inner_calls"] = 2 * count * threads;
  if (truth) report["sum_ns"] = sum_ns.load();
  return program.finish(report);
}
