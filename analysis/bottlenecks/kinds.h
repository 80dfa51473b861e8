// Every rule; each is one file of the kind's name.
#pragma once

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

#define NZ_RULE(kind) \
  void find_##kind(const Context& context, const OrderPath& path, std::vector<Candidate>& out)

NZ_RULE(cpu_saturation);
NZ_RULE(noisy_neighbour);
NZ_RULE(cpu_quota);
NZ_RULE(cpu_steal);
NZ_RULE(fork_storm);
NZ_RULE(own_code);
NZ_RULE(lock_contention);
NZ_RULE(slow_sync);
NZ_RULE(disk_saturation);
NZ_RULE(disk_errors);
NZ_RULE(filesystem_full);
NZ_RULE(sqlite_opens);
NZ_RULE(sqlite_writer_contention);
NZ_RULE(slow_statement);
NZ_RULE(checkpoint_stall);
NZ_RULE(wal_growth);
NZ_RULE(long_transaction);
NZ_RULE(page_faults);
NZ_RULE(memory_pressure);
NZ_RULE(network_loss);
NZ_RULE(listen_overflow);
NZ_RULE(fd_exhaustion);
NZ_RULE(slow_dependency);

#undef NZ_RULE

}  // namespace nz::analysis
