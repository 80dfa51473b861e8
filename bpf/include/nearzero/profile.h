/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Samples of what targets run, by process and stack, aggregated in the kernel. */
#ifndef NEARZERO_PROFILE_H
#define NEARZERO_PROFILE_H

#include "nearzero/abi.h"

#define NZ_PROFILE_USER 64
#define NZ_PROFILE_KERNEL 32
/* Rows that a stack may have, beginning with the one its hash leads to. */
#define NZ_PROFILE_WAYS 8

/* One stack of one process during one interval; its addresses stand at the same place of
 * nz_profile_stacks, so that a look for rows in use touches 32 B of each. */
struct nz_profile_row {
  nz_u64 hash; /* of process and addresses; 0: free */
  nz_u32 tgid;
  nz_u32 slot;
  nz_u32 count;
  nz_u16 user_depth, kernel_depth; /* kernel: 0, it ran in user mode */
  nz_u64 reserved;
};

/* Innermost first. */
struct nz_profile_stack {
  nz_u64 user[NZ_PROFILE_USER];
  nz_u64 kernel[NZ_PROFILE_KERNEL];
};

struct nz_profile_stats {
  nz_u64 samples; /* slot 0: ticks that met somebody else */
  /* Of these: no row was left for the stack. */
  nz_u64 no_room;
  /* Recorded, but the walk gave the sampled address alone, or not even that. */
  nz_u64 no_callers;
  nz_u64 cut; /* recorded, deeper than a row holds */
  nz_u64 off; /* 1: userspace does not want this slot */
};

#endif
