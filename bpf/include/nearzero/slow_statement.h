/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Single SQLite statements that took longer than their target's threshold: what the kernel tells of
 * one, and what userspace asks for. Both sides include this file. Times are nanoseconds. */
#ifndef NEARZERO_SLOW_STATEMENT_H
#define NEARZERO_SLOW_STATEMENT_H

#include "nearzero/abi.h"

/* Beside enum nz_event_kind, in the same ring. */
#define NZ_EVENT_SLOW_STATEMENT 32

#define NZ_SLOW_WAITS 3   /* the first of enum nz_sqlite_wait: busy, sync, checkpoint */
#define NZ_SLOW_TEXT 1024 /* bytes of its text, where the target asks for it */

/* What a target's statements may tell: NZ_SLOW_BURST at once (80 KB of the ring's 256 with texts),
 * then one each NZ_SLOW_EVERY_NS. More is counted, not told. */
#define NZ_SLOW_BURST 64
#define NZ_SLOW_EVERY_NS 50000000ULL

/* One element a target's slot. Userspace writes the first two at any time. */
struct nz_slow_target {
  nz_u64 threshold_ns; /* 0: no statement is told */
  nz_u64 wants_text;
  nz_u64 bucket; /* when the token bucket is full again (the generic cell rate algorithm) */
  nz_u64 told;
  nz_u64 limited;   /* over the rate */
  nz_u64 ring_full; /* lost on their way */
  nz_u64 reserved[2];
};

/* Only the time from begin to end is known, which is what was compared: boundary plan, reads. */
#define NZ_SLOW_INSIDE_UNKNOWN 1
#define NZ_SLOW_ROWS_UNKNOWN 2

struct nz_slow_statement_event {
  struct nz_event head; /* ts: the statement's end */
  nz_u32 tid;
  nz_u32 id;     /* of its text; 0: other */
  nz_u32 result; /* as in nz_sqlite_stats.result */
  nz_u32 flags;
  nz_u32 stage;  /* the innermost that its thread was in when it began, + 1; 0: none */
  nz_u32 length; /* of the text behind it */
  nz_u64 inside_ns, open_ns, rows;
  nz_u64 wait_ns[NZ_SLOW_WAITS]; /* on its thread, meanwhile */
};

struct nz_slow_statement_text_event {
  struct nz_slow_statement_event event;
  char text[NZ_SLOW_TEXT];
};

#endif
