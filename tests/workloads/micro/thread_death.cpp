// Threads that end inside a probed function: it is entered and never left.

#include <pthread.h>

#include <atomic>

#include "tests/workloads/common/workload.h"

#if defined(__clang__)
#define NZ_PROBED __attribute__((noinline, used))
#else
#define NZ_PROBED __attribute__((noipa, noinline, used))
#endif

namespace {
std::atomic<uint64_t> entered{0};
std::atomic<uint64_t> returned{0};
}  // namespace

extern "C" {

NZ_PROBED void nz_stage_then_die(bool die) {
  ++entered;
  if (die) pthread_exit(nullptr);
  ++returned;
}

static void* run(void* die) {
  nz_stage_then_die(die != nullptr);
  return nullptr;
}

}  // extern "C"

int main(int argc, char** argv) {
  using namespace nz::workload;
  uint64_t count = 1000, survivors = 0, threads = 8;
  Program program("nz-thread-death: threads that exit inside nz_stage_then_die",
                  "  nz-thread-death --count 5000 --survivors 1000");
  program.option("--count", count, "Threads that die inside")
      .option("--survivors", survivors, "Threads that return from it")
      .option("--threads", threads, "Threads alive at once");
  program.parse(argc, argv);
  program.start();

  static char yes;
  const uint64_t begin = now_ns();
  const uint64_t total = count + survivors;
  for (uint64_t i = 0; i < total;) {
    std::vector<pthread_t> batch;
    for (; i < total && batch.size() < threads; ++i) {
      pthread_t thread{};
      if (pthread_create(&thread, nullptr, run, i < count ? &yes : nullptr) != 0) return 1;
      batch.push_back(thread);
    }
    for (pthread_t thread : batch) pthread_join(thread, nullptr);
  }
  return program.finish(
      {{"program", "nz-thread-death"},
       {"entered", entered.load()},
       {"died", entered.load() - returned.load()},
       {"returned", returned.load()},
       {"ns_per_thread", static_cast<double>(now_ns() - begin) / static_cast<double>(total)}});
}
