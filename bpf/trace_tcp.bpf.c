/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracing of TCP: the smoothed round trip at each segment that comes in, how long connects take,
 * retransmits. Segments come in an interrupt, on top of whoever runs: a socket's owner is who
 * connected it or read from it while we looked, or who had its file open when userspace looked
 * (nz_sock_owners). */
#include "nearzero/socket.h"
#include "nearzero/task_state.h"
#include "nearzero/trace.h"

struct nz_sock_owner {
  __u32 tgid, tid;
  char comm[16];
};
struct nz_seen_socket {
  __u64 ts; /* its connect began; 0: it was read from */
  struct nz_sock_owner owner;
};
struct nz_seen_sockets_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __type(key, __u64); /* the socket's address */
  __type(value, struct nz_seen_socket);
};
struct nz_seen_sockets_map nz_seen_sockets SEC(".maps");
struct nz_sock_owners_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __type(key, __u64); /* inode number of the socket */
  __type(value, struct nz_sock_owner);
};
struct nz_sock_owners_map nz_sock_owners SEC(".maps");

/* Remote address and port of IPv4; the port alone else. */
static __always_inline __u64 nz_remote(const struct sock* sk) {
  __u64 port = __builtin_bswap16(sk->__sk_common.skc_dport);
  return sk->__sk_common.skc_family == NZ_AF_INET ? (__u64)sk->__sk_common.skc_daddr << 16 | port
                                                  : port;
}

static __always_inline void nz_own(struct nz_noted* n, const struct nz_sock_owner* owner) {
  n->tgid = owner->tgid;
  n->tid = owner->tid;
  __builtin_memcpy(n->comm, owner->comm, sizeof(n->comm));
}

/* A value of `sk`; nothing where its owner is no target. */
static __always_inline void nz_note_socket(struct sock* sk, __u32 series, __u64 ns) {
  struct nz_noted n = {.series = series, .number = nz_remote(sk), .ns = ns};
  __u64 key = (__u64)sk;
  struct nz_seen_socket* c = bpf_map_lookup_elem(&nz_seen_sockets, &key);
  if (c) {
    nz_own(&n, &c->owner);
  } else {
    __u64 inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
    struct nz_sock_owner* owner = bpf_map_lookup_elem(&nz_sock_owners, &inode);
    if (owner)
      nz_own(&n, owner);
    else if (!nz_trace.everyone)
      return;
  }
  nz_note(&n);
  if (nz_trace.slower_ns && ns >= nz_trace.slower_ns) nz_tell_slow(NULL, &n, false);
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(nz_trace_tcp_probe, struct sock* sk, struct sk_buff* skb) {
  __u64 ns = nz_round_trip(sk);
  if (ns) nz_note_socket(sk, NZ_TRACE_TCP + NZ_TCP_RTT, ns);
  return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(nz_trace_tcp_retransmit, struct sock* sk, struct sk_buff* skb) {
  nz_note_socket(sk, NZ_TRACE_TCP + NZ_TCP_RETRANSMIT, 0);
  return 0;
}

/* The current thread's socket from now on, if it is a target's. */
static __always_inline void nz_see(struct sock* sk, __u64 connecting) {
  __u64 key = (__u64)sk, id = bpf_get_current_pid_tgid();
  struct nz_seen_socket s = {.ts = connecting, .owner = {.tgid = id >> 32, .tid = (__u32)id}};
  if (!nz_resolve_slot(id >> 32)) return;
  bpf_get_current_comm(s.owner.comm, sizeof(s.owner.comm));
  if (bpf_map_update_elem(&nz_seen_sockets, &key, &s, BPF_ANY)) nz_drop(NZ_DROP_CALLS_FULL);
}

/* In recv(), after it has copied something: the only place that tells whose an accepted socket is.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(nz_trace_tcp_read, struct sock* sk) {
  __u64 key = (__u64)sk;
  if (!bpf_map_lookup_elem(&nz_seen_sockets, &key)) nz_see(sk, 0);
  return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(nz_trace_tcp_state, struct sock* sk, int before, int after) {
  __u64 key = (__u64)sk;
  if (after == NZ_TCP_SYN_SENT) {
    nz_see(sk, bpf_ktime_get_ns());
  } else if (before == NZ_TCP_SYN_SENT) {
    struct nz_seen_socket* c = bpf_map_lookup_elem(&nz_seen_sockets, &key);
    if (c)
      nz_note_socket(sk,
                     NZ_TRACE_TCP + (after == NZ_TCP_ESTABLISHED ? NZ_TCP_CONNECT : NZ_TCP_REFUSED),
                     bpf_ktime_get_ns() - c->ts);
  }
  if (after == NZ_TCP_CLOSE) bpf_map_delete_elem(&nz_seen_sockets, &key);
  return 0;
}
