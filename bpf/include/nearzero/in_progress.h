/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is in progress, by a number that nothing else in progress has (an address in the kernel, a
 * thread): since when, and one word that the user of the table gives a meaning.
 *
 * Sets of 8 ways in a flat array: what is looked for stands in one cache line, there is nothing to
 * allocate and nothing to lock. */
#ifndef NEARZERO_IN_PROGRESS_H
#define NEARZERO_IN_PROGRESS_H

#include "nearzero/maps.h"

#define NZ_WAYS 8
/* 192 B, 8 entries. */
struct nz_in_progress {
  __u64 key[NZ_WAYS]; /* 0 = free */
  __u64 since[NZ_WAYS];
  __u64 info[NZ_WAYS];
};

/* One entry. */
struct nz_entry {
  struct nz_in_progress* set;
  __u32 way;
};

/* Fibonacci hashing (Knuth, TAOCP 6.4) of the lower half: addresses differ in the middle bits.
 * `sets`: a power of two, at most 65,536. The verifier takes a 32-bit move of a pointer for a
 * number and lets nothing else be done to one. */
static __always_inline struct nz_in_progress* nz_set_of(void* map, __u32 sets, __u64 key) {
  __u32 at;
  asm volatile("%0 = %1" : "=w"(at) : "w"((__u32)key));
  at = (at * 2654435769U) >> 16 & (sets - 1);
  return bpf_map_lookup_elem(map, &at);
}

/* The way of `key` in its set; NZ_WAYS if it is not there. */
static __always_inline __u32 nz_way_of(const struct nz_in_progress* set, __u64 key) {
#pragma unroll
  for (__u32 i = 0; i < NZ_WAYS; i++)
    if (set->key[i] == key) return i;
  return NZ_WAYS;
}

static __always_inline bool nz_find_entry(void* map, __u32 sets, __u64 key, struct nz_entry* e) {
  e->set = nz_set_of(map, sets, key);
  if (!e->set) return false;
  e->way = nz_way_of(e->set, key);
  return e->way < NZ_WAYS;
}

/* The entry of `key`, which may be there already, else a new one; false where there is no room.
 * Where no way is free, one is given that has been in progress for `abandoned_ns` and longer: its
 * end was not seen (a request that was merged into another one, a device that was pulled). */
static __always_inline bool nz_claim_entry(void* map, __u32 sets, __u64 key, __u64 now,
                                           __u64 abandoned_ns, struct nz_entry* e) {
  if (nz_find_entry(map, sets, key, e)) return true;
  if (!e->set) return false;
#pragma unroll
  for (__u32 i = 0; i < NZ_WAYS; i++) {
    if (__sync_val_compare_and_swap(&e->set->key[i], 0, key)) continue;
    e->way = i;
    return true;
  }
#pragma unroll
  for (__u32 i = 0; i < NZ_WAYS; i++) {
    __u64 there = *(volatile __u64*)&e->set->key[i];
    if (now - e->set->since[i] < abandoned_ns) continue;
    if (__sync_val_compare_and_swap(&e->set->key[i], there, key) != there) continue;
    e->way = i;
    return true;
  }
  return false;
}

/* Frees every entry of `key`: two threads that claim it at the same moment make two. */
static __always_inline void nz_release_key(void* map, __u32 sets, __u64 key) {
  struct nz_in_progress* set = nz_set_of(map, sets, key);
  if (!set) return;
#pragma unroll
  for (__u32 i = 0; i < NZ_WAYS; i++)
    if (set->key[i] == key) *(volatile __u64*)&set->key[i] = 0;
}
static __always_inline void nz_release_entry(struct nz_entry* e) {
  *(volatile __u64*)&e->set->key[e->way & (NZ_WAYS - 1)] = 0;
}
#define NZ_SINCE(e) ((e).set->since[(e).way & (NZ_WAYS - 1)])
#define NZ_INFO(e) ((e).set->info[(e).way & (NZ_WAYS - 1)])

#endif
