/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracing: values by key, and single slow events. Dead code where nz_trace.on is not set. */
#ifndef NEARZERO_TRACE_H
#define NEARZERO_TRACE_H

#include "nearzero/histogram.h"
#include "nearzero/maps.h"

/* One value and whose it is. */
struct nz_noted {
  __u32 series;
  __u32 tid, tgid;
  __u32 pad;
  __u64 number;
  __u64 ns;
  char comm[16];
};

/* Into the histogram of its key. A global function, see histogram.h. */
int nz_note(struct nz_noted* n);

static __always_inline struct nz_off_cpu* nz_off_cpu_of(__u32 tid) {
  __u32 key = tid & nz_config.task_mask;
  return bpf_map_lookup_elem(&nz_off_cpus, &key);
}

/* Bytes of a stack to entries; errors are none. */
static __always_inline __u32 nz_depth(long bytes) {
  return bytes > 0 ? (__u32)bytes / sizeof(__u64) : 0;
}

/* Tells userspace of one event. `task` is the thread's; when it is not the current one (it arrives
 * on the CPU), its own program's stack was taken when it left. NULL: no
 * stacks. */
static __always_inline void nz_tell_slow(struct task_struct* task, struct nz_noted* n,
                                         bool current) {
  struct nz_slow_event* e = bpf_ringbuf_reserve(&nz_events, sizeof(*e), 0);
  if (!e) {
    nz_drop(NZ_DROP_RING_FULL);
    return;
  }
  e->head.kind = NZ_EVENT_SLOW;
  e->head.tgid = n->tgid;
  e->head.parent = 0;
  e->head.slot = 0;
  e->head.ts = bpf_ktime_get_ns();
  __builtin_memcpy(e->head.comm, n->comm, sizeof(e->head.comm));
  e->series = n->series;
  e->tid = n->tid;
  e->number = n->number;
  e->ns = n->ns;
  e->kernel_depth = 0;
  e->user_depth = 0;
  if (nz_trace.stacks && task) {
    e->kernel_depth = nz_depth(bpf_get_task_stack(task, e->kernel, sizeof(e->kernel), 0));
    if (current) {
      e->user_depth =
          nz_depth(bpf_get_task_stack(task, e->user, sizeof(e->user), BPF_F_USER_STACK));
    } else {
      struct nz_off_cpu* o = nz_off_cpu_of(n->tid);
      if (o && o->tid == n->tid) {
        e->user_depth = o->depth;
        bpf_probe_read_kernel(e->user, sizeof(e->user), o->stack);
      }
    }
  }
  bpf_ringbuf_submit(e, 0);
}

/* A value of a thread that is about to run, or is leaving: for sched_switch. */
static __always_inline void nz_note_task(struct task_struct* task, __u32 series, __u64 number,
                                         __u64 ns, bool current) {
  struct nz_noted n = {.series = series, .number = number, .ns = ns};
  n.tid = task->pid;
  n.tgid = task->tgid;
  bpf_probe_read_kernel(n.comm, sizeof(n.comm), task->comm);
  nz_note(&n);
  if (nz_trace.slower_ns && ns >= nz_trace.slower_ns) nz_tell_slow(task, &n, current);
}

#endif
