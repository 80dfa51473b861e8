// Who uses the processors: this target, other targets, everybody else, the hypervisor.
#pragma once

#include <string>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

/// In cores (seconds of CPU per second) over one window.
struct CpuUse {
  bool known = false;  ///< the host's CPU time is in the window
  double cpus = 0;     ///< number of CPUs; 0: unknown
  double busy = 0;     ///< the whole host, without idle, iowait and steal
  double kernel = 0;   ///< of busy: system, irq, softirq
  double own = 0;      ///< this target
  double own_kernel = 0;
  double others = 0;  ///< neither a target nor the agent
  double others_kernel = 0;
  double stolen = 0;
  std::string busiest;       ///< CPU by number
  double busiest_share = 0;  ///< 0..1, of what the hypervisor left it
  double rest_share = 0;     ///< mean of the other CPUs

  [[nodiscard]] double host_share() const { return cpus > 0 ? busy / cpus : 0; }
};
CpuUse cpu_use(const WindowIndex& window, const std::string& target);

/// Why threads wait for a CPU.
enum class Contention { none, own, same_core, others };

/// Both windows, and what follows.
struct Processors {
  CpuUse now, before;
  Contention contention = Contention::none;
  double others_grew = 0, own_grew = 0, kernel_grew = 0, own_kernel_grew = 0;  ///< cores
  /// Some CPU, or all together, is as good as always busy.
  bool saturated = false;

  /// Others fill what this target runs on, and did not before. A fact, whether or not its orders
  /// feel it yet: one that wakes up takes the CPU from who computes, until two of them do.
  [[nodiscard]] bool taken(const Context& context) const;

  /// CPU time of what `contention` names, beyond the reference.
  [[nodiscard]] double contended() const {
    return contention == Contention::own ? own_grew : others_grew;
  }
};
/// Worked out once for each context.
const Processors& processors(const Context& context, const OrderPath& path);

/// Seconds per order that running code lost to caches and hyper-threads shared with a neighbour.
double interference(const Context& context, const OrderPath& path, const Processors& cpu);

}  // namespace nz::analysis
