/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Contract of the disk probe (bpf/block.bpf.c, probes/block/). */
#ifndef NEARZERO_BLOCK_H
#define NEARZERO_BLOCK_H

#include "nearzero/abi.h"

/* 0: "other", devices beyond the others. A power of two. */
#define NZ_BLOCK_DEVICES 16
/* Index of a series in its shard of nz_block_hists: 160 * 2,112 B = 338 KB a shard. */
#define NZ_BLOCK_SERIES (NZ_BLOCK_DEVICES * 2 * NZ_BLOCK_OPS)
#define NZ_BLOCK_SERIES_OF(device, queued, op) (((device)*2 + (queued)) * NZ_BLOCK_OPS + (op))
/* Sets of 8: 8,192 requests at a time, 197 KB. */
#define NZ_BLOCK_SETS 1024
#define NZ_BLOCK_NUMBER(major, minor) ((nz_u64)(major) << 20 | (nz_u32)(minor))

/* One element. Filled by userspace with the disks that are there at start, by the programs with
 * what comes later. */
struct nz_block_devices {
  nz_u64 number[NZ_BLOCK_DEVICES]; /* NZ_BLOCK_NUMBER + 1; 0 = free; [0] is not used */
};

/* One a shard. */
struct nz_block_stats {
  nz_u64 errors[NZ_BLOCK_DEVICES * NZ_BLOCK_OPS];
  nz_u64 queued;        /* put into a queue: hits of the first program */
  nz_u64 no_room;       /* more requests at a time than the table holds */
  nz_u64 start_unseen;  /* complete, and sent before attach */
  nz_u64 other_devices; /* recorded under "other" */
};

#endif
