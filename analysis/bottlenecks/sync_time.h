// What waiting for the disk costs an order: syncs by what calls them, and the rest.
#pragma once

#include <string>
#include <vector>

#include "analysis/bottlenecks/candidate.h"
#include "analysis/bottlenecks/cpu_use.h"

namespace nz::analysis {

struct SyncTime {
  std::string family;  ///< where it was read from; empty: no sync was seen
  Labels labels;
  double now = 0, before = 0;              ///< seconds per order
  double mean_now = 0, mean_before = 0;    ///< seconds of one
  double count_now = 0, count_before = 0;  ///< per order
  double seconds = 0;                      ///< of the window, all of them

  [[nodiscard]] double excess() const { return now > before ? now - before : 0; }
};

/// SQLite's own syncs where they are observed, else the system calls (timed, or by the scheduler).
SyncTime sync_time(const Context& context, const OrderPath& path);

/// One kind of SQLite's waits, per order: busy, sync, checkpoint.
SyncTime sqlite_wait(const Context& context, const OrderPath& path, const std::string& kind);

/// Takes `seconds` from the excess of these parts in turn.
std::vector<Claim> claim_from(const OrderPath& path, double seconds,
                              std::initializer_list<Component> parts);

/// Reads and writes of the disk in the order path: its excess, syncs wherever they show.
std::vector<Claim> disk_claims(const OrderPath& path, const SyncTime& sync);

/// Part, 0..1, of what syncs take longer than before that can be the saturated CPUs' doing: the
/// journal's thread and the device's completion wait for a CPU like everybody else.
double part_of_syncs(const Context& context, const OrderPath& path, const Processors& cpu);

}  // namespace nz::analysis
