/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs read of a socket. */
#ifndef NEARZERO_SOCKET_H
#define NEARZERO_SOCKET_H

#include "nearzero/kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode___number {
  unsigned long i_ino;
};
struct file___inode {
  struct inode___number* f_inode;
};
struct socket {
  struct file___inode* file;
};
struct sock_common {
  __be32 skc_daddr;
  __be16 skc_dport;
  unsigned short skc_family;
  volatile unsigned char skc_state;
};
struct sock {
  struct sock_common __sk_common;
  struct socket* sk_socket;
  unsigned short sk_type;
  unsigned short sk_protocol;
};
struct tcp_sock {
  __u32 srtt_us; /* << 3 */
};
struct tcp_skb_cb {
  __u16 tcp_gso_segs;
};
struct sk_buff {
  char cb[48];
};
#pragma clang attribute pop

#define NZ_TCP_ESTABLISHED 1 /* include/net/tcp_states.h */
#define NZ_TCP_SYN_SENT 2
#define NZ_TCP_CLOSE 7
#define NZ_TCP_LISTEN 10
#define NZ_AF_INET 2
#define NZ_IPPROTO_TCP 6
#define NZ_IPPROTO_UDP 17
#define NZ_SOCK_STREAM 1 /* include/linux/net.h */
#define NZ_SOCK_DGRAM 2
#define NZ_MSG_PEEK 2 /* include/linux/socket.h */
#define NZ_MSG_ERRQUEUE 0x2000

/* The smoothed round trip in ns; 0 until there was one. `sk` of a TCP socket. */
static __always_inline __u64 nz_round_trip(struct sock* sk) {
  return (__u64)(BPF_CORE_READ((struct tcp_sock*)sk, srtt_us) >> 3) * 1000;
}

#endif
