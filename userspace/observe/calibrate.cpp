#include "userspace/observe/calibrate.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>

#include "userspace/loader/object.h"

// Functions with a known first instruction: one that the kernel emulates, one that it single-steps.
asm(R"(
  .pushsection .text
  .globl nz_calibrate_emulated
  .type nz_calibrate_emulated, @function
nz_calibrate_emulated:
  push %rbp
  pop %rbp
  ret
  .size nz_calibrate_emulated, . - nz_calibrate_emulated
  .globl nz_calibrate_stepped
  .type nz_calibrate_stepped, @function
nz_calibrate_stepped:
  sub $8, %rsp
  add $8, %rsp
  ret
  .size nz_calibrate_stepped, . - nz_calibrate_stepped
  .popsection
)");
extern "C" void nz_calibrate_emulated();
extern "C" void nz_calibrate_stepped();

namespace nz::observe {
namespace {

using probes::HitKind;

constexpr int kBatches = 5;
constexpr uint32_t kSlot = 1;

double now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

double ns_per_call(const std::function<void()>& work, int calls) {
  const double start = now_ns();
  for (int i = 0; i < calls; i++) work();
  return (now_ns() - start) / calls;
}

// Interleaved: `on` attaches and returns what keeps it attached. The least of several batches: what
// disturbs a measurement, on a busy host most of them, only ever adds.
double added_ns(const std::function<std::vector<Fd>()>& on,
                const std::function<double()>& measure) {
  double bare = std::numeric_limits<double>::max();
  double probed = bare;
  for (int i = 0; i < kBatches; i++) {
    bare = std::min(bare, measure());
    const std::vector<Fd> links = on();
    if (links.empty()) return 0;
    measure();  // warm
    probed = std::min(probed, measure());
  }
  return probed - bare;
}

// Below that it is noise: the estimate stays. A hook that returns at once takes some 40 ns on a
// fast CPU.
void keep(Prices& prices, HitKind kind, double ns) {
  if (ns < 10) return;
  prices.ns[kind] = ns;
  prices.measured.insert(kind);
}

// File offset of one of our own functions.
uint64_t own_offset(void (*function)()) {
  const auto address = reinterpret_cast<uint64_t>(function);
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t offset = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
        address >= start && address < end) {
      return address - start + offset;
    }
  }
  return 0;
}

// Two threads on one CPU hand a byte back and forth: two context switches a round.
double ns_per_switch() {
  std::array<int, 2> there{};
  std::array<int, 2> back{};
  if (pipe(there.data()) != 0) return 0;
  if (pipe(back.data()) != 0) {
    close(there[0]);
    close(there[1]);
    return 0;
  }
  constexpr int kRounds = 400;
  cpu_set_t one;
  cpu_set_t before;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
  pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
  std::thread other([&] {  // inherits the affinity
    char byte = 0;
    for (int i = 0; i < kRounds; i++) {
      if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) return;
    }
  });
  char byte = 0;
  const double start = now_ns();
  for (int i = 0; i < kRounds; i++) {
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) break;
  }
  const double per_switch = (now_ns() - start) / (2.0 * kRounds);
  other.join();
  pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
  for (const int fd : {there[0], there[1], back[0], back[1]}) close(fd);
  return per_switch;
}

void measure_uprobes(loader::Object& object, Prices& prices) {
  const auto sites = object.array<nz_site>("nz_sites");
  sites[0].actions[0] = {0, NZ_ACT_FROM, 0};
  sites[1].actions[0] = {1, NZ_ACT_FN_ENTRY, 0};
  sites[2].actions[0] = {1, NZ_ACT_FN_EXIT, 0};
  struct At {
    const char* program;
    uint64_t site;
  };
  const std::vector<At> entry{{"nz_stage_hit", 0}};
  const std::vector<At> pair{{"nz_stage_return", 2}, {"nz_stage_hit", 1}};
  const auto price = [&](HitKind kind, const std::vector<At>& probes, void (*function)(),
                         int calls) {
    const double ns = added_ns(
        [&] {
          std::vector<Fd> links;
          for (const At& at : probes) {
            const loader::UprobeSite site{own_offset(function), at.site};
            auto link = object.attach_uprobes(at.program, "/proc/self/exe", getpid(), {&site, 1});
            if (!link) return std::vector<Fd>{};
            links.push_back(std::move(*link));
          }
          return links;
        },
        [&] { return ns_per_call(function, calls); });
    keep(prices, kind, ns);
  };
  price(HitKind::uprobe, entry, &nz_calibrate_emulated, 500);
  price(HitKind::uprobe_stepped, entry, &nz_calibrate_stepped, 100);
  price(HitKind::with_return, pair, &nz_calibrate_emulated, 500);
  price(HitKind::with_return_stepped, pair, &nz_calibrate_stepped, 100);
  if (prices.measured.contains(HitKind::with_return) && prices.measured.contains(HitKind::uprobe)) {
    keep(prices, HitKind::returned, prices.ns[HitKind::with_return] - prices.ns[HitKind::uprobe]);
  }
}

void measure_syscalls(loader::Object& object, Prices& prices) {
  object.control().next_syscall_series = 1;
  const auto on = [&] {
    std::vector<Fd> links;
    for (const char* program : {"nz_sys_exit", "nz_sys_enter"}) {
      auto link = object.attach_tracing(program);
      if (link) links.push_back(std::move(*link));
    }
    return links;
  };
  const auto measure = [] { return ns_per_call([] { syscall(SYS_getppid); }, 3000); };
  const double other = added_ns(on, measure);
  keep(prices, HitKind::syscall_other, other);
  object.control().wants_syscalls[kSlot] = 1;
  if (!object.set_target(static_cast<uint32_t>(getpid()), kSlot)) return;
  const double target = added_ns(on, measure);
  keep(prices, HitKind::syscall_target, target);
}

// The object as it was loaded. Programs that still run on another CPU write until a grace period
// after their link was closed.
void forget(loader::Object& object) {
  object.remove_target(static_cast<uint32_t>(getpid()));
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);  // waits for one (synchronize_rcu)
  object.control().wants_syscalls[kSlot] = 0;
  object.control().next_syscall_series = 0;
  for (const char* map :
       {"nz_hists", "nz_tasks", "nz_cpus", "nz_counts", "nz_blocked_in", "nz_syscall_series",
        "nz_syscall_errors", "nz_sites", "nz_site_hits", "nz_stages", "nz_threads"}) {
    object.clear(map);
  }
}

void measure_switches(loader::Object& object, Prices& prices) {
  const double ns = added_ns(
      [&] {
        std::vector<Fd> links;
        auto link = object.attach_tracing("nz_sched_switch");
        if (link) links.push_back(std::move(*link));
        return links;
      },
      ns_per_switch);
  keep(prices, HitKind::context_switch, ns);
}

}  // namespace

const char* hit_kind_name(HitKind kind) {
  switch (kind) {
    case HitKind::context_switch:
      return "context switch";
    case HitKind::syscall_target:
      return "syscall of a target";
    case HitKind::syscall_other:
      return "syscall of others meanwhile";
    case HitKind::lifecycle:
      return "fork, exec, exit";
    case HitKind::uprobe:
      return "uprobe, emulated";
    case HitKind::uprobe_stepped:
      return "uprobe, single-stepped";
    case HitKind::with_return:
      return "uprobe and return, emulated";
    case HitKind::with_return_stepped:
      return "uprobe and return, single-stepped";
    case HitKind::returned:
      return "return alone";
    case HitKind::block_request:
      return "request to a disk";
    case HitKind::tcp_event:
      return "TCP segment, read or write";
    case HitKind::socket_idle:
      return "socket call that moved nothing";
    case HitKind::profile_sample:
      return "profile sample of a target";
    case HitKind::profile_other:
      return "profile tick of others";
  }
  return "";
}

Prices estimated_prices() {
  return {{{HitKind::context_switch, 350},
           {HitKind::syscall_target, 260},
           {HitKind::syscall_other, 150},
           {HitKind::lifecycle, 500},
           {HitKind::uprobe, 800},
           {HitKind::uprobe_stepped, 10000},
           {HitKind::with_return, 1500},
           {HitKind::with_return_stepped, 11000},
           {HitKind::returned, 700},
           {HitKind::block_request, 1300},
           {HitKind::tcp_event, 150},
           {HitKind::socket_idle, 50},
           {HitKind::profile_sample, 15000},
           {HitKind::profile_other, 13000}},
          {}};
}

Prices calibrate(loader::Object& object) {
  Prices prices = estimated_prices();
  // A thread of its own: what the kernel side keeps about it ends with it.
  std::thread worker([&] {
    try {
      measure_switches(object, prices);
      measure_syscalls(object, prices);
      // As in use: stages take the short way where the scheduler's program knows the thread.
      const auto scheduler = object.attach_tracing("nz_sched_switch");
      measure_uprobes(object, prices);
    } catch (const std::exception& e) {
      spdlog::warn("calibration broke off, estimates are used for the rest: {}", e.what());
    }
  });
  worker.join();
  forget(object);
  return prices;
}

}  // namespace nz::observe
