/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* fork, exec, exit: keeps per-thread state honest (a reused pid inherits nothing), lets a target's
 * children be targets from their first instruction, and tells userspace. */
#include "nearzero/maps.h"
#include "nearzero/task_state.h"

static __always_inline void nz_tell(enum nz_event_kind kind, struct task_struct* task, __u32 parent,
                                    __u32 slot) {
  struct nz_event* e = bpf_ringbuf_reserve(&nz_events, sizeof(*e), 0);
  if (!e) {
    nz_drop(NZ_DROP_RING_FULL);
    return;
  }
  e->kind = kind;
  e->tgid = task->tgid;
  e->parent = parent;
  e->slot = slot;
  e->ts = bpf_ktime_get_ns();
  bpf_probe_read_kernel(e->comm, sizeof(e->comm), task->comm);
  bpf_ringbuf_submit(e, 0);
}

static __always_inline void nz_count_lifecycle(void) {
  struct nz_counters* c = nz_counters_of(bpf_get_smp_processor_id());
  if (c) NZ_ADD(c->lifecycle, 1);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(nz_fork, struct task_struct* parent, struct task_struct* child) {
  __u32 parent_tgid = parent->tgid, child_tgid = child->tgid, pid = child->pid;
  __u32 slot = nz_resolve_slot(parent_tgid);
  struct nz_task* t;
  nz_count_lifecycle();
  if (slot && child_tgid != parent_tgid && nz_control.follow_forks[NZ_SLOT(slot)]) {
    /* Before the child runs: none of its time is missed. */
    if (bpf_map_update_elem(&nz_targets, &child_tgid, &slot, BPF_ANY))
      nz_drop(NZ_DROP_TARGETS_FULL); /* not a target then: userspace is not told either */
    else
      nz_tell(NZ_EVENT_FORK, child, parent_tgid, slot);
  }
  t = nz_task_entry(pid);
  if (!t) return 0;
  if (t->pid == 0 || t->pid == pid) {
    nz_task_reset(t, pid, child_tgid);
    t->state = NZ_TASK_NEW;
    t->since = bpf_ktime_get_ns();
  }
  return 0;
}

/* A process that lives for a millisecond has ended before userspace can make it a member. */
static __always_inline __u32 nz_join_by_comm(struct task_struct* task, __u32 tgid) {
  __u64 comm[2] = {};
  __u32 slot = nz_control.exec_slot;
  struct nz_task* t;
  if (!slot) return 0;
  bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
  if (comm[0] != nz_control.exec_comm[0] || comm[1] != nz_control.exec_comm[1]) return 0;
  if (bpf_map_update_elem(&nz_targets, &tgid, &slot, BPF_ANY)) {
    nz_drop(NZ_DROP_TARGETS_FULL);
    return 0;
  }
  t = nz_task_entry(tgid);
  if (t && t->pid == tgid) {
    t->slot = slot;
    t->sys_ts = 0; /* its execve was entered as somebody else's */
  }
  return slot;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(nz_exec, struct task_struct* task, int old_pid) {
  __u32 tgid = task->tgid, slot = nz_resolve_slot(tgid);
  nz_count_lifecycle();
  if (!slot) slot = nz_join_by_comm(task, tgid);
  nz_tell(NZ_EVENT_EXEC, task, 0, slot);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(nz_exit, struct task_struct* task) {
  __u32 tgid = task->tgid, slot;
  nz_count_lifecycle();
  /* The state itself is cleared at the last switch (TASK_DEAD): time until then still counts. */
  slot = nz_resolve_slot(tgid);
  if (slot && BPF_CORE_READ(task, signal, live.counter) == 0) {
    nz_tell(NZ_EVENT_EXIT, task, 0, slot);
    bpf_map_delete_elem(&nz_targets, &tgid);
  }
  return 0;
}
