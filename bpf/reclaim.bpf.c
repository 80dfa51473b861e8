/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How long threads that want memory are stalled because they have to make room themselves, by
 * target and by why, and whom the kernel kills for want of memory. */
#include "nearzero/reclaim.h"
#include "nearzero/in_progress.h"
#include "nearzero/shards.h"
#include "nearzero/task_state.h"

/* slot * NZ_STALLS + enum nz_stall. */
NZ_OWN_ARRAY(nz_reclaim_hists, struct nz_hist, NZ_SLOTS* NZ_STALLS);
NZ_OWN_ARRAY(nz_reclaim_counts, struct nz_reclaim_stats, NZ_SLOTS);
/* By thread and kind. */
NZ_OWN_ARRAY(nz_reclaim_stalls, struct nz_in_progress, NZ_RECLAIM_SETS);

#define NZ_PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define NZ_ABANDONED_NS (300ULL * 1000000000)

static __always_inline struct nz_reclaim_stats* nz_reclaim_stats_of(__u32 slot) {
  __u32 key = NZ_SLOT(slot);
  return bpf_map_lookup_elem(&nz_reclaim_counts, &key);
}

static __always_inline __u64 nz_stall_key(__u64 id, enum nz_stall kind) {
  return (__u64)(__u32)id << 2 | kind;
}

static __always_inline __u32 nz_stalled_slot(__u64 id) {
  struct nz_task* t = nz_task_of((__u32)id, id >> 32);
  return t ? NZ_SLOT(t->slot) : 0;
}

static __always_inline int nz_stall_begins(enum nz_stall kind) {
  __u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
  struct nz_entry e = {};
  if (nz_claim_entry(&nz_reclaim_stalls, NZ_RECLAIM_SETS, nz_stall_key(id, kind), now,
                     NZ_ABANDONED_NS, &e)) {
    NZ_SINCE(e) = now;
  } else {
    struct nz_reclaim_stats* stats = nz_reclaim_stats_of(nz_stalled_slot(id));
    if (stats) NZ_ADD(stats->no_room, 1);
  }
  return 0;
}

static __always_inline int nz_stall_ends(enum nz_stall kind) {
  __u64 id = bpf_get_current_pid_tgid(), ns = bpf_ktime_get_ns();
  __u32 slot = nz_stalled_slot(id);
  struct nz_entry e = {};
  if (!nz_find_entry(&nz_reclaim_stalls, NZ_RECLAIM_SETS, nz_stall_key(id, kind), &e)) {
    struct nz_reclaim_stats* stats = nz_reclaim_stats_of(slot);
    if (stats) NZ_ADD(stats->start_unseen, 1);
    return 0;
  }
  ns -= NZ_SINCE(e);
  nz_release_entry(&e);
  if (slot || nz_config.host) {
    __u32 key = slot * NZ_STALLS + kind;
    struct nz_hist* h = bpf_map_lookup_elem(&nz_reclaim_hists, &key);
    if (h) nz_add_to(h, nz_cell_of(ns), ns, true);
  }
  return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int nz_reclaim_begin(void* ctx) { return nz_stall_begins(NZ_STALL_HOST); }

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int nz_reclaim_end(void* ctx) { return nz_stall_ends(NZ_STALL_HOST); }

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int nz_reclaim_cgroup_begin(void* ctx) { return nz_stall_begins(NZ_STALL_CGROUP); }

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int nz_reclaim_cgroup_end(void* ctx) { return nz_stall_ends(NZ_STALL_CGROUP); }

/* The kernel's own threads compact ahead of need: nobody waits for them. */
static __always_inline bool nz_is_kernel_thread(void) {
  return bpf_get_current_task_btf()->flags & NZ_PF_KTHREAD;
}

SEC("tp_btf/mm_compaction_begin")
int nz_compaction_begin(void* ctx) {
  return nz_is_kernel_thread() ? 0 : nz_stall_begins(NZ_STALL_COMPACTION);
}

SEC("tp_btf/mm_compaction_end")
int nz_compaction_end(void* ctx) {
  return nz_is_kernel_thread() ? 0 : nz_stall_ends(NZ_STALL_COMPACTION);
}

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct trace_event_raw_mark_victim {
  int pid;
  unsigned int uid; /* with it came the task as an argument (6.10, commit 72ba14deb40a) */
};
#pragma clang attribute pop

SEC("tp_btf/mark_victim")
int nz_oom_kill(__u64* ctx) {
  struct nz_reclaim_stats* stats;
  __u32 tgid = (__u32)ctx[0]; /* before: the pid of the process */
  if (bpf_core_field_exists(struct trace_event_raw_mark_victim, uid))
    tgid = BPF_CORE_READ((struct task_struct*)ctx[0], tgid);
  stats = nz_reclaim_stats_of(nz_resolve_slot(tgid));
  if (stats) NZ_ADD(stats->oom_kills, 1);
  return 0;
}
