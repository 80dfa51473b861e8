/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which statements are slow: a comparison at the end of each. What there is to say of one is
 * gathered in sqlite_slow.bpf.c. */
#ifndef NEARZERO_SQLITE_SLOW_H
#define NEARZERO_SQLITE_SLOW_H

#include "nearzero/slow_statement.h"
#include "nearzero/thread.h"

#ifdef NEARZERO_DEFINE_SLOW_MAPS
#define NZ_SLOW_MAP
#else
#define NZ_SLOW_MAP extern
#endif
NZ_ARRAY_TYPE(nz_slow_targets, struct nz_slow_target, NZ_SLOTS);
NZ_SLOW_MAP struct nz_slow_targets_map nz_slow_targets SEC(".maps");

/* A statement that has ended, as its plan knows it. Without padding: the verifier wants all of what
 * a global function is given to be written. */
struct nz_ended_statement {
  __u64 text; /* Vdbe.zSql; 0: unknown */
  __u64 ts, inside_ns, open_ns, rows;
  __u64 wait_ns[NZ_SLOW_WAITS];
  __u32 slot, id;
  __u32 stage; /* where it began; as nz_stage_now() says */
  __u16 result, flags;
};
_Static_assert(sizeof(struct nz_ended_statement) == 56 + 8 * NZ_SLOW_WAITS, "no padding");

/* A global function of stages.bpf.c: the verifier looks at it once. */
__u32 nz_innermost_stage(struct nz_thread* t);

/* The stage that began last of those that the thread is in, + 1; 0: none. Asked for once where a
 * statement begins: by its end, when its duration is known, the thread may be in another. */
static __always_inline __u32 nz_stage_now(struct nz_thread* t) {
  return t->depth || t->open_stages ? nz_innermost_stage(t) : 0;
}

static __always_inline struct nz_slow_target* nz_slow_target_of(__u32 slot) {
  __u32 key = NZ_SLOT(slot);
  return bpf_map_lookup_elem(&nz_slow_targets, &key);
}

static __always_inline bool nz_is_slow(__u32 slot, __u64 ns) {
  struct nz_slow_target* t = nz_slow_target_of(slot);
  __u64 threshold = t ? *(volatile __u64*)&t->threshold_ns : 0;
  return threshold && ns >= threshold;
}

/* Tells userspace, as far as the rate allows. A global function: the verifier looks at it once. */
int nz_tell_slow_statement(struct nz_ended_statement* e);

#endif
