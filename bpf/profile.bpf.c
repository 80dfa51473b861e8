/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the threads of targets run when the clock of a CPU ticks (perf_event, cpu-clock), counted by
 * process and stack. */
#include "nearzero/profile.h"

#include "nearzero/task_state.h"

/* Rows of one half - 1. At load: a power of two by the number of CPUs. */
const volatile __u32 nz_profile_mask = 0;

/* half * rows + row. At load: 32 B * 2 * rows, and 768 B * 2 * rows. Programs write the half
 * nz_control.profile_half; userspace reads the other one, which has rested for an interval. */
NZ_OWN_ARRAY(nz_profile_rows, struct nz_profile_row, 1);
NZ_OWN_ARRAY(nz_profile_stacks, struct nz_profile_stack, 1);
NZ_OWN_ARRAY(nz_profile_counts, struct nz_profile_stats, NZ_SLOTS);

/* Too large for the stack of a program. A CPU's own: a tick does not interrupt a tick. */
struct nz_profile_scratch_map {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct nz_profile_stack);
};
struct nz_profile_scratch_map nz_profile_scratch SEC(".maps");

/* struct bpf_perf_event_data up to where it is needed: user ABI, so nothing is to be relocated. */
struct nz_tick {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
      flags, sp, ss;
};

/* Reads the scheduler's state, and never writes it: the tick may have interrupted a program that
 * does. */
static __always_inline __u32 nz_profiled_slot(__u32 pid, __u32 tgid) {
  struct nz_task* t = nz_task_entry(pid);
  if (t && t->pid == pid && t->generation == (__u16)nz_control.generation) return NZ_SLOT(t->slot);
  return nz_resolve_slot(tgid);
}

static __always_inline __u64 nz_mix(__u64 hash, __u64 word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 29;
}

/* The row of this stack, claimed for it where it has none; NULL: others stand in its place. */
static __always_inline struct nz_profile_row* nz_profile_row_of(__u64 hash, __u32* key,
                                                                bool* fresh) {
  __u32 half = nz_control.profile_half & 1;
  for (__u32 way = 0; way < NZ_PROFILE_WAYS; way++) {
    struct nz_profile_row* row;
    *key = half * (nz_profile_mask + 1) + ((hash + way) & nz_profile_mask);
    row = bpf_map_lookup_elem(&nz_profile_rows, key);
    if (!row) return NULL;
    if (row->hash == hash) return row;
    if (row->hash) continue;
    __u64 before = __sync_val_compare_and_swap(&row->hash, 0, hash);
    if (before && before != hash) continue;
    *fresh = !before;
    return row;
  }
  return NULL;
}

SEC("perf_event")
int nz_profile(struct nz_tick* ctx) {
  __u64 id = bpf_get_current_pid_tgid(), hash;
  __u32 slot = nz_profiled_slot((__u32)id, id >> 32), zero = 0, key = 0, i;
  __u16 user_depth = 0, kernel_depth = 0;
  bool in_user = ctx->cs & 3, fresh = false;
  struct nz_profile_stats* stats = bpf_map_lookup_elem(&nz_profile_counts, &slot);
  struct nz_profile_stack *s, *kept;
  struct nz_profile_row* row;
  if (stats && stats->off) stats = bpf_map_lookup_elem(&nz_profile_counts, &zero), slot = 0;
  if (!stats) return 0;
  NZ_ADD(stats->samples, 1);
  if (!slot) return 0;
  s = bpf_map_lookup_elem(&nz_profile_scratch, &zero);
  if (!s) return 0;

  /* What is not filled is zeroed, on an error all of it. */
  bpf_get_stack(ctx, s->user, sizeof(s->user), BPF_F_USER_STACK);
  /* Whatever the walk made of the frame pointers: this is where the thread was. */
  if (in_user) {
    s->user[0] = ctx->ip;
    __builtin_memset(s->kernel, 0, sizeof(s->kernel));
  } else {
    bpf_get_stack(ctx, s->kernel, sizeof(s->kernel), 0);
    if (!s->kernel[0]) s->kernel[0] = ctx->ip;
  }

  hash = nz_mix(id >> 32, slot);
  for (i = 0; i < NZ_PROFILE_USER && s->user[i]; i++) hash = nz_mix(hash, s->user[i]);
  user_depth = i;
  hash = nz_mix(hash, 0);
  for (i = 0; i < NZ_PROFILE_KERNEL && s->kernel[i]; i++) hash = nz_mix(hash, s->kernel[i]);
  kernel_depth = i;
  if (!hash) hash = 1;
  if (user_depth <= 1) NZ_ADD(stats->no_callers, 1);
  if (user_depth == NZ_PROFILE_USER || kernel_depth == NZ_PROFILE_KERNEL) NZ_ADD(stats->cut, 1);

  row = nz_profile_row_of(hash, &key, &fresh);
  kept = row ? bpf_map_lookup_elem(&nz_profile_stacks, &key) : NULL;
  if (!row || !kept) {
    NZ_ADD(stats->no_room, 1);
    nz_drop(NZ_DROP_PROFILE_FULL);
    return 0;
  }
  if (fresh) {
    row->tgid = id >> 32;
    row->slot = slot;
    row->user_depth = user_depth;
    row->kernel_depth = kernel_depth;
    bpf_probe_read_kernel(kept, sizeof(*kept), s);
  }
  NZ_ADD(row->count, 1);
  return 0;
}
