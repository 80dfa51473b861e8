/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs read of a request to a disk. */
#ifndef NEARZERO_BLOCK_REQUEST_H
#define NEARZERO_BLOCK_REQUEST_H

#include "nearzero/block.h"
#include "nearzero/kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct gendisk {
  int major, first_minor;
};
struct request_queue {
  struct gendisk* disk; /* 5.15 (commit d152c682f03c) */
};
struct request {
  struct request_queue* q;
  unsigned int cmd_flags;
  unsigned int __data_len; /* bytes still to be done */
};
#pragma clang attribute pop

#define NZ_REQ_OP 0xff /* include/linux/blk_types.h */

static __always_inline __u32 nz_block_op(__u32 flags) {
  switch (flags & NZ_REQ_OP) {
    case 0:
      return NZ_BLOCK_READ;
    case 1:
      return NZ_BLOCK_WRITE;
    case 2:
      return NZ_BLOCK_FLUSH;
    case 3:
      return NZ_BLOCK_DISCARD;
    default:
      return NZ_BLOCK_OTHER;
  }
}

/* Of the whole disk; 0 for what goes to no disk (a controller's administration). */
static __always_inline __u64 nz_block_number(struct request* rq) {
  struct gendisk* disk = rq->q->disk;
  return disk ? NZ_BLOCK_NUMBER(disk->major, disk->first_minor) : 0;
}

#endif
