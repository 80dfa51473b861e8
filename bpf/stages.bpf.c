/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Order-path stages. One program run per hit does all that its address stands for (the end of one
 * stage, the start of the next, the start of the whole order) with one reading of the clock, so
 * that consecutive stages add up to the order without a gap. */
#include "nearzero/stage.h"

static __always_inline void nz_site_hit(__u32 cpu, __u32 site) {
  __u32 key = cpu * NZ_MAX_SITES + site;
  __u64* hits = bpf_map_lookup_elem(&nz_site_hits, &key);
  if (hits) NZ_ADD(*hits, 1);
}

/* Global functions: the verifier looks at each once, not for every way through the loop below. That
 * takes it from 670,000 instructions (of the million allowed) to 83,000, and the agent's start from
 * 3.4 s to 0.4 s. */

__attribute__((noinline)) int nz_enter(struct nz_thread* t, struct nz_moment* m, __u32 cpu,
                                       __u32 stage, __u64 sp) {
  if (t && m) nz_fn_entry(t, cpu, stage, sp, m);
  return 0;
}

__attribute__((noinline)) int nz_leave(struct nz_thread* t, struct nz_moment* m, __u32 cpu,
                                       __u32 stage, __u64 sp) {
  if (t && m) nz_fn_exit(t, cpu, stage, sp, m);
  return 0;
}

__attribute__((noinline)) int nz_open(struct nz_thread* t, struct nz_moment* m, __u32 cpu,
                                      struct nz_action* a, __u64 sp) {
  if (t && m && a) nz_from(t, cpu, a, sp, m);
  return 0;
}

__attribute__((noinline)) int nz_close(struct nz_thread* t, struct nz_moment* m, __u32 cpu,
                                       struct nz_action* a) {
  if (t && m && a) nz_to(t, cpu, a, m);
  return 0;
}

static __always_inline void nz_act(struct nz_site* site, struct nz_thread* t, struct nz_moment* m,
                                   __u32 cpu, __u64 sp) {
  for (int i = 0; i < NZ_SITE_ACTIONS; i++) {
    struct nz_action* a = &site->actions[i];
    switch (a->kind) {
      case NZ_ACT_TO:
        nz_close(t, m, cpu, a);
        break;
      case NZ_ACT_FROM:
        nz_open(t, m, cpu, a, sp);
        break;
      case NZ_ACT_FN_ENTRY:
        nz_enter(t, m, cpu, a->stage, sp);
        break;
      case NZ_ACT_FN_EXIT:
        nz_leave(t, m, cpu, a->stage, sp);
        break;
      default:
        return;
    }
  }
}

static __always_inline __u32 nz_site_of(struct pt_regs* ctx) {
  return (__u32)bpf_get_attach_cookie(ctx) & (NZ_MAX_SITES - 1);
}

/* The same, remembered by `t`. */
static __always_inline __u32 nz_site_at(struct pt_regs* ctx, struct nz_thread* t) {
  struct nz_site_seen* seen = &t->seen[(ctx->ip ^ ctx->ip >> 4) & (NZ_SITES_SEEN - 1)];
  __u32 number, generation = *(volatile __u32*)&nz_control.site_generation;
  struct nz_site* site;
  if (seen->ip == ctx->ip && seen->generation == generation)
    return seen->number & (NZ_MAX_SITES - 1);
  number = nz_site_of(ctx);
  site = bpf_map_lookup_elem(&nz_sites, &number);
  if (site && site->in_executable) {
    seen->generation = generation;
    seen->number = number;
    seen->ip = ctx->ip;
  }
  return number;
}

/* Entry of a function or one of its exit instructions. */
SEC("uprobe.multi/stage")
int nz_stage_hit(struct pt_regs* ctx) {
  __u32 cpu = bpf_get_smp_processor_id(), number;
  struct nz_thread* t = nz_thread_of(ctx);
  struct nz_site* site;
  struct nz_moment m;
  __u64 sp;
  number = t ? nz_site_at(ctx, t) : nz_site_of(ctx);
  nz_site_hit(cpu, number); /* it costs, whether it can be recorded or not */
  if (!t) return 0;
  site = bpf_map_lookup_elem(&nz_sites, &number);
  if (!site) return 0;
  sp = ctx->sp + site->sp_displacement;
  if (site->actions[0].kind == NZ_ACT_FN_ENTRY && site->actions[1].kind == NZ_ACT_NONE &&
      !site->winding_down && nz_fn_push(t, cpu, site->actions[0].stage, sp))
    return 0;
  m.winding_down = site->winding_down;
  m.quiet_until = site->quiet_until;
  nz_look(&m, t->pid);
  nz_act(site, t, &m, cpu, sp);
  return 0;
}

/* Return of a function that may have a return probe. Nothing is counted for its site: the entry
 * was. */
SEC("uretprobe.multi/stage")
int nz_stage_return(struct pt_regs* ctx) {
  __u32 cpu = bpf_get_smp_processor_id(), number;
  struct nz_thread* t = nz_thread_of(ctx);
  /* The return address has been popped: 8 bytes above where it was at the entry. */
  __u64 sp = ctx->sp - 8;
  struct nz_moment m;
  struct nz_site* site;
  if (!t || nz_fn_pop(t, cpu, sp)) return 0;
  number = nz_site_of(ctx);
  site = bpf_map_lookup_elem(&nz_sites, &number);
  if (!site) return 0;
  m.winding_down = site->winding_down;
  m.quiet_until = site->quiet_until;
  nz_look(&m, t->pid);
  nz_act(site, t, &m, cpu, sp);
  return 0;
}

/* The stage that began last of those that the thread is in, + 1; 0: none. For nz_stage_now(). */
__attribute__((noinline)) __u32 nz_innermost_stage(struct nz_thread* t) {
  __u64 latest = 0;
  __u32 stage = 0;
  if (!t) return 0;
  for (int i = 0; i < NZ_FN_DEPTH; i++) {
    if (i >= t->depth) break;
    if (t->fn[i].ts < latest) continue;
    latest = t->fn[i].ts;
    stage = t->fn[i].stage + 1;
  }
  if (!t->open_stages) return stage;
  for (int i = 0; i < NZ_OPEN_STAGES; i++) {
    if (!(t->open_stages >> i & 1) || t->open[i].ts < latest) continue;
    latest = t->open[i].ts;
    stage = t->open[i].stage + 1;
  }
  return stage;
}

/* What a thread had begun when it ends, or runs another program (its storage outlives an exec, the
 * stack that its frames stand for does not). For threads.bpf.c. */
__attribute__((noinline)) int nz_stages_abandoned(struct nz_thread* t) {
  if (t) nz_abandon_all(t, bpf_get_smp_processor_id(), false);
  return 0;
}

/* The duty cycle paused before the end of what the thread has open. */
__attribute__((noinline)) int nz_stages_cut(struct nz_thread* t) {
  if (t) nz_abandon_all(t, bpf_get_smp_processor_id(), true);
  return 0;
}
