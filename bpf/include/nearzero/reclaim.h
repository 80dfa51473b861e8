/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Contract of the memory probe (bpf/reclaim.bpf.c, probes/reclaim/). */
#ifndef NEARZERO_RECLAIM_H
#define NEARZERO_RECLAIM_H

#include "nearzero/abi.h"

/* Why a thread that wanted memory had to make room itself. */
enum nz_stall {
  NZ_STALL_HOST,       /* the host has no free memory (direct reclaim) */
  NZ_STALL_CGROUP,     /* its control group has reached its limit */
  NZ_STALL_COMPACTION, /* no free block is large enough */
  NZ_STALLS
};
/* Sets of 8: 512 stalls at a time, 12 KB. */
#define NZ_RECLAIM_SETS 64

/* One a slot. The histograms are slot * NZ_STALLS + enum nz_stall: 48 * 2,112 B = 101 KB, without
 * shards: each value takes longer than all that contend for it. */
struct nz_reclaim_stats {
  nz_u64 oom_kills;
  nz_u64 no_room;
  nz_u64 start_unseen; /* began before attach */
};

#endif
