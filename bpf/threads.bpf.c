/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The end of a probed thread: what it had begun is counted, not forgotten, and its entry in
 * nz_threads is given back. One program for all who keep something there, because the entry must
 * outlive the last of them. */
#include "nearzero/task_state.h"
#include "nearzero/thread.h"

int nz_stages_abandoned(struct nz_thread* t);
int nz_statements_abandoned(struct nz_thread* t);
int nz_stages_cut(struct nz_thread* t);
int nz_statements_cut(struct nz_thread* t);

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
  if (!t || !t->pid) return 0;
  nz_stages_abandoned(t);
  /* One that is still open would be counted here, and once more when it ends. */
  nz_statements_cut(t);
  nz_thread_release(t);
  return 0;
}

/* Run by userspace before it attaches anew: nobody saw which threads ended, and what the others
 * have begun, while nothing was attached. */
SEC("syscall")
int nz_forget_threads(void* ctx) {
  bpf_loop(NZ_THREADS, nz_forget_one, NULL, 0);
  return 0;
}

/* A thread of the target nz_control.cut_slot. Where another one has taken its place in nz_tasks,
 * nobody knows whose it is: rather an end too few than one that belongs to another start. */
static __always_inline struct nz_thread* nz_thread_to_cut(__u32 i) {
  struct nz_thread* t = bpf_map_lookup_elem(&nz_threads, &i);
  struct nz_task* task;
  if (!t || !t->pid) return NULL;
  task = nz_task_entry(t->pid);
  return !task || task->pid != t->pid || task->slot == nz_control.cut_slot ? t : NULL;
}

static long nz_cut_stages_of(__u32 i, void* unused) {
  struct nz_thread* t = nz_thread_to_cut(i);
  if (t) nz_stages_cut(t);
  return 0;
}

static long nz_cut_statements_of(__u32 i, void* unused) {
  struct nz_thread* t = nz_thread_to_cut(i);
  if (t) nz_statements_cut(t);
  return 0;
}

/* Run by userspace before it attaches again what the duty cycle let rest: what was open then has
 * ended unseen, or will end without a start. */
SEC("syscall")
int nz_cut_stages(void* ctx) {
  bpf_loop(NZ_THREADS, nz_cut_stages_of, NULL, 0);
  return 0;
}

SEC("syscall")
int nz_cut_statements(void* ctx) {
  bpf_loop(NZ_THREADS, nz_cut_statements_of, NULL, 0);
  return 0;
}
