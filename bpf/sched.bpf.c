/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* sched_switch, the one attach that serves run-queue latency, on-CPU slices, off-CPU time by reason
 * and the components of stages. No wakeup hook: the wait is read from sched_info, which the kernel
 * keeps anyway. Runs with interrupts off, so plain increments on this CPU's slots are exact. */
#include "nearzero/histogram.h"
#include "nearzero/maps.h"
#include "nearzero/offcpu_reason.h"
#include "nearzero/task_state.h"
#include "nearzero/trace.h"

#define NZ_TASK_DEAD 0x80
#define NZ_TASK_HALTED 0x800c /* stopped, traced, frozen (6.1, commit f5d39b020809) */
#define NZ_EPOCH_SHIFT 24     /* 2^24 ns = 16.8 ms */

/* rq->clock - ktime, as the maximum over this and the previous epoch: the run queue's clock is read
 * late after a wakeup preemption (4..16 us), so the freshest reading in a window is the true
 * offset. */
static __always_inline __s64 nz_clock_offset(struct nz_cpu* cpu, struct task_struct* task,
                                             __u64 now) {
  __s64 offset = (__s64)(task->se.cfs_rq->rq->clock - now);
  __u64 epoch = now >> NZ_EPOCH_SHIFT;
  if (cpu->epoch != epoch) {
    cpu->offset_before = cpu->epoch + 1 == epoch ? cpu->offset_now : offset;
    cpu->offset_now = offset;
    cpu->epoch = epoch;
  } else if (offset > cpu->offset_now) {
    cpu->offset_now = offset;
  }
  return cpu->offset_now > cpu->offset_before ? cpu->offset_now : cpu->offset_before;
}

/* For sched_switch alone: series `kind` of target `slot`, or of everybody else (0). The host as a
 * whole is their sum, made when it is read: one histogram is touched per event, not two. */
static __always_inline void nz_record_sched_here(__u32 cpu, __u32 slot, __u32 kind, __u64 ns) {
  struct nz_hist* h;
  if (!slot && !nz_config.host) return;
  h = nz_hist_of(cpu, slot * NZ_SCHED_SERIES + kind);
  if (h) nz_add_to(h, nz_cell_of(ns), ns, false);
}

__attribute__((noinline)) int nz_record_sched(__u32 cpu, __u32 slot, __u32 kind, __u64 ns) {
  nz_record_sched_here(cpu, slot, kind, ns);
  return 0;
}

/* `usual` is a constant: what is rare need not be fast, and the verifier has less to look at. */
static __always_inline void nz_record_arrival(bool usual, __u32 cpu, __u32 slot, __u32 kind,
                                              __u64 ns) {
  if (usual)
    nz_record_sched_here(cpu, slot, kind, ns);
  else
    nz_record_sched(cpu, slot, kind, ns);
}

/* One of the values of a thread's switch. `task`: the thread; `current`: it is the one that leaves.
 */
static __always_inline void nz_switch_value(bool usual, struct task_struct* task, bool current,
                                            struct nz_task* t, __u32 cpu, __u32 kind, __u64 ns) {
  if (!nz_trace.on) {
    nz_record_arrival(usual, cpu, t->slot, kind, ns);
    return;
  }
  if ((t->slot || nz_config.host) && nz_trace.sched_kinds >> (kind & 31) & 1) {
    __u64 number = kind >= NZ_OFFCPU ? t->off_nr : 0;
    if (kind == NZ_OFFCPU + NZ_LOCK) {
      struct nz_off_cpu* o = nz_off_cpu_of(t->pid);
      number = o && o->tid == t->pid ? o->address : 0;
    }
    nz_note_task(task, t->slot * NZ_SCHED_SERIES + kind, number, ns, current);
  }
}

/* The thread arrived on the CPU at `at` after waiting `wait` ns in the run queue (ignored when it
 * was preempted: then all of the time off the CPU was waiting). */
static __always_inline void nz_arrive(struct task_struct* task, bool current, struct nz_task* t,
                                      __u32 cpu, __u64 at, __s64 wait, bool usual) {
  __s64 off = (__s64)(at - t->since);
  if (off < 0) {
    nz_drop(NZ_DROP_NEGATIVE);
    off = 0;
  }
  if (t->state == NZ_TASK_PREEMPTED) {
    t->acc[NZ_RUNNABLE] += off;
    nz_switch_value(usual, task, current, t, cpu, NZ_RUNQ_PREEMPT, off);
  } else if (t->state == NZ_TASK_BLOCKED) {
    __u32 reason = t->reason & (NZ_REASONS - 1);
    if (wait < 0) wait = 0;
    if (wait > off) wait = off;
    t->acc[NZ_RUNNABLE] += wait;
    t->acc[NZ_BLOCKED + reason] += off - wait;
    nz_switch_value(usual, task, current, t, cpu, NZ_RUNQ_WAKEUP, wait);
    nz_switch_value(usual, task, current, t, cpu, NZ_OFFCPU + reason, off - wait);
    if (t->slot && t->off_nr < NZ_NR_SYSCALLS) {
      __u32 key = (cpu * NZ_SLOTS + t->slot) * NZ_NR_SYSCALLS + t->off_nr;
      struct nz_blocked_syscall* b = bpf_map_lookup_elem(&nz_blocked_in, &key);
      if (b) {
        b->count += 1;
        b->ns += off - wait;
      }
    }
  } else if (t->state == NZ_TASK_NEW) {
    /* A fresh thread: it has waited since its parent queued it. */
    if (wait < 0) wait = 0;
    t->acc[NZ_RUNNABLE] += wait;
    nz_switch_value(usual, task, current, t, cpu, NZ_RUNQ_WAKEUP, wait);
  } else if (!nz_trace.on || t->slot || nz_config.host) {
    nz_drop(NZ_DROP_OFF_BEFORE_ATTACH);
  }
  t->state = NZ_TASK_ON;
  t->since = at;
  t->seq += 1;
}

/* What can be taken only now, while the thread is still the current one. */
static __always_inline void nz_keep_off_cpu(struct task_struct* prev, struct nz_task* t) {
  struct nz_off_cpu* o = nz_off_cpu_of(t->pid);
  if (!o) return;
  o->tid = t->pid;
  o->address = 0;
  o->depth = 0;
  if (t->state == NZ_TASK_BLOCKED && t->reason == NZ_LOCK)
    o->address = ((struct pt_regs*)bpf_task_pt_regs(prev))->di;
  if (nz_trace.slower_ns && nz_trace.stacks)
    o->depth = nz_depth(bpf_get_task_stack(prev, o->stack, sizeof(o->stack), BPF_F_USER_STACK));
}

static __always_inline void nz_switch_out(struct task_struct* prev, struct nz_task* t,
                                          struct nz_counters* counts, __u32 cpu, bool expected,
                                          bool preempted, __u64 now, __s64 offset) {
  __u64 run_delay = prev->sched_info.run_delay;
  unsigned int task_state;
  __s64 ran;

  if (t->state != NZ_TASK_ON || !expected) {
    /* Its arrival was not seen (some switches never reach the program, and tasks run already at
     * attach). sched_info knows when it came, and how long it waited in all. */
    __u64 arrival = prev->sched_info.last_arrival - offset;
    counts->drops[NZ_DROP_MISSED_SWITCH] += 1;
    if (arrival > now) arrival = now;
    if (t->state == NZ_TASK_ON) {
      /* Seen last on a CPU: it left and came back unseen. What it did between is unknown. */
      if (arrival > t->since) {
        t->acc[NZ_BLOCKED + NZ_OTHER] += arrival - t->since; /* a stage's parts still add up */
        t->since = arrival;
        counts->drops[NZ_DROP_OFF_BEFORE_ATTACH] += 1;
      }
    } else {
      nz_arrive(prev, true, t, cpu, arrival, run_delay - t->run_delay, false);
    }
  }

  ran = (__s64)(now - t->since);
  if (ran < 0) {
    counts->drops[NZ_DROP_NEGATIVE] += 1;
    ran = 0;
  }
  t->acc[NZ_RUNNING] += ran;
  if (nz_trace.on)
    nz_switch_value(true, prev, true, t, cpu, NZ_ONCPU, ran);
  else
    nz_record_sched_here(cpu, t->slot, NZ_ONCPU, ran);

  task_state = bpf_core_field_exists(prev->__state)
                   ? prev->__state
                   : (unsigned int)((struct task_struct___before_5_14*)prev)->state;
  if (task_state & NZ_TASK_DEAD) {
    t->pid = 0;
    return;
  }
  t->since = now;
  t->run_delay = run_delay;
  t->seq += 1;
  if (preempted || task_state == 0) {
    t->state = NZ_TASK_PREEMPTED;
  } else {
    t->state = NZ_TASK_BLOCKED;
    if (task_state & NZ_TASK_HALTED) {
      /* By a signal or a debugger, wherever it was: its registers do not say why. */
      t->reason = NZ_OTHER;
      t->off_nr = NZ_NR_SYSCALLS;
    } else {
      t->reason = nz_offcpu_reason(prev, &t->off_nr);
    }
  }
  if (nz_trace.on && (t->slot || nz_config.host)) nz_keep_off_cpu(prev, t);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(nz_sched_switch, bool preempt, struct task_struct* prev, struct task_struct* next) {
  __u32 cpu = bpf_get_smp_processor_id();
  __u64 now = bpf_ktime_get_ns();
  struct nz_cpu* c = bpf_map_lookup_elem(&nz_cpus, &cpu);
  struct nz_counters* counts = nz_counters_of(cpu);
  struct nz_task* t;
  __s64 offset;
  __u32 prev_slot = 0;
  __u32 pid;

  if (!c || !counts) return 0;
  counts->switches += 1;
  offset = nz_clock_offset(c, next, now);

  pid = prev->pid;
  if (pid) {
    t = nz_task_of(pid, prev->tgid);
    if (t) {
      prev_slot = t->slot;
      counts->slot_switches[NZ_SLOT(prev_slot)] += 1;
      nz_switch_out(prev, t, counts, cpu, c->last_next == pid, preempt, now, offset);
    }
  }

  pid = next->pid;
  c->last_next = pid;
  if (pid) {
    t = nz_task_of(pid, next->tgid);
    if (t) {
      __u64 queued = next->sched_info.last_queued;
      __s64 wait = next->sched_info.run_delay - t->run_delay;
      /* A migration books the wait so far into run_delay and restarts last_queued: add both. */
      if (queued) wait += (__s64)(now + offset - queued);
      if (t->slot != prev_slot) counts->slot_switches[NZ_SLOT(t->slot)] += 1;
      nz_arrive(next, false, t, cpu, now, wait, true);
    }
  }
  return 0;
}
