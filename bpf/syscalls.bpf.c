/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Syscall latency and errors of targets. Attached only while a target asks, because the kernel then
 * takes the slow path of every syscall of every process; the early return below is all that others
 * pay besides, and it is counted. */
#include "nearzero/histogram.h"
#include "nearzero/maps.h"
#include "nearzero/task_state.h"

/* uretprobe() and uprobe() (6.11, 6.18): the kernel's own way into a probe, called by no program.
 * They would stand among the target's calls, and cost it a recording at each return that is probed.
 */
static __always_inline bool nz_is_probe_call(long nr) { return nr == 335 || nr == 336; }

/* Series of (slot, nr), assigned at first use; 0 is "other" of every target together. */
static __always_inline __u32 nz_syscall_series_of(__u32 slot, __u32 nr) {
  __u32 key = slot * NZ_NR_SYSCALLS + nr;
  __u64* cell = bpf_map_lookup_elem(&nz_syscall_series, &key);
  __u32 fresh;
  if (!cell) return 0;
  if (*cell) return *cell - 1;
  if (nz_control.next_syscall_series < nz_config.max_syscalls) {
    fresh = NZ_ADD(nz_control.next_syscall_series, 1);
    if (fresh < nz_config.max_syscalls) {
      __u64 before = __sync_val_compare_and_swap(cell, 0, fresh + 1);
      return before ? before - 1 : fresh;
    }
  }
  nz_drop(NZ_DROP_SYSCALL_OTHER);
  return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(nz_sys_enter, struct pt_regs* regs, long nr) {
  __u64 id = bpf_get_current_pid_tgid();
  struct nz_task* t = nz_task_entry((__u32)id);
  __u32 wants;
  if (!t) return 0;
  if (t->pid != (__u32)id || t->generation != (__u16)nz_control.generation) {
    t = nz_task_of((__u32)id, id >> 32);
    if (!t) return 0;
  }
  wants = nz_control.wants_syscalls[NZ_SLOT(t->slot)];
  if (!t->slot || (wants != NZ_WANTS_ALL && wants != NZ_WANTS_AGAIN)) {
    struct nz_counters* c = nz_counters_of(bpf_get_smp_processor_id());
    if (c) NZ_ADD(c->syscalls_other, 1);
    return 0;
  }
  if (nz_is_probe_call(nr)) {
    t->sys_nr = nr;
    t->sys_ts = 0;
    return 0;
  }
  t->sys_nr = nr < 0 || nr >= NZ_NR_SYSCALLS ? NZ_NR_SYSCALLS - 1 : nr;
  t->sys_ts = bpf_ktime_get_ns();
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(nz_sys_exit, struct pt_regs* regs, long ret) {
  __u32 pid = (__u32)bpf_get_current_pid_tgid();
  struct nz_task* t = nz_task_entry(pid);
  __u32 cpu, series, key, wants;
  __u64 entered, now;
  if (!t || !t->slot || t->pid != pid) return 0;
  /* Cleared in any case: a target that stops asking in the middle of a syscall and asks again must
   * not find this start under a later one. */
  entered = t->sys_ts;
  if (!entered && nz_is_probe_call(t->sys_nr)) {
    t->sys_nr = 0;
    return 0;
  }
  t->sys_ts = 0;
  wants = nz_control.wants_syscalls[NZ_SLOT(t->slot)];
  if (!wants || (!entered && wants == NZ_WANTS_ENDS)) return 0;
  now = bpf_ktime_get_ns();
  if (entered <= nz_control.syscalls_since) {
    if (wants != NZ_WANTS_AGAIN) nz_drop(NZ_DROP_SYSCALL_NO_ENTER);
    return 0;
  }
  cpu = bpf_get_smp_processor_id();
  series = nz_syscall_series_of(t->slot, t->sys_nr & (NZ_NR_SYSCALLS - 1));
  if (nz_trace.on) {
    __u64 error = ret < 0 && ret > -NZ_NR_ERRNO ? -ret : 0;
    nz_note_current(nz_config.series_syscall + series, error, now - entered);
    return 0;
  }
  nz_record(cpu, nz_config.series_syscall + series, now - entered);
  if (ret < 0 && ret > -NZ_NR_ERRNO) {
    struct nz_errnos* errors;
    __u32 number = -ret;
    barrier_var(number); /* else clang subtracts `ret` from the address, which the verifier loses */
    key = cpu * nz_config.max_syscalls + series;
    errors = bpf_map_lookup_elem(&nz_syscall_errors, &key);
    if (errors) NZ_ADD(errors->count[number & (NZ_NR_ERRNO - 1)], 1);
  }
  return 0;
}
