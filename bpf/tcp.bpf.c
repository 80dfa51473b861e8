/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* TCP by target: the smoothed round trip at each segment that comes in, how long connects take and
 * how many fail, retransmits; and the bytes that TCP and UDP move for it. Segments come in an
 * interrupt, on top of whoever runs: a socket is its target's who connected it, listens on it, or
 * has read from it or written to it; all others are nobody's (slot 0). */
#include "nearzero/tcp.h"
#include "nearzero/in_progress.h"
#include "nearzero/shards.h"
#include "nearzero/socket.h"
#include "nearzero/task_state.h"

NZ_OWN_ARRAY(nz_tcp_hists, struct nz_hist, 1); /* at load: shards * NZ_SLOTS * NZ_TCP_HISTS */
/* shard * NZ_SLOTS + slot. */
NZ_OWN_ARRAY(nz_tcp_counts, struct nz_tcp_stats, NZ_MAX_SHARDS* NZ_SLOTS);
/* By the socket's address: of targets, and of everybody while they connect. */
NZ_OWN_ARRAY(nz_tcp_sockets, struct nz_in_progress, NZ_TCP_SETS);

/* Sockets live as long as they like. */
#define NZ_NEVER (~0ULL)

/* What is remembered of a socket: its owner's tgid, and the slot that it had in a generation. */
static __always_inline __u64 nz_owned_by(__u32 tgid, __u32 slot) {
  return tgid | (__u64)(__u16)nz_control.generation << 32 | (__u64)slot << 48;
}

static __always_inline __u32 nz_slot_of_owner(struct nz_entry* e) {
  __u64 info = NZ_INFO(*e);
  if ((__u16)(info >> 32) != (__u16)nz_control.generation) {
    info = nz_owned_by((__u32)info, nz_resolve_slot((__u32)info));
    NZ_INFO(*e) = info;
  }
  return NZ_SLOT((__u32)(info >> 48));
}

static __always_inline __u32 nz_slot_of_socket(const struct sock* sk) {
  struct nz_entry e = {};
  if (!nz_find_entry(&nz_tcp_sockets, NZ_TCP_SETS, (__u64)sk, &e)) return 0;
  return nz_slot_of_owner(&e);
}

static __always_inline struct nz_tcp_stats* nz_tcp_stats_of(__u32 slot) {
  __u32 key = nz_shard() * NZ_SLOTS + NZ_SLOT(slot);
  return bpf_map_lookup_elem(&nz_tcp_counts, &key);
}

static __always_inline void nz_record_tcp(__u32 slot, enum nz_tcp_histogram kind, __u64 ns) {
  if (!slot && !nz_config.host) return;
  nz_record_in(&nz_tcp_hists, NZ_SLOTS * NZ_TCP_HISTS, NZ_SLOT(slot) * NZ_TCP_HISTS + kind, ns);
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(nz_tcp_segment, struct sock* sk) {
  __u32 slot = nz_slot_of_socket(sk);
  __u64 ns = nz_round_trip(sk);
  if (ns && (slot || nz_config.host)) {
    nz_record_tcp(slot, NZ_TCP_HIST_RTT, ns);
  } else {
    struct nz_tcp_stats* stats = nz_tcp_stats_of(slot);
    if (stats) NZ_ADD(stats->unmeasured, 1);
  }
  return 0;
}

static __always_inline int nz_retransmitted(const struct sock* sk, __u32 segments) {
  struct nz_tcp_stats* stats = nz_tcp_stats_of(nz_slot_of_socket(sk));
  if (!stats) return 0;
  NZ_ADD(stats->events, 1);
  NZ_ADD(stats->retransmits, segments);
  return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(nz_tcp_retransmit, struct sock* sk, struct sk_buff* skb) {
  struct tcp_skb_cb* cb = (struct tcp_skb_cb*)skb->cb;
  return nz_retransmitted(sk, BPF_CORE_READ(cb, tcp_gso_segs));
}

/* The answer to a SYN, on behalf of the socket that listens. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(nz_tcp_retransmit_synack, struct sock* sk) { return nz_retransmitted(sk, 1); }

/* The current thread's socket from now on. */
static __always_inline void nz_own_socket(struct sock* sk, __u32 tgid, __u32 slot, __u64 now) {
  struct nz_tcp_stats* stats;
  struct nz_entry e = {};
  if (nz_claim_entry(&nz_tcp_sockets, NZ_TCP_SETS, (__u64)sk, now, NZ_NEVER, &e)) {
    NZ_SINCE(e) = now;
    NZ_INFO(e) = nz_owned_by(tgid, slot);
  } else if ((stats = nz_tcp_stats_of(slot))) {
    NZ_ADD(stats->no_room, 1);
  }
}

static __always_inline __u32 nz_slot_of_current(__u64 id) {
  struct nz_task* t = nz_task_of((__u32)id, id >> 32);
  return t ? NZ_SLOT(t->slot) : 0;
}

/* The thread `id` has used the socket: what tells whose an accepted one is, or one that was there
 * before us. */
static __always_inline void nz_used_socket(struct sock* sk, __u64 id, __u32 slot) {
  struct nz_entry e = {};
  /* One that has ended is read to its end, and never released again. */
  if (!slot || sk->__sk_common.skc_state == NZ_TCP_CLOSE) return;
  /* A child that was given it reads on in its parent's place. */
  if (!nz_find_entry(&nz_tcp_sockets, NZ_TCP_SETS, (__u64)sk, &e))
    nz_own_socket(sk, id >> 32, slot, 0);
  else if ((__u32)NZ_INFO(e) != (__u32)(id >> 32))
    NZ_INFO(e) = nz_owned_by(id >> 32, slot);
}

/* In recv(), after it has copied something: where nz_socket_received is not to be had. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(nz_tcp_read, struct sock* sk) {
  __u64 id = bpf_get_current_pid_tgid();
  __u32 slot = nz_slot_of_current(id);
  struct nz_tcp_stats* stats = nz_tcp_stats_of(slot);
  if (stats) NZ_ADD(stats->events, 1);
  nz_used_socket(sk, id, slot);
  return 0;
}

/* Whoever polls a socket without pause fails all the time, and sockets of other protocols are many:
 * that must cost next to nothing. The count only feeds a price, and may lose one now and then. */
static __always_inline int nz_idle_call(void) {
  struct nz_counters* c = nz_counters_of(bpf_get_smp_processor_id());
  if (c) c->socket_idle++;
  return 0;
}

/* `moved`: bytes, or an error. `payload`: they were taken from the socket's data, or given to it.
 */
static __always_inline int nz_moved(struct sock* sk, int moved, bool payload, bool out) {
  __u32 type = sk->sk_type, protocol = sk->sk_protocol;
  bool tcp = type == NZ_SOCK_STREAM && protocol == NZ_IPPROTO_TCP;
  struct nz_tcp_stats* stats;
  __u32 slot, kind;
  __u64 id;
  if (moved <= 0 || (!tcp && (type != NZ_SOCK_DGRAM || protocol != NZ_IPPROTO_UDP)))
    return nz_idle_call();
  id = bpf_get_current_pid_tgid();
  slot = nz_slot_of_current(id);
  stats = nz_tcp_stats_of(slot);
  kind = (tcp ? NZ_TCP_IN : NZ_UDP_IN) + out;
  if (stats) {
    NZ_ADD(stats->events, 1);
    if (payload) NZ_ADD(stats->bytes[kind & (NZ_SOCKET_BYTES - 1)], moved);
  }
  if (tcp) nz_used_socket(sk, id, slot);
  return 0;
}

/* At the end of send() and recv() on any socket, from 6.3 on (6e6eda44b939). Of connections that
 * are only written to nothing else tells whose they are. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(nz_socket_sent, struct sock* sk, int ret) { return nz_moved(sk, ret, true, true); }

/* What the queue of errors gives is what was sent: a time stamp's packet, or the one that failed.
 */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(nz_socket_received, struct sock* sk, int ret, int flags) {
  return nz_moved(sk, ret, !(flags & (NZ_MSG_PEEK | NZ_MSG_ERRQUEUE)), false);
}

/* A connect has ended, well or not. */
static __always_inline __u32 nz_connected(struct sock* sk, int state, __u64 now) {
  struct nz_entry e = {};
  struct nz_tcp_stats* stats;
  __u32 slot;
  if (!nz_find_entry(&nz_tcp_sockets, NZ_TCP_SETS, (__u64)sk, &e)) return 0;
  slot = nz_slot_of_owner(&e);
  if (state == NZ_TCP_ESTABLISHED) {
    nz_record_tcp(slot, NZ_TCP_HIST_CONNECT, now - NZ_SINCE(e));
    if (!slot) nz_release_entry(&e);
  } else if (state == NZ_TCP_CLOSE && (stats = nz_tcp_stats_of(slot))) {
    NZ_ADD(stats->connects_failed, 1);
  }
  return slot;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(nz_tcp_state, struct sock* sk, int before, int after) {
  struct nz_tcp_stats* stats;
  __u32 slot = 0;
  if (sk->sk_protocol != NZ_IPPROTO_TCP) return 0;
  if (after == NZ_TCP_SYN_SENT || after == NZ_TCP_LISTEN) {
    __u64 id = bpf_get_current_pid_tgid();
    slot = nz_slot_of_current(id);
    if (slot || after == NZ_TCP_SYN_SENT)
      nz_own_socket(sk, id >> 32, slot, after == NZ_TCP_SYN_SENT ? bpf_ktime_get_ns() : 0);
  } else if (before == NZ_TCP_SYN_SENT) {
    slot = nz_connected(sk, after, bpf_ktime_get_ns());
  }
  if (after == NZ_TCP_CLOSE) nz_release_key(&nz_tcp_sockets, NZ_TCP_SETS, (__u64)sk);
  stats = nz_tcp_stats_of(slot);
  if (stats) NZ_ADD(stats->events, 1);
  return 0;
}
