/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracing of functions and USDT pairs in any process: a call begins, a call ends. Cookie of all
 * programs: index of the function or pair in bits 0..15; of the entry besides, in bits 32..63, how
 * far the stack pointer has moved since the function's first instruction (bytes, signed). */
#include "nearzero/task_state.h"
#include "nearzero/trace.h"

#define NZ_CALL_INDEX(cookie) ((__u32)(cookie) & (NZ_MAX_CALL_KINDS - 1))
#define NZ_CALL_MOVED(cookie) ((__s64)(cookie) >> 32)

struct nz_calls_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1); /* at load */
  __type(key, struct nz_call_key);
  __type(value, struct nz_call);
};
struct nz_calls_map nz_calls SEC(".maps");
/* cpu * NZ_MAX_CALL_KINDS + index, at load. */
NZ_OWN_ARRAY(nz_call_counts, struct nz_call_stats, 1);

static __always_inline struct nz_call_stats* nz_call_stats_of(__u32 index) {
  __u32 key = bpf_get_smp_processor_id() * NZ_MAX_CALL_KINDS + index;
  return bpf_map_lookup_elem(&nz_call_counts, &key);
}

static __always_inline int nz_begin(__u32 index, __u64 sp, __u32 site) {
  __u64 id = bpf_get_current_pid_tgid();
  struct nz_call_key key = {.sp = sp, .tid = (__u32)id, .site = site};
  struct nz_call fresh = {.index = index};
  struct nz_call_stats* stats = nz_call_stats_of(index);
  if (!stats || !nz_resolve_slot(id >> 32)) return 0;
  /* Whoever is found there was left by an exception or longjmp, or ended unseen. */
  if (bpf_map_lookup_elem(&nz_calls, &key)) NZ_ADD(stats->restarted, 1);
  NZ_ADD(stats->started, 1);
  fresh.ts = bpf_ktime_get_ns();
  if (bpf_map_update_elem(&nz_calls, &key, &fresh, BPF_ANY)) nz_drop(NZ_DROP_CALLS_FULL);
  return 0;
}

static __always_inline int nz_end(__u32 index, __u64 sp, __u32 site) {
  __u64 now = bpf_ktime_get_ns(), id = bpf_get_current_pid_tgid();
  struct nz_call_key key = {.sp = sp, .tid = (__u32)id, .site = site};
  struct nz_call_stats* stats;
  struct nz_call* call = bpf_map_lookup_elem(&nz_calls, &key);
  __u64 ts;
  if (!call) {
    stats = nz_call_stats_of(index);
    if (stats && nz_resolve_slot(id >> 32)) NZ_ADD(stats->unmatched, 1);
    return 0;
  }
  /* A tail call ends in another function than it began in: it is the first one's. */
  index = call->index & (NZ_MAX_CALL_KINDS - 1);
  ts = call->ts;
  bpf_map_delete_elem(&nz_calls, &key);
  stats = nz_call_stats_of(index);
  if (stats) NZ_ADD(stats->ended, 1);
  nz_note_current(NZ_TRACE_CALL + index, 0, now - ts);
  return 0;
}

SEC("uprobe.multi/enter")
int nz_trace_enter(struct pt_regs* ctx) {
  __u64 cookie = bpf_get_attach_cookie(ctx);
  return nz_begin(NZ_CALL_INDEX(cookie), ctx->sp + NZ_CALL_MOVED(cookie), 0);
}

/* At an exit instruction the stack pointer is that of the entry. */
SEC("uprobe.multi/leave")
int nz_trace_leave(struct pt_regs* ctx) {
  return nz_end(NZ_CALL_INDEX(bpf_get_attach_cookie(ctx)), ctx->sp, 0);
}

/* At a return the return address has been popped. */
SEC("uretprobe.multi/return")
int nz_trace_return(struct pt_regs* ctx) {
  return nz_end(NZ_CALL_INDEX(bpf_get_attach_cookie(ctx)), ctx->sp - 8, 0);
}

SEC("uprobe.multi/begin")
int nz_trace_begin(struct pt_regs* ctx) {
  __u32 index = NZ_CALL_INDEX(bpf_get_attach_cookie(ctx));
  return nz_begin(index, 0, index + 1);
}

SEC("uprobe.multi/end")
int nz_trace_end(struct pt_regs* ctx) {
  __u32 index = NZ_CALL_INDEX(bpf_get_attach_cookie(ctx));
  return nz_end(index, 0, index + 1);
}

/* Only its beginning can be seen, or only that is asked for. */
SEC("uprobe.multi/hit")
int nz_trace_hit(struct pt_regs* ctx) {
  __u32 index = NZ_CALL_INDEX(bpf_get_attach_cookie(ctx));
  struct nz_call_stats* stats = nz_call_stats_of(index);
  if (!stats || !nz_resolve_slot(bpf_get_current_pid_tgid() >> 32)) return 0;
  NZ_ADD(stats->started, 1);
  nz_note_current(NZ_TRACE_CALL + index, 0, 0);
  return 0;
}
