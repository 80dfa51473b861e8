// /proc/stat: what the CPUs did, interrupts, forks, runnable threads.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "userspace/resources/context.h"
#include "userspace/resources/growth.h"

namespace nz::resources {

constexpr std::array<const char*, 8> kCpuModes = {"user",   "nice", "system",  "idle",
                                                  "iowait", "irq",  "softirq", "steal"};
constexpr std::array<const char*, 10> kSoftirqs = {
    "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu"};

struct CpuStat {
  struct Core {
    uint64_t number = 0;
    std::array<uint64_t, kCpuModes.size()> ticks{};  ///< of 1/100 s, by mode
  };
  std::vector<Core> cores;  ///< those online
  uint64_t interrupts = 0, forks = 0, runnable = 0, blocked = 0;
  std::array<uint64_t, kSoftirqs.size()> softirqs{};
};

/// Nothing where a line is missing, cut off or not made of numbers.
std::optional<CpuStat> parse_cpu_stat(std::string_view text);

class Cpu {
 public:
  /// CPUs with a row of their own; those above share the row "other".
  static constexpr size_t kNamed = 256;

  explicit Cpu(const Paths& paths) : stat_(paths.proc + "/stat") {}
  void collect(Context& context);

 private:
  using Modes = std::array<Growth, kCpuModes.size()>;
  void times(Context& context, const CpuStat& stat);

  File stat_;
  std::vector<Modes> cores_;                              // by CPU number
  std::array<uint64_t, kCpuModes.size()> other_ticks_{};  // growth of those above kNamed
};

}  // namespace nz::resources
