/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Stages of the order path: what happens when a thread comes to a probed address. */
#ifndef NEARZERO_STAGE_H
#define NEARZERO_STAGE_H

#include "nearzero/histogram.h"
#include "nearzero/task_state.h"
#include "nearzero/thread.h"

static __always_inline struct nz_stage_stats* nz_stage_of(__u32 cpu, __u32 stage) {
  __u32 key = cpu * nz_config.max_stages + stage;
  return bpf_map_lookup_elem(&nz_stages, &key);
}

/* Adds to `f` what the sums of `t` will grow by until `now`. Some switches never reach the
 * scheduler's program: then the thread runs though its state says otherwise (or another thread came
 * here last), and its arrival is taken from sched_info, in the same way as sched.bpf.c will at the
 * next switch. */
static __always_inline void nz_add_since(struct nz_frame* f, struct nz_task* t, __u32 pid,
                                         __u64 now) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u32 cpu = bpf_get_smp_processor_id();
  struct nz_cpu* c = bpf_map_lookup_elem(&nz_cpus, &cpu);
  __u64 since = t->since, arrival;
  __s64 off, wait;
  __u32 reason;
  if (!c || (t->state == NZ_TASK_ON && c->last_next == pid)) {
    f->acc[NZ_RUNNING] += now - since;
    return;
  }
  arrival = task->sched_info.last_arrival -
            (c->offset_now > c->offset_before ? c->offset_now : c->offset_before);
  if ((__s64)(arrival - since) < 0) arrival = since;
  if (arrival > now) arrival = now;
  off = arrival - since;
  f->acc[NZ_RUNNING] += now - arrival;
  switch (t->state) {
    case NZ_TASK_ON:
      f->acc[NZ_BLOCKED + NZ_OTHER] += off;
      break;
    case NZ_TASK_PREEMPTED:
      f->acc[NZ_RUNNABLE] += off;
      break;
    case NZ_TASK_BLOCKED:
      wait = task->sched_info.run_delay - t->run_delay;
      if (wait < 0) wait = 0;
      if (wait > off) wait = off;
      reason = t->reason & (NZ_REASONS - 1);
      f->acc[NZ_RUNNABLE] += wait;
      f->acc[NZ_BLOCKED + reason] += off - wait;
      break;
    case NZ_TASK_NEW:
      wait = task->sched_info.run_delay - t->run_delay;
      if (wait > 0) f->acc[NZ_RUNNABLE] += wait;
      break;
  }
}

/* Takes the time and the thread's sums at that very moment. A switch in between changes seq: retry.
 * Returns the time; f->has_components tells whether the sums hold. */
__attribute__((noinline)) __u64 nz_snapshot(struct nz_frame* f) {
  __u64 id = bpf_get_current_pid_tgid();
  struct nz_task* t = nz_task_of((__u32)id, id >> 32);
  __u64 now = 0;
  if (!f) return 0;
  f->has_components = 0;
  if (!t) return bpf_ktime_get_ns();
  for (int attempt = 0; attempt < 3; attempt++) {
    __u32 seq = *(volatile __u32*)&t->seq;
    now = bpf_ktime_get_ns();
    if (t->state == NZ_TASK_UNKNOWN) {
      /* It runs since before attach, and no switch has been seen: its sums start here. */
      t->since = now;
      t->state = NZ_TASK_ON;
    }
    for (int i = 0; i < NZ_COMPONENTS; i++) f->acc[i] = *(volatile __u64*)&t->acc[i];
    nz_add_since(f, t, (__u32)id, now);
    if (seq == *(volatile __u32*)&t->seq) {
      f->has_components = 1;
      f->seq = seq;
      break;
    }
  }
  return now;
}

static __always_inline void nz_stage_begin(struct nz_frame* f, struct nz_frame* snapshot, __u64 sp,
                                           __u32 stage) {
  __builtin_memcpy(f, snapshot, sizeof(*f));
  f->sp = sp;
  f->stage = stage;
}

/* Records `f`, ended at the snapshot `end`. Components are added only when they are the whole
 * duration, to the nanosecond, and none is more: another thread that shares the entry of nz_tasks
 * resets its sums, and an arrival that was rebuilt twice may have moved. Global, as nz_snapshot:
 * the verifier looks at it once. */
__attribute__((noinline)) int nz_stage_end(__u32 cpu, struct nz_frame* f, struct nz_frame* end) {
  struct nz_stage_stats* s;
  __u64 duration, total = 0;
  bool whole;
  if (!f || !end) return 0;
  s = nz_stage_of(cpu, f->stage);
  if (!s) return 0;
  duration = end->ts - f->ts;
  whole = f->has_components && end->has_components;
  if ((__s64)duration < 0) {
    nz_drop(NZ_DROP_NEGATIVE);
    duration = 0;
  }
  nz_record(cpu, nz_config.series_stage + f->stage, duration);
  NZ_ADD(s->completed, 1);
  if (whole && end->seq == f->seq && end->acc[NZ_RUNNING] - f->acc[NZ_RUNNING] == duration) {
    NZ_ADD(s->component_ns[NZ_RUNNING], duration); /* the common case: it ran all the time */
    return 0;
  }
  for (int i = 0; i < NZ_COMPONENTS; i++) {
    __u64 part = end->acc[i] - f->acc[i];
    total += part;
    if (part > duration) whole = false;
  }
  if (!whole || total != duration) {
    NZ_ADD(s->torn, 1);
    return 0;
  }
  for (int i = 0; i < NZ_COMPONENTS; i++) {
    __u64 part = end->acc[i] - f->acc[i];
    if (part) NZ_ADD(s->component_ns[i], part);
  }
  return 0;
}

/* Frames from `keep` on were left without passing their exit: exception, longjmp. */
static __always_inline void nz_drop_unwound(struct nz_thread* t, __u32 cpu, __u32 keep) {
  for (int i = 0; i < NZ_FN_DEPTH; i++) {
    struct nz_stage_stats* s;
    if (i >= t->depth) break;
    if (i < keep) continue;
    s = nz_stage_of(cpu, t->fn[i].stage);
    if (s) NZ_ADD(s->unwound, 1);
  }
  if (t->depth > keep) {
    t->depth = keep;
    t->lost = 0;
  }
}

static __always_inline void nz_fn_entry(struct nz_thread* t, __u32 cpu, __u32 stage, __u64 sp,
                                        struct nz_frame* snapshot) {
  struct nz_stage_stats* s = nz_stage_of(cpu, stage);
  __u32 keep;
  /* Frames below the stack pointer are gone. One at the same stack pointer is gone if it is of this
   * stage (its caller calls it again); of another, it has ended in a tail call of this function,
   * and its return probe will tell when both return. */
  for (keep = 0; keep < NZ_FN_DEPTH; keep++) {
    if (keep >= t->depth) break;
    if (t->fn[keep].sp < sp || (t->fn[keep].sp == sp && t->fn[keep].stage == stage)) break;
  }
  nz_drop_unwound(t, cpu, keep);
  if (!s) return;
  NZ_ADD(s->started, 1);
  if (keep >= NZ_FN_DEPTH) {
    NZ_ADD(s->too_deep, 1);
    t->lost += 1;
    return;
  }
  nz_stage_begin(&t->fn[keep & (NZ_FN_DEPTH - 1)], snapshot, sp, stage);
  t->depth = keep + 1;
}

static __always_inline void nz_fn_exit(struct nz_thread* t, __u32 cpu, __u32 stage, __u64 sp,
                                       struct nz_frame* snapshot) {
  struct nz_stage_stats* s;
  __u32 keep, mine = NZ_FN_DEPTH;
  for (keep = 0; keep < NZ_FN_DEPTH; keep++) {
    struct nz_frame* f = &t->fn[keep];
    if (keep >= t->depth || f->sp < sp) break;
    if (f->sp == sp && f->stage == stage) mine = keep;
  }
  if (mine < NZ_FN_DEPTH) {
    nz_drop_unwound(t, cpu, mine + 1);
    nz_stage_end(cpu, &t->fn[mine & (NZ_FN_DEPTH - 1)], snapshot);
    t->depth = mine;
    t->lost = 0;
    return;
  }
  nz_drop_unwound(t, cpu, keep);
  if (t->lost) {
    t->lost -= 1; /* counted as too deep when it began */
    return;
  }
  s = nz_stage_of(cpu, stage);
  if (s) NZ_ADD(s->unmatched, 1);
}

static __always_inline void nz_from(struct nz_thread* t, __u32 cpu, const struct nz_action* a,
                                    __u64 sp, struct nz_frame* snapshot) {
  struct nz_frame* f = &t->open[a->index & (NZ_OPEN_STAGES - 1)];
  struct nz_stage_stats* s = nz_stage_of(cpu, a->stage);
  if (!s) return;
  NZ_ADD(s->started, 1);
  if (f->sp) {
    /* Usually this stage; another one if a reload gave its place away. */
    struct nz_stage_stats* left = nz_stage_of(cpu, f->stage);
    if (left) NZ_ADD(left->restarted, 1);
  }
  nz_stage_begin(f, snapshot, sp, a->stage);
}

static __always_inline void nz_to(struct nz_thread* t, __u32 cpu, const struct nz_action* a,
                                  struct nz_frame* snapshot) {
  struct nz_frame* f = &t->open[a->index & (NZ_OPEN_STAGES - 1)];
  struct nz_stage_stats* s;
  if (f->sp && f->stage == a->stage) {
    nz_stage_end(cpu, f, snapshot);
    f->sp = 0;
    return;
  }
  s = nz_stage_of(cpu, a->stage);
  if (s) NZ_ADD(s->unmatched, 1);
}

/* The thread will not come back to what it has open: it ends, or runs another program now. */
static __always_inline void nz_abandon_all(struct nz_thread* t, __u32 cpu) {
  struct nz_stage_stats* s;
  for (int i = 0; i < NZ_FN_DEPTH; i++) {
    if (i >= t->depth) break;
    s = nz_stage_of(cpu, t->fn[i].stage);
    if (s) NZ_ADD(s->died, 1);
  }
  for (int i = 0; i < NZ_OPEN_STAGES; i++) {
    if (!t->open[i].sp) continue;
    s = nz_stage_of(cpu, t->open[i].stage);
    if (s) NZ_ADD(s->died, 1);
    t->open[i].sp = 0;
  }
  t->depth = 0;
  t->lost = 0;
}

#endif
