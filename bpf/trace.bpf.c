/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracing: what all traced programs share. */
#include "nearzero/trace.h"

/* Too large for the stack of a program. */
NZ_OWN_ARRAY(nz_no_hist, struct nz_hist, 1);

__attribute__((noinline)) int nz_note(struct nz_noted* n) {
  struct nz_key key = {};
  struct nz_hist* h;
  if (!n) return 0;
  key.series = n->series;
  key.epoch = nz_control.epoch;
  key.cpu = bpf_get_smp_processor_id();
  /* Of system calls always: userspace adds the rows up and tells the errors apart. */
  if (nz_trace.by & NZ_BY_NUMBER ||
      (n->series >= nz_config.series_syscall && n->series < NZ_TRACE_BLOCK))
    key.number = n->number;
  if (nz_trace.by & NZ_BY_PID) key.id = n->tgid;
  if (nz_trace.by & NZ_BY_TID) key.id = n->tid;
  if (nz_trace.by & NZ_BY_COMM) __builtin_memcpy(key.comm, n->comm, sizeof(key.comm));
  h = bpf_map_lookup_elem(&nz_keyed, &key);
  if (!h) {
    __u32 first = 0;
    struct nz_hist* none = bpf_map_lookup_elem(&nz_no_hist, &first);
    if (!none) return 0;
    bpf_map_update_elem(&nz_keyed, &key, none, BPF_NOEXIST);
    h = bpf_map_lookup_elem(&nz_keyed, &key);
    if (!h) {
      nz_drop(NZ_DROP_KEYS_FULL);
      return 0;
    }
  }
  nz_add_to(h, nz_cell_of(n->ns), n->ns, true);
  return 0;
}

__attribute__((noinline)) int nz_note_current(__u32 series, __u64 number, __u64 ns) {
  __u64 id = bpf_get_current_pid_tgid();
  struct nz_noted n = {.series = series, .number = number, .ns = ns};
  n.tid = (__u32)id;
  n.tgid = id >> 32;
  bpf_get_current_comm(n.comm, sizeof(n.comm));
  nz_note(&n);
  if (nz_trace.slower_ns && ns >= nz_trace.slower_ns)
    nz_tell_slow(bpf_get_current_task_btf(), &n, true);
  return 0;
}
