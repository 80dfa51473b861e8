/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The end of a probed thread: what it had begun is counted, not forgotten, and its entry in
 * nz_threads is given back. One program for all who keep something there, because the entry must
 * outlive the last of them. */
#include "nearzero/thread.h"

int nz_stages_abandoned(struct nz_thread* t);
int nz_statements_abandoned(struct nz_thread* t);

static __always_inline void nz_thread_end(struct nz_thread* t) {
  nz_stages_abandoned(t);
  nz_statements_abandoned(t);
  nz_thread_release(t);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(nz_thread_exit, struct task_struct* task) {
  struct nz_thread* t = nz_thread_of_task(task);
  if (t) nz_thread_end(t);
  return 0;
}

/* Its kernel stack stays, its user stack does not; and the thread that calls exec takes the pid of
 * the process. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(nz_thread_exec, struct task_struct* task, int old_pid) {
  struct nz_thread* t = nz_thread_of_task(task);
  if (!t) return 0;
  nz_stages_abandoned(t);
  nz_statements_abandoned(t);
  nz_thread_clear(t);
  t->pid = task->pid;
  return 0;
}

/* A new thread on the stack of one whose end was not seen inherits nothing. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(nz_thread_fork, struct task_struct* parent, struct task_struct* child) {
  struct nz_thread* t = nz_thread_of_task(child);
  if (t) nz_thread_end(t);
  return 0;
}

static long nz_forget_one(__u32 i, void* unused) {
  struct nz_thread* t = bpf_map_lookup_elem(&nz_threads, &i);
  if (t && t->pid) nz_thread_end(t);
  return 0;
}

/* Run by userspace before it attaches anew: nobody saw which threads ended, and what the others
 * have begun, while nothing was attached. */
SEC("syscall")
int nz_forget_threads(void* ctx) {
  bpf_loop(NZ_THREADS, nz_forget_one, NULL, 0);
  return 0;
}
