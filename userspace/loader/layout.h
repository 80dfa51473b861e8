// Where each histogram series stands in nz_hists, and what the maps cost in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nearzero/abi.h"
#include "nearzero/shards.h"

namespace nz::loader {

/// Sizes chosen by configuration; everything else follows. Memory per CPU is
/// 2,112 B * series() + 16 B * 512 * 17 (blocked syscalls) + 2,112 B ... see map_bytes().
struct Layout {
  bool host = true;               ///< everybody who is no target is recorded, too
  uint32_t cpus = 1;              ///< possible CPUs
  uint32_t task_entries = 32768;  ///< power of two
  uint32_t max_stages = 64;
  uint32_t max_statements = 64;
  uint32_t max_syscalls = 64;

  [[nodiscard]] uint32_t sched(uint32_t slot, uint32_t kind) const {
    return slot * NZ_SCHED_SERIES + kind;
  }
  [[nodiscard]] uint32_t stage_base() const { return NZ_SLOTS * NZ_SCHED_SERIES; }
  [[nodiscard]] uint32_t sqlite_wait_base() const { return stage_base() + max_stages; }
  [[nodiscard]] uint32_t statement_base() const { return sqlite_wait_base() + NZ_SLOTS * NZ_WAITS; }
  [[nodiscard]] uint32_t syscall_base() const {
    return statement_base() + max_statements * NZ_STMT_SERIES;
  }
  [[nodiscard]] uint32_t series() const { return syscall_base() + max_syscalls; }
  /// Shards of the histograms of disk and network: a power of two, enough for each CPU to have its
  /// own, at most NZ_MAX_SHARDS.
  [[nodiscard]] uint32_t shards() const {
    uint32_t shards = 1;
    while (shards < cpus && shards < NZ_MAX_SHARDS) shards *= 2;
    return shards;
  }
  /// Different stacks that the profile can tell apart in an interval: 64 a CPU, which at 49 Hz none
  /// exceeds in a second, between 512 and 4,096; a power of two.
  [[nodiscard]] uint32_t profile_rows() const {
    uint32_t rows = 512;
    while (rows < 64 * cpus && rows < 4096) rows *= 2;
    return rows;
  }
};

}  // namespace nz::loader
