/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Disk I/O by device and operation: from the moment a request goes to the device until it is
 * complete, before that its time in the I/O scheduler's queue where it stood in one, and errors.
 * Not whose it is: buffered writes are the kernel's writeback, long after the write. */
#include "nearzero/block_request.h"
#include "nearzero/in_progress.h"
#include "nearzero/shards.h"

NZ_OWN_ARRAY(nz_block_hists, struct nz_hist, 1); /* at load: shards * NZ_BLOCK_SERIES */
NZ_OWN_ARRAY(nz_block_counts, struct nz_block_stats, NZ_MAX_SHARDS);
NZ_OWN_ARRAY(nz_block_devices, struct nz_block_devices, 1);
/* By the request's address. */
NZ_OWN_ARRAY(nz_block_requests, struct nz_in_progress, NZ_BLOCK_SETS);

/* What is remembered of a request. */
#define NZ_INFO_DEVICE(info) ((__u32)(info) & (NZ_BLOCK_DEVICES - 1))
#define NZ_INFO_OP(info) ((__u32)(info) >> 8 & 7)
#define NZ_INFO_QUEUED 0x10000
/* A request takes 30 s until its driver gives up (queue/io_timeout), and some tries. */
#define NZ_ABANDONED_NS (300ULL * 1000000000)

static __always_inline struct nz_block_stats* nz_block_stats_here(void) {
  __u32 shard = nz_shard();
  return bpf_map_lookup_elem(&nz_block_counts, &shard);
}

static __always_inline __u32 nz_device_of(struct request* rq, struct nz_block_stats* stats) {
  __u32 first = 0;
  struct nz_block_devices* d = bpf_map_lookup_elem(&nz_block_devices, &first);
  __u64 wanted = nz_block_number(rq) + 1;
  if (!d || wanted == 1) return 0;
#pragma unroll
  for (__u32 i = 1; i < NZ_BLOCK_DEVICES; i++) {
    __u64 there = *(volatile __u64*)&d->number[i];
    if (!there) there = __sync_val_compare_and_swap(&d->number[i], 0, wanted);
    if (!there || there == wanted) return i;
  }
  NZ_ADD(stats->other_devices, 1);
  return 0;
}

/* Into the table; anew when it stands there from an earlier life of its memory. */
static __always_inline void nz_io_begins(struct request* rq, __u64 queued, __u64 now) {
  struct nz_block_stats* stats = nz_block_stats_here();
  struct nz_entry e = {};
  if (!stats) return;
  if (queued) NZ_ADD(stats->queued, 1);
  if (!nz_claim_entry(&nz_block_requests, NZ_BLOCK_SETS, (__u64)rq, now, NZ_ABANDONED_NS, &e)) {
    NZ_ADD(stats->no_room, 1);
    return;
  }
  NZ_SINCE(e) = now;
  NZ_INFO(e) = nz_device_of(rq, stats) | nz_block_op(rq->cmd_flags) << 8 | queued;
}

static __always_inline void nz_record_io(__u64 info, __u32 queued, __u64 ns) {
  __u32 op = NZ_INFO_OP(info);
  nz_record_in(&nz_block_hists, NZ_BLOCK_SERIES,
               NZ_BLOCK_SERIES_OF(NZ_INFO_DEVICE(info), queued, op), ns);
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(nz_block_insert, struct request* rq) {
  nz_io_begins(rq, NZ_INFO_QUEUED, bpf_ktime_get_ns());
  return 0;
}

/* It is part of another request from now on, and ends with that. */
SEC("tp_btf/block_rq_merge")
int BPF_PROG(nz_block_merge, struct request* rq) {
  struct nz_entry e = {};
  if (nz_find_entry(&nz_block_requests, NZ_BLOCK_SETS, (__u64)rq, &e)) nz_release_entry(&e);
  return 0;
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(nz_block_issue, struct request* rq) {
  __u64 now = bpf_ktime_get_ns(), info;
  struct nz_entry e = {};
  if (nz_find_entry(&nz_block_requests, NZ_BLOCK_SETS, (__u64)rq, &e) &&
      NZ_INFO(e) & NZ_INFO_QUEUED) {
    info = NZ_INFO(e) & ~(__u64)NZ_INFO_QUEUED;
    nz_record_io(info, 1, now - NZ_SINCE(e));
    NZ_SINCE(e) = now;
    NZ_INFO(e) = info;
  } else {
    nz_io_begins(rq, 0, now);
  }
  return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(nz_block_complete, struct request* rq, __u8 error, unsigned int bytes) {
  __u64 now = bpf_ktime_get_ns(), info;
  struct nz_block_stats* stats;
  struct nz_entry e = {};
  bool whole = bytes >= rq->__data_len; /* else a part of it: the device will say more */
  if (!nz_find_entry(&nz_block_requests, NZ_BLOCK_SETS, (__u64)rq, &e)) {
    /* Without data it is a flush' sequence, which goes to the device as a request of its own. */
    if (rq->__data_len && whole && (stats = nz_block_stats_here())) NZ_ADD(stats->start_unseen, 1);
    return 0;
  }
  info = NZ_INFO(e);
  if (error && (stats = nz_block_stats_here())) {
    __u32 at = NZ_INFO_DEVICE(info) * NZ_BLOCK_OPS + NZ_INFO_OP(info);
    if (at < NZ_BLOCK_DEVICES * NZ_BLOCK_OPS) NZ_ADD(stats->errors[at], 1);
  }
  if (!whole) return 0;
  now -= NZ_SINCE(e);
  nz_release_entry(&e);
  /* Taken back before it reached the device. */
  if (!(info & NZ_INFO_QUEUED)) nz_record_io(info, 0, now);
  return 0;
}
