/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Contract of the TCP probe (bpf/tcp.bpf.c, probes/tcp/). */
#ifndef NEARZERO_TCP_H
#define NEARZERO_TCP_H

#include "nearzero/abi.h"

/* Series of a slot in a shard of nz_tcp_hists: 2 * 16 * 2,112 B = 68 KB a shard. Slot 0 is what no
 * target owns. */
enum nz_tcp_histogram { NZ_TCP_HIST_RTT, NZ_TCP_HIST_CONNECT, NZ_TCP_HISTS };
/* Sets of 8: 8,192 sockets of targets and connects in progress, 197 KB. */
#define NZ_TCP_SETS 1024

/* Payload that send() and recv() of every kind moved. */
enum nz_socket_bytes { NZ_TCP_IN, NZ_TCP_OUT, NZ_UDP_IN, NZ_UDP_OUT, NZ_SOCKET_BYTES };

/* One a slot and shard. */
struct nz_tcp_stats {
  nz_u64 unmeasured;  /* segments in, before there was a first round trip */
  nz_u64 events;      /* hits of the other programs: reads, writes, changes of state, retransmits */
  nz_u64 retransmits; /* segments, as RetransSegs of /proc/net/snmp counts them */
  nz_u64 connects_failed;
  nz_u64 no_room; /* the table was full: whose socket it is, or when it began, is not known */
  nz_u64 bytes[NZ_SOCKET_BYTES];
};

#endif
