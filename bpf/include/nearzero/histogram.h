/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Recording into the shared histogram: exact schema-3 index (hist_layout.h), ~3 ns. */
#ifndef NEARZERO_HISTOGRAM_H
#define NEARZERO_HISTOGRAM_H

#include "nearzero/maps.h"

/* Largest whole nanosecond inside each bucket; filled by userspace from analysis::upper_bound_ns.
 */
#ifdef NEARZERO_DEFINE_MAPS
const volatile __u64 nz_bound_ns[NZ_BUCKETS] = {};
#else
extern const volatile __u64 nz_bound_ns[NZ_BUCKETS];
#endif

#define NZ_ZERO_MAX_NS 59ULL                 /* floor(2^-24 s) */
#define NZ_OVERFLOW_NS (256ULL * 1000000000) /* 2^8 s */

/* Bucket of a duration in (NZ_ZERO_MAX_NS, NZ_OVERFLOW_NS]. Estimates from below in fixed point
 * (units of 2^-50 s; the factor 2^50 / 10^9 is rounded down, so the estimate is exact or one too
 * low), then one comparison with the exact bound settles it. */
static __always_inline __u32 nz_bucket_of(__u64 ns) {
  __u64 scaled = ns * 1125899ULL;
  __u64 v = scaled;
  __u32 e = 0, m, i;
  if (v >> 32) e += 32, v >>= 32;
  if (v >> 16) e += 16, v >>= 16;
  if (v >> 8) e += 8, v >>= 8;
  if (v >> 4) e += 4, v >>= 4;
  if (v >> 2) e += 2, v >>= 2;
  if (v >> 1) e += 1;
  m = (scaled << ((63 - e) & 63)) >> 32; /* mantissa in [2^31, 2^32) */
  i = (e - 26) * NZ_BUCKETS_PER_OCTAVE;
  /* floor(2^31 * 2^(j/8)) for j = 1..7, as a binary search */
  if (m > 3037000499U) {
    if (m > 3611622602U)
      i += m > 3938502375U ? 7 : 6;
    else
      i += m > 3311872529U ? 5 : 4;
  } else {
    if (m > 2553802833U)
      i += m > 2784941737U ? 3 : 2;
    else
      i += m > 2341847523U ? 1 : 0;
  }
  i &= NZ_BUCKETS - 1;
  if (ns > nz_bound_ns[i]) i++;
  return i & (NZ_BUCKETS - 1);
}

static __always_inline void nz_keep_max(__u64* field, __u64 value, bool atomic) {
  __u64 seen = *(volatile __u64*)field;
  if (value <= seen) return;
  if (!atomic) {
    *field = value;
    return;
  }
#pragma unroll
  for (int i = 0; i < 3; i++) {
    __u64 before = __sync_val_compare_and_swap(field, seen, value);
    if (before == seen || before >= value) return;
    seen = before;
  }
}

/* Which cell of a histogram counts `ns`: its distance in bytes from the start. */
static __always_inline __u32 nz_cell_of(__u64 ns) {
  if (ns <= NZ_ZERO_MAX_NS) return __builtin_offsetof(struct nz_hist, zero);
  if (ns > NZ_OVERFLOW_NS) return __builtin_offsetof(struct nz_hist, overflow);
  return __builtin_offsetof(struct nz_hist, bucket) + nz_bucket_of(ns) * sizeof(__u64);
}

static __always_inline struct nz_hist* nz_hist_of(__u32 cpu, __u32 id) {
  __u32 key = cpu * nz_config.series + id;
  struct nz_hist* h = bpf_map_lookup_elem(&nz_hists, &key);
  if (!h) nz_drop(NZ_DROP_NO_SERIES);
  return h;
}

/* `atomic` is a constant: false where nothing can interleave (sched_switch runs with interrupts
 * off), true everywhere else: those programs can be preempted by their own kind on the same CPU. */
static __always_inline void nz_add_to(struct nz_hist* h, __u32 cell, __u64 ns, bool atomic) {
  __u64* count = (void*)h + cell;
  __u32 half = nz_control.epoch & 1;
  if (atomic) {
    NZ_ADD(*count, 1);
    NZ_ADD(h->sum, ns);
  } else {
    *count += 1;
    h->sum += ns;
  }
  nz_keep_max(&h->max[half], ns, atomic);
  nz_keep_max(&h->min_inverted[half], ~ns, atomic);
}

/* Tracing: a value of the current thread (trace.bpf.c). */
int nz_note_current(__u32 series, __u64 number, __u64 ns);

/* Series `id` of this CPU. Not for sched_switch. */
static __always_inline void nz_record_here(__u32 cpu, __u32 id, __u64 ns) {
  struct nz_hist* h;
  if (nz_trace.on) {
    nz_note_current(id, 0, ns);
    return;
  }
  h = nz_hist_of(cpu, id);
  if (h) nz_add_to(h, nz_cell_of(ns), ns, true);
}

/* Global functions (core.bpf.c): the verifier looks at them once, not at every call. A call costs
 * some 10 ns where returns are protected (SRSO), so what is hot calls nz_record_here(). */

/* nz_record_here() behind a call. */
int nz_record(__u32 cpu, __u32 id, __u64 ns);

#endif
