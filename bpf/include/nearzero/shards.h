/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Histograms of what is less hot than the scheduler (disk, network, memory): a power of two of
 * shards, at most 8, where nz_hists has a slot for each CPU. Their programs add atomically anyway,
 * because they can be preempted by their own kind, so that a slot which two CPUs share is exact; a
 * series by device and operation for each of 256 CPUs would be 86 MB. */
#ifndef NEARZERO_SHARDS_H
#define NEARZERO_SHARDS_H

#define NZ_MAX_SHARDS 8

#ifdef __bpf__
#include "nearzero/histogram.h"

#ifdef NEARZERO_DEFINE_MAPS
const volatile __u32 nz_shard_mask = 0; /* at load */
#else
extern const volatile __u32 nz_shard_mask;
#endif

static __always_inline __u32 nz_shard(void) {
  return bpf_get_smp_processor_id() & nz_shard_mask & (NZ_MAX_SHARDS - 1);
}

/* Histogram `index` of this CPU's shard in `map`, which has `stride` of them a shard. */
static __always_inline void nz_record_in(void* map, __u32 stride, __u32 index, __u64 ns) {
  __u32 key = nz_shard() * stride + index;
  struct nz_hist* h = bpf_map_lookup_elem(map, &key);
  if (h)
    nz_add_to(h, nz_cell_of(ns), ns, true);
  else
    nz_drop(NZ_DROP_NO_SERIES);
}
#endif

#endif
