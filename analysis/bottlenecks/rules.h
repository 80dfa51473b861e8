// Every threshold of the rules in one place, with where the number comes from.
#pragma once

#include <map>
#include <string>

namespace nz::analysis {

struct Rules {
  // ---- what counts as an observation at all

  /// A window shorter than this is not judged: schedulers and write-back work in seconds.
  double least_seconds = 5;
  /// Orders that a window must have, and the reference too. 20 is where the mean of a sample stops
  /// being a matter of two or three values; below, no impact is claimed.
  double least_orders = 20;
  /// Scheduler time of a target without stages that stands for "enough orders": 0.2 s on the CPU.
  double least_oncpu_seconds = 0.2;
  /// What a cause takes must be more than this many of the longest order: a single stall is an
  /// incident, not a bottleneck.
  double least_events = 2;
  /// Below this part of the window an order's stall may be the one of many that was seen.
  double sampled = 0.5;

  // ---- impact

  /// Share of the order path's time, beyond the reference, from which a cause is reported. The
  /// healthy demo between 300 and 3,000 orders/s moves its parts by up to 5 %.
  double least_impact = 0.10;
  /// Where orders take several times as long for one cause, another one that would be a quarter of
  /// a healthy order's time is told beside it, down to `least_impact_beside` of the long order.
  double least_of_healthy = 0.25;
  double least_impact_beside = 0.02;
  /// Least impact where there is no reference: then nobody knows what is normal, and only what
  /// takes a quarter of the path by waiting alone is worth a line.
  double least_impact_alone = 0.25;
  /// From this impact on a finding is critical: orders take twice as long because of it.
  double critical_impact = 0.5;
  /// A figure that explains something must have grown by this factor against the reference.
  double growth = 1.5;
  /// An effect is left out when its cause explains at least this part of it.
  double explained = 0.5;

  // ---- processor (USE: Gregg, "Thinking Methodically about Performance", ACM Queue 10(12), 2012)

  /// A CPU is busy from here on. A queue in front of a server that is used 90 % is nine deep
  /// (M/M/1, rho / (1 - rho)).
  double busy_cpu = 0.90;
  /// The other CPUs must be below this for a hog to count as "on the same core".
  double quiet_cpus = 0.80;
  /// Cores that others must use more than before to be the neighbour who disturbs.
  double neighbour_cores = 0.25;
  /// Where CPUs are busy because of others that use so many cores more, it is told although no
  /// order feels it yet: what computes all the time, not what comes and goes.
  double taken_cores = 0.75;
  /// ... and to disturb by caches and hyper-threads alone, with CPUs to spare, this many, and this
  /// share of the order.
  double interfering_cores = 0.75;
  double least_interference = 0.20;
  /// Share of the running time before that a neighbour may add by caches and hyper-threads. SMT
  /// siblings take 1.3 to 1.6 times as long (Bulpin and Pratt, WDDD 2004).
  double interference = 0.6;
  /// Waiting for a CPU that is not busy as a whole (bursts, pinning) must take this much.
  double least_impact_of_bursts = 0.30;
  /// Share that waiting for a CPU before the first stage must have of the time of stages and
  /// itself: more than elsewhere, because threads that take no orders wait too.
  double least_wait_ahead = 0.20;
  /// Part of the time that a target must be throttled for a quota to matter.
  double throttled_ratio = 0.02;
  /// Cores stolen by the hypervisor, of those that the guest has.
  double steal_ratio = 0.05;
  /// Own code must take this factor longer per order ...
  double own_code_growth = 1.5;
  /// ... and this one where the load fell to less than half: cold caches, slower clocks.
  double own_code_growth_at_low_load = 2.5;
  /// A service that forks, a build or a log rotation stay below 100 forks/s.
  double forks_per_second = 200;
  double forks_growth = 5;
  /// CPU time of one fork, exec and exit: 0.3 to 1 ms (lmbench "fork+execve").
  double fork_seconds = 0.7e-3;
  /// From here on a storm is told although no order feels it yet.
  double fork_storm_per_second = 1000;
  /// Share of the kernel in what others use more than before, from which forks or faults are the
  /// work itself. A compiler is below 0.2, a fork loop above 0.8.
  double kernel_share = 0.5;

  // ---- memory

  double faults_per_second = 5000;
  double faults_growth = 3;
  /// CPU time of one minor fault: 0.5 to 1 us (0.7 us on the machines in docs/overhead.md).
  double fault_seconds = 0.7e-6;
  /// CPU that a storm of faults must take to be told although no order feels it, in cores.
  double fault_storm_cores = 0.2;
  /// Minor faults of the whole host per second that are a storm: a parallel build does 200,000.
  double host_faults_per_second = 50'000;
  /// Major faults per second: each is a read from the disk.
  double major_faults_per_second = 20;
  /// Pages per second to or from swap.
  double swap_pages_per_second = 100;
  /// Share of time in which somebody waits for memory (PSI some); systemd-oomd acts at 0.6 full.
  double memory_pressure = 0.05;
  /// Seconds of direct reclaim per second.
  double reclaim_ratio = 0.02;
  /// ... or so many times a second by the service itself, each for at least 32 pages
  /// (SWAP_CLUSTER_MAX).
  double reclaims_per_second = 1;
  /// Share of the memory limit in use.
  double memory_full = 0.95;

  // ---- disk

  double busy_disk = 0.90;
  /// Mean number of requests queued or served: a parallel device that is always busy is saturated
  /// only with a queue (iostat(1) on %util).
  double disk_queue = 1.5;
  double disk_growth = 0.3;  ///< of the busy share, against the reference
  /// Without a reference, a sync is slow from here on: SSD 0.1 to 2 ms, a spinning disk 8 to 10 ms.
  double slow_sync_seconds = 5e-3;
  double filesystem_full = 0.95;
  double filesystem_critical = 0.99;
  /// Requests or statements in a window: each is data that is not written or cannot be read.
  double disk_errors = 1;

  // ---- SQLite

  /// A statement must take this factor longer (or run this factor more often) per order.
  double statement_growth = 1.5;
  /// Without a reference: share of the path that one statement takes by computing ...
  double dominant_statement = 0.5;
  /// ... and how long one must take. An indexed lookup is done in 10 to 50 us.
  double dominant_statement_seconds = 1e-3;
  /// The share from which a known missing index is told even where nothing grew.
  double advised_statement = 0.2;
  /// Statements of a digest in a window.
  double least_statements = 10;
  /// SQLITE_BUSY results as a share of statements: each is an order that failed or was tried anew.
  double busy_errors = 0.01;
  /// 16 times the default auto-checkpoint of 1,000 pages of 4 KiB: checkpoints do not get through.
  double wal_bytes = 64.0 * (1 << 20);
  /// A statement that is open so long pins the WAL or blocks writers.
  double long_statement_seconds = 5;
  /// Connections opened: a service that keeps its own opens them at its start. So many a second,
  /// and with stages one for each fifth order, is a habit.
  double opens_per_second = 5;
  double opens_per_order = 0.2;

  // ---- network

  double retransmits_per_second = 1;
  double least_retransmits = 10;
  double retransmits_growth = 5;
  /// Share of segments. Above 1 % TCP's throughput falls as 1/sqrt(p) (Mathis et al., CCR 1997).
  double retransmit_ratio = 0.01;
  /// ... where a reference says that it was a fifth of that at most: on the thin flows of orders
  /// each segment that is lost costs a timer of 200 ms. Not where a CPU is saturated or the quota
  /// stops the target: acknowledgements come late then, and 0.4 to 0.7 % were sent again for that.
  double retransmit_ratio_grown = 0.003;
  double round_trip_growth = 2;
  double round_trip_added = 1e-3;  ///< seconds
  double listen_overflows = 5;     ///< in a window

  // ---- files

  double open_files = 0.90;
  double open_files_critical = 0.98;

  /// Stage that is the whole order path, by target; where none is named it is found
  /// (bottlenecks/order_path.h).
  std::map<std::string, std::string> whole_stage;
};

}  // namespace nz::analysis
