/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracing of disk I/O, by device and operation: how long a request stood in the I/O scheduler's
 * queue, where it has one, and from the moment it went to the device until it was complete. Whose
 * it is: who put it into the queue, or else sent it, which for buffered writes is the kernel's
 * writeback. */
#include "nearzero/block_request.h"
#include "nearzero/task_state.h"
#include "nearzero/trace.h"

struct nz_io {
  __u64 queued; /* put into the queue, or sent in vain: the device was busy; 0: neither */
  __u64 sent;   /* to the device, the last time */
  struct nz_noted noted;
};
struct nz_ios_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64); /* the request's address */
  __type(value, struct nz_io);
};
struct nz_ios_map nz_ios SEC(".maps");

/* The current thread's request from now on, if it is a target's. */
static __always_inline void nz_io_begins(struct request* rq, __u64 queued, __u64 sent) {
  __u64 key = (__u64)rq, id = bpf_get_current_pid_tgid();
  struct nz_io io = {.queued = queued, .sent = sent};
  if (!nz_resolve_slot(id >> 32)) return;
  io.noted.series = NZ_TRACE_BLOCK + nz_block_op(rq->cmd_flags);
  io.noted.tid = (__u32)id;
  io.noted.tgid = id >> 32;
  io.noted.number = nz_block_number(rq);
  bpf_get_current_comm(io.noted.comm, sizeof(io.noted.comm));
  if (bpf_map_update_elem(&nz_ios, &key, &io, BPF_ANY)) nz_drop(NZ_DROP_CALLS_FULL);
}

static __always_inline void nz_note_io(struct nz_noted* n) {
  nz_note(n);
  /* Whoever is interrupted by the completion has nothing to do with it: no stacks. */
  if (nz_trace.slower_ns && n->ns >= nz_trace.slower_ns) nz_tell_slow(NULL, n, false);
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(nz_trace_block_insert, struct request* rq) {
  __u64 key = (__u64)rq;
  struct nz_io* io = bpf_map_lookup_elem(&nz_ios, &key);
  if (!io || !io->sent) nz_io_begins(rq, bpf_ktime_get_ns(), 0);
  return 0;
}

/* It has gone into another request, and will not be completed. */
SEC("tp_btf/block_rq_merge")
int BPF_PROG(nz_trace_block_merge, struct request* rq) {
  __u64 key = (__u64)rq;
  bpf_map_delete_elem(&nz_ios, &key);
  return 0;
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(nz_trace_block_issue, struct request* rq) {
  __u64 key = (__u64)rq, now = bpf_ktime_get_ns();
  struct nz_io* io = bpf_map_lookup_elem(&nz_ios, &key);
  if (!io) {
    nz_io_begins(rq, 0, now);
    return 0;
  }
  if (!io->queued) io->queued = io->sent; /* again: it came back, the device was busy */
  io->sent = now;
  return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(nz_trace_block_complete, struct request* rq) {
  __u64 key = (__u64)rq, now = bpf_ktime_get_ns();
  struct nz_io* io = bpf_map_lookup_elem(&nz_ios, &key);
  struct nz_noted n;
  __u64 queued, sent;
  if (!io) return 0; /* sent before attach, or not a target's */
  n = io->noted;
  queued = io->queued;
  sent = io->sent;
  bpf_map_delete_elem(&nz_ios, &key);
  if (!sent) return 0; /* it never came to the device */
  n.ns = now - sent;
  nz_note_io(&n);
  if (!queued) return 0;
  n.series += NZ_BLOCK_QUEUED;
  n.ns = sent - queued;
  nz_note_io(&n);
  return 0;
}
