/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Shared maps and globals, and the slow path that tells which target a process belongs to. */
#define NEARZERO_DEFINE_MAPS
#include "nearzero/histogram.h"
#include "nearzero/maps.h"
#include "nearzero/shards.h"
#include "nearzero/task_state.h"
#include "nearzero/thread.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__attribute__((noinline)) __hidden __u32 nz_resolve_slot(__u32 tgid) {
  __u32* slot;
  if (nz_trace.everyone) return 1;
  slot = bpf_map_lookup_elem(&nz_targets, &tgid);
  return slot ? NZ_SLOT(*slot) : 0;
}

__attribute__((noinline)) int nz_record(__u32 cpu, __u32 id, __u64 ns) {
  nz_record_here(cpu, id, ns);
  return 0;
}
