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

/* When a hit came, and what was known of its thread at that very moment. One for all that the hit
 * stands for. */
struct nz_moment {
  __u64 ts;
  __u32 pid;
  __u32 seq;          /* nz_task.seq */
  __u32 known;        /* no switch came while it was taken */
  __u32 plain;        /* it runs since nz_task.since, as its state says */
  __u32 winding_down; /* as in nz_site, this one and the next */
  __u64 quiet_until;
};

/* Whether the thread runs as its state says. Some switches never reach the scheduler's program:
 * then it runs though its state says otherwise, or another thread came here last. */
static __always_inline bool nz_is_plain(struct nz_task* t, __u32 pid) {
  __u32 cpu = bpf_get_smp_processor_id();
  struct nz_cpu* c = bpf_map_lookup_elem(&nz_cpus, &cpu);
  return !c || (t->state == NZ_TASK_ON && c->last_next == pid);
}

/* Adds to `acc` what the sums of `t` will grow by until `now`, where nz_is_plain() does not hold:
 * the arrival is taken from sched_info, in the same way as sched.bpf.c will at the next switch. */
static __always_inline void nz_add_since(__u64* acc, struct nz_task* t, __u64 now) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u32 cpu = bpf_get_smp_processor_id();
  struct nz_cpu* c = bpf_map_lookup_elem(&nz_cpus, &cpu);
  __u64 since = t->since, arrival;
  __s64 off, wait;
  __u32 reason;
  if (!c) return;
  arrival = task->sched_info.last_arrival -
            (c->offset_now > c->offset_before ? c->offset_now : c->offset_before);
  if ((__s64)(arrival - since) < 0) arrival = since;
  if (arrival > now) arrival = now;
  off = arrival - since;
  acc[NZ_RUNNING] += now - arrival;
  switch (t->state) {
    case NZ_TASK_ON:
      acc[NZ_BLOCKED + NZ_OTHER] += off;
      break;
    case NZ_TASK_PREEMPTED:
      acc[NZ_RUNNABLE] += off;
      break;
    case NZ_TASK_BLOCKED:
      wait = task->sched_info.run_delay - t->run_delay;
      if (wait < 0) wait = 0;
      if (wait > off) wait = off;
      reason = t->reason & (NZ_REASONS - 1);
      acc[NZ_RUNNABLE] += wait;
      acc[NZ_BLOCKED + reason] += off - wait;
      break;
    case NZ_TASK_NEW:
      wait = task->sched_info.run_delay - t->run_delay;
      if (wait > 0) acc[NZ_RUNNABLE] += wait;
      break;
  }
}

/* nz_look() where the scheduler does not know the thread yet, or a switch came in between. Global,
 * as all slow paths below: the verifier looks at each once, not for every way that leads there. */
__attribute__((noinline)) int nz_look_again(struct nz_moment* m) {
  __u64 id = bpf_get_current_pid_tgid();
  struct nz_task* t = nz_task_of((__u32)id, id >> 32);
  if (!m) return 0;
  m->known = 0;
  m->ts = bpf_ktime_get_ns();
  if (!t) return 0;
  for (int attempt = 0; attempt < 3; attempt++) {
    __u32 seq = *(volatile __u32*)&t->seq;
    m->ts = bpf_ktime_get_ns();
    if (t->state == NZ_TASK_UNKNOWN) {
      /* It runs since before attach, and no switch has been seen: its sums start here. */
      t->since = m->ts;
      t->state = NZ_TASK_ON;
    }
    m->plain = nz_is_plain(t, m->pid);
    m->seq = seq;
    if (seq == *(volatile __u32*)&t->seq) {
      m->known = 1;
      break;
    }
  }
  return 0;
}

/* Whether the thread has run ever since `ts`: it came to its CPU before. Holds where it runs as its
 * state says. */
static __always_inline bool nz_ran_since(struct nz_task* t, __u32 pid, __u64 ts) {
  return t->pid == pid && (__s64)(*(volatile __u64*)&t->since - ts) <= 0;
}

/* Takes the moment. */
static __always_inline void nz_look(struct nz_moment* m, __u32 pid) {
  struct nz_task* t = nz_task_entry(pid);
  m->pid = pid;
  if (t && t->pid == pid && t->state != NZ_TASK_UNKNOWN) {
    m->seq = *(volatile __u32*)&t->seq;
    m->ts = bpf_ktime_get_ns();
    m->plain = nz_is_plain(t, pid);
    m->known = 1;
    if (m->seq == *(volatile __u32*)&t->seq) return;
  }
  nz_look_again(m);
}

/* The thread's sums at the moment `m`; false if they have moved on since. */
static __always_inline bool nz_sums_at(__u64* acc, struct nz_moment* m) {
  struct nz_task* t = nz_task_entry(m->pid);
  if (!t || !m->known) return false;
#pragma unroll
  for (int i = 0; i < NZ_COMPONENTS; i++) acc[i] = t->acc[i];
  if (m->plain)
    acc[NZ_RUNNING] += m->ts - t->since;
  else
    nz_add_since(acc, t, m->ts);
  return *(volatile __u32*)&t->seq == m->seq && t->pid == m->pid;
}

static __always_inline void nz_stage_begin(struct nz_frame* f, struct nz_moment* m, __u64 sp,
                                           __u32 stage) {
  f->sp = sp;
  f->ts = m->ts;
  f->stage = stage;
  f->generation = nz_control.site_generation;
  f->known = nz_sums_at(f->acc, m);
}

/* The rare case of a stage's end: its thread was switched in between. Components are added only
 * when they are the whole duration, to the nanosecond, and none is more: another thread that shares
 * the entry of nz_tasks resets its sums, and an arrival that was rebuilt twice may have moved.
 * NZ_RUNNING is not added: it is what the others leave of the stage's sum. */
__attribute__((noinline)) int nz_add_components(struct nz_stage_stats* s, struct nz_frame* f,
                                                struct nz_moment* m) {
  __u64 acc[NZ_COMPONENTS], total = 0, duration;
  bool whole;
  if (!s || !f || !m) return 0;
  duration = m->ts - f->ts;
  if ((__s64)duration < 0) duration = 0; /* counted by nz_stage_end() */
  whole = nz_sums_at(acc, m) && f->known;
  for (int i = 0; whole && i < NZ_COMPONENTS; i++) {
    acc[i] -= f->acc[i];
    total += acc[i];
    if (acc[i] > duration) whole = false;
  }
  if (!whole || total != duration) {
    NZ_ADD(s->torn, 1);
    NZ_ADD(s->torn_ns, duration);
    return 0;
  }
  for (int i = NZ_RUNNING + 1; i < NZ_COMPONENTS; i++) {
    if (acc[i]) NZ_ADD(s->component_ns[i], acc[i]);
  }
  return 0;
}

/* Records `f`, ended at `m`. */
__attribute__((noinline)) int nz_stage_end(__u32 cpu, struct nz_frame* f, struct nz_moment* m) {
  struct nz_task* t;
  __u64 duration;
  if (!f || !m) return 0;
  t = nz_task_entry(m->pid);
  duration = m->ts - f->ts;
  if ((__s64)duration < 0) {
    nz_drop(NZ_DROP_NEGATIVE);
    duration = 0;
  }
  /* Before the sum, which userspace reads first: running, what these leave of it, is then never too
   * much. */
  if (!t || !m->known || !m->plain || !nz_ran_since(t, m->pid, f->ts))
    nz_add_components(nz_stage_of(cpu, f->stage), f, m);
  nz_record_here(cpu, nz_config.series_stage + f->stage, duration);
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
                                        struct nz_moment* m) {
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
  if (!s || m->winding_down) return;
  NZ_ADD(s->started, 1);
  if (keep >= NZ_FN_DEPTH) {
    NZ_ADD(s->too_deep, 1);
    t->lost += 1;
    return;
  }
  nz_stage_begin(&t->fn[keep & (NZ_FN_DEPTH - 1)], m, sp, stage);
  t->depth = keep + 1;
}

static __always_inline void nz_unmatched(__u32 cpu, __u32 stage, struct nz_moment* m) {
  struct nz_stage_stats* s = nz_stage_of(cpu, stage);
  if (s && !m->winding_down && m->ts >= m->quiet_until) NZ_ADD(s->unmatched, 1);
}

static __always_inline void nz_fn_exit(struct nz_thread* t, __u32 cpu, __u32 stage, __u64 sp,
                                       struct nz_moment* m) {
  __u32 keep, mine = NZ_FN_DEPTH;
  for (keep = 0; keep < NZ_FN_DEPTH; keep++) {
    struct nz_frame* f = &t->fn[keep];
    if (keep >= t->depth || f->sp < sp) break;
    if (f->sp == sp && f->stage == stage) mine = keep;
  }
  if (mine < NZ_FN_DEPTH) {
    nz_drop_unwound(t, cpu, mine + 1);
    nz_stage_end(cpu, &t->fn[mine & (NZ_FN_DEPTH - 1)], m);
    t->depth = mine;
    t->lost = 0;
    return;
  }
  nz_drop_unwound(t, cpu, keep);
  if (t->lost) {
    t->lost -= 1; /* counted as too deep when it began */
    return;
  }
  nz_unmatched(cpu, stage, m);
}

/* nz_look() and nz_fn_entry() where nothing was left behind and there is room, which is the common
 * case; else false, and nothing is done. */
static __always_inline bool nz_fn_push(struct nz_thread* t, __u32 cpu, __u32 stage, __u64 sp) {
  __u32 depth = t->depth, seq;
  struct nz_stage_stats* s;
  struct nz_task* task;
  struct nz_frame* f;
  if (depth >= NZ_FN_DEPTH) return false;
  if (depth && t->fn[(depth - 1) & (NZ_FN_DEPTH - 1)].sp <= sp) return false;
  s = nz_stage_of(cpu, stage);
  task = nz_task_entry(t->pid);
  if (!s || !task) return false;
  seq = *(volatile __u32*)&task->seq;
  if (task->pid != t->pid || !nz_is_plain(task, t->pid)) return false;
  f = &t->fn[depth & (NZ_FN_DEPTH - 1)];
#pragma unroll
  for (int i = 0; i < NZ_COMPONENTS; i++) f->acc[i] = task->acc[i];
  f->ts = bpf_ktime_get_ns();
  f->acc[NZ_RUNNING] += f->ts - task->since;
  if (*(volatile __u32*)&task->seq != seq) return false;
  f->sp = sp;
  f->stage = stage;
  f->generation = nz_control.site_generation;
  f->known = 1;
  t->depth = depth + 1;
  NZ_ADD(s->started, 1);
  return true;
}

/* nz_look() and nz_fn_exit() where the innermost frame is the one, no other has its stack pointer,
 * and the thread was not switched in between; else false, and nothing is done. */
static __always_inline bool nz_fn_pop(struct nz_thread* t, __u32 cpu, __u64 sp) {
  __u32 depth = t->depth;
  struct nz_task* task;
  struct nz_frame* f;
  __u64 now;
  if (!depth || t->lost) return false;
  f = &t->fn[(depth - 1) & (NZ_FN_DEPTH - 1)];
  /* Where sites have changed since, only the cookie tells whose return this is. */
  if (f->sp != sp || f->generation != nz_control.site_generation) return false;
  if (depth > 1 && t->fn[(depth - 2) & (NZ_FN_DEPTH - 1)].sp == sp) return false;
  task = nz_task_entry(t->pid);
  now = bpf_ktime_get_ns();
  if (!task || !f->known || !nz_is_plain(task, t->pid) || !nz_ran_since(task, t->pid, f->ts))
    return false;
  nz_record_here(cpu, nz_config.series_stage + f->stage, now - f->ts);
  t->depth = depth - 1;
  return true;
}

static __always_inline void nz_from(struct nz_thread* t, __u32 cpu, const struct nz_action* a,
                                    __u64 sp, struct nz_moment* m) {
  __u32 index = a->index & (NZ_OPEN_STAGES - 1);
  struct nz_frame* f = &t->open[index];
  struct nz_stage_stats* s = nz_stage_of(cpu, a->stage);
  if (!s) return;
  if (f->sp) {
    /* Usually this stage; another one if a reload gave its place away. */
    struct nz_stage_stats* left = nz_stage_of(cpu, f->stage);
    if (left) NZ_ADD(left->restarted, 1);
    f->sp = 0;
    t->open_stages &= ~(1U << index);
  }
  if (m->winding_down) return;
  NZ_ADD(s->started, 1);
  nz_stage_begin(f, m, sp, a->stage);
  t->open_stages |= 1U << index;
}

static __always_inline void nz_to(struct nz_thread* t, __u32 cpu, const struct nz_action* a,
                                  struct nz_moment* m) {
  __u32 index = a->index & (NZ_OPEN_STAGES - 1);
  struct nz_frame* f = &t->open[index];
  if (f->sp && f->stage == a->stage) {
    nz_stage_end(cpu, f, m);
    f->sp = 0;
    t->open_stages &= ~(1U << index);
    return;
  }
  nz_unmatched(cpu, a->stage, m);
}

static __always_inline void nz_abandon(__u32 cpu, __u32 stage, bool cut) {
  struct nz_stage_stats* s = nz_stage_of(cpu, stage);
  if (!s) return;
  if (cut)
    NZ_ADD(s->cut, 1);
  else
    NZ_ADD(s->died, 1);
}

/* What the thread has open will not be seen to end: it ends itself or runs another program now, or
 * (`cut`) its probes rest. */
static __always_inline void nz_abandon_all(struct nz_thread* t, __u32 cpu, bool cut) {
  for (int i = 0; i < NZ_FN_DEPTH; i++) {
    if (i >= t->depth) break;
    nz_abandon(cpu, t->fn[i].stage, cut);
  }
  for (int i = 0; i < NZ_OPEN_STAGES; i++) {
    if (!t->open[i].sp) continue;
    nz_abandon(cpu, t->open[i].stage, cut);
    t->open[i].sp = 0;
  }
  t->depth = 0;
  t->lost = 0;
  t->open_stages = 0;
}

#endif
