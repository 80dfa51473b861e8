/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The contract between kernel programs and userspace: every struct that both sides map, every
 * index. Both include this file; nothing else crosses the border. Times are nanoseconds of
 * CLOCK_MONOTONIC.
 */
#ifndef NEARZERO_ABI_H
#define NEARZERO_ABI_H

#include "nearzero/hist_layout.h"

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t nz_u8;
typedef uint16_t nz_u16;
typedef uint32_t nz_u32;
typedef uint64_t nz_u64;
typedef int16_t nz_s16;
typedef int64_t nz_s64;
#else
typedef unsigned char nz_u8;
typedef unsigned short nz_u16;
typedef unsigned int nz_u32;
typedef unsigned long long nz_u64;
typedef short nz_s16;
typedef long long nz_s64;
#endif

/* ---- sizes ------------------------------------------------------------------------------------
 */

/* Slot 0 is the host as a whole; targets use 1..NZ_MAX_TARGETS. A power of two: the verifier
 * follows a mask where it loses a comparison. */
#define NZ_MAX_TARGETS 15
#define NZ_SLOTS 16
#define NZ_SLOT(s) ((s) & (NZ_SLOTS - 1))
#define NZ_NR_SYSCALLS 512 /* x86-64 ends at 470 in 6.18; the rest is counted as the last one */
#define NZ_NR_ERRNO 256    /* 1..133 are in use; a power of two, see NZ_SLOTS */
#define NZ_THREADS 1024    /* of targets that have come to a uprobe, at a time; a power of two */
#define NZ_FN_DEPTH 8      /* nested `function:` stages of one thread */
#define NZ_OPEN_STAGES 16  /* `from:`/`to:` stages of one target */
#define NZ_SITE_ACTIONS 8
#define NZ_SITES_SEEN 8 /* addresses that a thread remembers the site of */
#define NZ_MAX_SITES 512
#define NZ_OPEN_STATEMENTS 4 /* statements that one thread has open at a time, step plan */
#define NZ_BEGUN_BTREES 4 /* database files that one group of statements touches, boundary plan */
#define NZ_TEXT_CACHE 8   /* prepared statements whose text a thread remembers */
#define NZ_SQL_TEXT 256   /* bytes of a statement's text that are read */

/* ---- histograms --------------------------------------------------------------------------------
 */

/* One histogram of one CPU: (8 + 256) * 8 B = 2,112 B. The whole map is series * CPUs of these.
 * Counts and sums only grow. Minimum and maximum belong to a window: userspace flips
 * nz_control.epoch at each drain, programs write half [epoch & 1]. The minimum is kept inverted so
 * that zeroed memory is its neutral element. */
struct nz_hist {
  nz_u64 sum;
  nz_u64 zero;
  nz_u64 overflow;
  nz_u64 max[2];
  nz_u64 min_inverted[2];
  nz_u64 reserved;
  nz_u64 bucket[NZ_BUCKETS];
};

/* ---- off-CPU reasons
 * ----------------------------------------------------------------------------- */

enum nz_reason {
  NZ_LOCK,
  NZ_IDLE,
  NZ_DISK,
  NZ_NETWORK,
  NZ_SLEEP,
  NZ_PAGE_FAULT,
  NZ_IPC,
  NZ_OTHER,
  NZ_REASONS,
  /* only in the table by syscall: look at the arguments */
  NZ_BY_FUTEX_OP = 16,
  NZ_BY_DESCRIPTOR = 17,
};

/* Series of the scheduler, per slot. */
enum nz_sched_series {
  NZ_RUNQ_WAKEUP,  /* run-queue wait after a wakeup */
  NZ_RUNQ_PREEMPT, /* run-queue wait after preemption or yield */
  NZ_ONCPU,
  NZ_OFFCPU, /* + enum nz_reason */
  NZ_SCHED_SERIES = NZ_OFFCPU + NZ_REASONS,
};

/* Components of a stage: running, runnable, blocked by reason. */
enum nz_component { NZ_RUNNING, NZ_RUNNABLE, NZ_BLOCKED, NZ_COMPONENTS = NZ_BLOCKED + NZ_REASONS };

/* ---- threads
 * --------------------------------------------------------------------------------------- */

enum nz_task_state { NZ_TASK_UNKNOWN, NZ_TASK_ON, NZ_TASK_PREEMPTED, NZ_TASK_BLOCKED, NZ_TASK_NEW };

/* 128 B, indexed by pid & mask, with the pid as tag. */
struct nz_task {
  nz_u32 pid;
  nz_u16 generation; /* of the targets when `slot` was resolved */
  nz_u8 slot;
  nz_u8 state;      /* enum nz_task_state */
  nz_u64 since;     /* when this state began */
  nz_u64 run_delay; /* sched_info.run_delay at the switch-out */
  nz_u64 sys_ts;    /* when the current syscall was entered, 0 = none seen */
  nz_u32 seq;       /* grows with each switch: a reader on the same thread retries */
  nz_u16 sys_nr;
  nz_u16 off_nr; /* syscall it blocked in; NZ_NR_SYSCALLS = none */
  nz_u8 reason;  /* enum nz_reason, of the current blocking */
  nz_u8 pad[7];
  nz_u64 acc[NZ_COMPONENTS]; /* since the state was created */
};

/* Clock calibration and the switch that is expected next, per CPU. */
struct nz_cpu {
  nz_u32 last_next;
  nz_u32 pad;
  nz_u64 epoch;
  nz_s64 offset_now, offset_before;
  nz_u64 reserved[4];
};

struct nz_blocked_syscall {
  nz_u64 count, ns;
};

/* ---- stages
 * ----------------------------------------------------------------------------------------- */

enum nz_action_kind {
  NZ_ACT_NONE,
  NZ_ACT_FROM,     /* opens stage [index] of the thread */
  NZ_ACT_TO,       /* closes it */
  NZ_ACT_FN_ENTRY, /* pushes a frame keyed by the stack pointer */
  NZ_ACT_FN_EXIT,  /* pops the frame with this stack pointer */
};

struct nz_action {
  nz_u16 stage; /* index into nz_stage_stats and, plus a base, into the histograms */
  nz_u8 kind;
  nz_u8 index; /* NZ_ACT_FROM/TO: which of the thread's NZ_OPEN_STAGES */
};

/* One probed address. Its number is the low half of the attach cookie. */
struct nz_site {
  struct nz_action actions[NZ_SITE_ACTIONS];
  nz_s64 sp_displacement; /* added to SP to get what SP was at the function's entry */
  /* In the process' executable: while it runs that, nothing else can come to stand at its address,
   * so that a thread may remember whose it is. */
  nz_u32 in_executable;
  /* Nothing begins any more, but what has begun still ends. */
  nz_u32 winding_down;
  /* An end without a start is no news until then, or while winding down: it began in a pause. */
  nz_u64 quiet_until;
};

struct nz_stage_stats {
  nz_u64 started; /* how often it ended is in its histogram */
  nz_u64
      restarted;   /* `from` again before `to`: the order left the path (exception, early return) */
  nz_u64 unwound;  /* frame skipped by an exception, longjmp */
  nz_u64 too_deep; /* more than NZ_FN_DEPTH frames */
  nz_u64 unmatched; /* `to` or exit without a start: began before attach, or another caller */
  nz_u64 died;      /* thread ended inside the stage */
  nz_u64 cut;       /* the duty cycle paused before its end */
  nz_u64 torn;      /* its thread was switched just then: components unknown, duration counted */
  nz_u64 torn_ns;   /* their duration */
  nz_u64 component_ns[NZ_COMPONENTS]; /* NZ_RUNNING: none, it is what the others leave of the sum */
};

/* ---- SQLite
 * ------------------------------------------------------------------------------------------- */

enum nz_sqlite_hit {
  NZ_SQL_STEP,         /* entry and return of sqlite3_step */
  NZ_SQL_STEP_SAMPLED, /* the same in a sampling window */
  NZ_SQL_BEGIN,        /* entry of sqlite3BtreeBeginTrans */
  NZ_SQL_HALT,         /* entry of sqlite3VdbeHalt */
  NZ_SQL_HALT_RETURN,  /* its return, for writes only */
  NZ_SQL_COMPILE,      /* session on sqlite3RunParser */
  NZ_SQL_WAIT,         /* sessions on busy, sync, checkpoint */
  NZ_SQL_OPEN,         /* open and close, entries */
  NZ_SQL_HITS,
};

enum nz_sqlite_wait { NZ_WAIT_BUSY, NZ_WAIT_SYNC, NZ_WAIT_CHECKPOINT, NZ_WAIT_COMPILE, NZ_WAITS };

/* Series of SQLite: per slot NZ_WAITS, then per statement two. */
enum nz_statement_series { NZ_STMT_INSIDE, NZ_STMT_OPEN, NZ_STMT_SERIES };

struct nz_sqlite_stats {
  nz_u64 hits[NZ_SQL_HITS];
  nz_u64 steps_not_counted; /* of NZ_SQL_STEP: SQLite's own, or without a statement */
  nz_u64 opens, closes;
  nz_u64 no_begin;    /* boundary plan: ended without a transaction (BEGIN, COMMIT, SELECT 1) */
  nz_u64 ambiguous;   /* boundary plan: statements interleaved on one thread, no duration */
  nz_u64 not_sampled; /* boundary plan: read statements without time inside SQLite */
  nz_u64 partial;     /* began before attach, or its end was not seen, or evicted from the open
                         table: no duration; what is not in `result` is at most this many */
  nz_u64 nested;      /* steps inside steps (SQL functions that run SQL) */
  nz_u64 sampled_inside_ns, sampled_open_ns; /* sampling windows of the boundary plan */
  nz_u64 result[128];                        /* of ended statements, by primary result code */
};

/* Of a digest, a cache line. Masks say what was ever seen: adding over CPUs is an OR. */
struct nz_statement_stats {
  nz_u64 count, rows, errors;
  nz_u64 wait_ns[3]; /* the first of enum nz_sqlite_wait, on its threads */
  nz_u64 codes;      /* bit c: one ended with the primary result code c, an error */
  nz_u64 stages;     /* bit n: one began in the stage of number n; the last: in one of a higher */
};
#define NZ_STATEMENT_STAGES 63

/* A statement text as first seen. id 0 is "other": more texts than the pool holds, or unreadable.
 */
struct nz_statement {
  nz_u64 hash; /* of slot and normalised text; 0 = free */
  nz_u32 id;
  nz_u32 slot;
};

/* Attach cookie of the SQLite programs: slot 0..7, flags 8..15, number of the compile probe's
 * attach 28..31 (0 = compiles are not seen, 1..15), and offsets (below 4,096; 0 = unknown): 16..27
 * 32..47             48..63 step     Vdbe.zSql    Vdbe.eVdbeState    number of the attach halt
 * Vdbe.zSql    Vdbe.eVdbeState    Vdbe.rc begin    -            Btree.inTrans      - The number of
 * an attach lets a thread know what it remembers from an earlier one, whose returns it will never
 * see. */
#define NZ_SQL_COOKIE(slot, flags, compile, a, b, c)                                     \
  ((nz_u64)(slot) | (nz_u64)(flags) << 8 | (nz_u64)(a) << 16 | (nz_u64)(compile) << 28 | \
   (nz_u64)(b) << 32 | (nz_u64)(c) << 48)
#define NZ_SQL_SAMPLING 1     /* step session of a sampling window: durations only, no counting */
#define NZ_SQL_CLOSE 2        /* flags of the open/close entries */
#define NZ_SQL_WAIT_SHIFT 4   /* flags of the wait sessions: enum nz_sqlite_wait << 4 */
#define NZ_SQL_ATTACH_SHIFT 4 /* flags of begin and halt: number of the attach (1..15) << 4 */

/* ---- counters and drops
 * ---------------------------------------------------------------------------- */

enum nz_drop {
  NZ_DROP_TASK_COLLISION,    /* two threads share an entry of nz_tasks */
  NZ_DROP_OFF_BEFORE_ATTACH, /* off-CPU time that began before attach or on an unseen switch */
  NZ_DROP_MISSED_SWITCH,     /* arrival rebuilt from sched_info (recorded, not lost) */
  NZ_DROP_NEGATIVE,          /* a duration below zero: clock error */
  NZ_DROP_RING_FULL,
  NZ_DROP_TARGETS_FULL,     /* no room for a forked child in nz_targets */
  NZ_DROP_SYSCALL_NO_ENTER, /* exit seen without enter: attached meanwhile, or a fork's child */
  NZ_DROP_SYSCALL_OTHER,    /* recorded under "other": no series left */
  NZ_DROP_THREADS_FULL,     /* more probed threads than NZ_THREADS hold: this one is not observed */
  NZ_DROP_STATEMENT_OTHER,  /* recorded under "other": no statement id left */
  NZ_DROP_STATEMENT_UNREAD, /* text not readable: recorded under "other" */
  NZ_DROP_NO_SERIES,        /* a series index out of range: a bug */
  NZ_DROP_PROFILE_FULL,     /* more different stacks in an interval than nz_profile_rows holds */
  NZ_AGENT_DROPS,           /* the rest is of tracing alone */
  NZ_DROP_KEYS_FULL = NZ_AGENT_DROPS, /* more different keys than nz_keyed holds */
  NZ_DROP_CALLS_FULL,                 /* more calls at a time than nz_calls holds */
  NZ_DROPS,
};

struct nz_counters {
  nz_u64 switches;                /* sched_switch hits */
  nz_u64 slot_switches[NZ_SLOTS]; /* those in which a target's thread took part */
  nz_u64 syscalls_other;
  nz_u64 lifecycle;   /* fork, exec, exit hits */
  nz_u64 socket_idle; /* socket calls that moved nothing, or are of other protocols */
  nz_u64 drops[NZ_DROPS];
};

/* Written by userspace at any time (lives in .data). */
enum nz_wants {
  NZ_WANTS_NOTHING,
  NZ_WANTS_ALL,
  NZ_WANTS_ENDS,  /* winding down: what has begun is still recorded */
  NZ_WANTS_AGAIN, /* all, after a pause: what began in it is no news */
};

struct nz_control {
  nz_u32 epoch;      /* which half of min and max is written */
  nz_u32 generation; /* of the targets: threads re-resolve their slot when it changes */
  nz_u32 next_syscall_series;
  nz_u32 next_statement;
  nz_u32 site_generation; /* threads forget which site stands where when it changes */
  nz_u32 cut_slot;        /* argument of nz_cut_stages and nz_cut_statements */
  nz_u32 profile_half;    /* which half of nz_profile_rows is written */
  nz_u32 pad;
  /* Sampling windows: the shortest step and the shortest pause between two, ~ns; 0 = none seen. */
  nz_u64 sqlite_shortest_inverted[NZ_SLOTS][2];
  nz_u64 sqlite_compiles[NZ_SLOTS]; /* a thread's text cache is valid while this stands still */
  nz_u8 follow_forks[NZ_SLOTS];
  nz_u8 wants_syscalls[NZ_SLOTS]; /* enum nz_wants */
  /* Command whose processes are targets from their exec on, before userspace has heard of them;
   * 0: none. Its slot is exec_slot. */
  nz_u64 exec_comm[2];
  nz_u32 exec_slot;
  nz_u64
      syscalls_since; /* a start before this belongs to an earlier attach: its end was not seen */
};

/* Read-only data, set before load. */
struct nz_config {
  nz_u32 task_mask;
  nz_u32 cpus;   /* CPU slots of the histogram map */
  nz_u32 series; /* histograms per CPU */
  nz_u32 series_stage, series_sqlite_wait, series_statement, series_syscall; /* first of each */
  nz_u32 max_stages, max_statements, max_syscalls;
  nz_u32 host; /* 1: slot 0, everybody who is no target, is recorded */
};

/* ---- tracing: the command line's short while
 * ---------------------------------------------------------
 *
 * The same programs, in an object of their own: where nz_trace_config.on is set (before load, so
 * that the agent's verifier drops all of it), every value goes into a histogram by key instead of
 * its series' place in nz_hists. */

/* Parts of the key beside the series; what is not asked for is 0. */
enum nz_by { NZ_BY_PID = 1, NZ_BY_TID = 2, NZ_BY_COMM = 4, NZ_BY_NUMBER = 8 };

struct nz_key {
  nz_u32 series;
  nz_u16 epoch;  /* nz_control.epoch: an interval has keys of its own, whole and exact */
  nz_u16 cpu;    /* always: no two CPUs write one histogram */
  nz_u64 number; /* syscall it blocked in, errno, a lock's address, device: as the series says */
  nz_u32 id;     /* pid or tid */
  nz_u32 pad;
  char comm[16];
};

/* Series that exist in tracing alone; below are those of nz_hists. */
enum nz_trace_series {
  NZ_TRACE_BLOCK = 0x10000, /* + enum nz_block_op; number: device */
  NZ_TRACE_TCP = 0x20000,   /* + enum nz_tcp_series */
  NZ_TRACE_FAULT = 0x30000, /* + bits of the error code: 1 write, 2 instruction, 4 kernel */
  NZ_TRACE_CALL = 0x40000,  /* + index of the traced function or pair */
};
enum nz_block_op {
  NZ_BLOCK_READ,
  NZ_BLOCK_WRITE,
  NZ_BLOCK_FLUSH,
  NZ_BLOCK_DISCARD,
  NZ_BLOCK_OTHER,
  NZ_BLOCK_OPS
};
#define NZ_BLOCK_QUEUED NZ_BLOCK_OPS /* + enum nz_block_op: in the scheduler's queue before it */
enum nz_tcp_series { NZ_TCP_RTT, NZ_TCP_CONNECT, NZ_TCP_RETRANSMIT, NZ_TCP_REFUSED };

#define NZ_STACK_DEPTH 32
/* Per thread, as nz_tasks: what has to be taken while it is still the current one. */
struct nz_off_cpu {
  nz_u64 address; /* futex it waits for */
  nz_u32 tid;
  nz_u32 depth;
  nz_u64 stack[NZ_STACK_DEPTH]; /* of the program, innermost first */
};

/* A call in progress, by thread and stack pointer at its entry. */
struct nz_call_key {
  nz_u64 sp;
  nz_u32 tid;
  nz_u32 site; /* pairs: their index; functions: 0, the stack pointer says it */
};
struct nz_call {
  nz_u64 ts;
  nz_u32 index;
  nz_u32 pad;
};
#define NZ_MAX_CALL_KINDS 512
struct nz_call_stats {
  nz_u64 started, ended;
  nz_u64 restarted; /* begun again before its end: that was not seen (exception, longjmp) */
  nz_u64 unmatched; /* an end without a begin: it began before attach */
};

struct nz_trace_config {
  nz_u32 on, by;      /* enum nz_by */
  nz_u32 sched_kinds; /* bit mask of enum nz_sched_series that are recorded */
  nz_u32 everyone;    /* every process is target 1 */
  nz_u32 stacks;      /* slow events carry them */
  nz_u32 keys;        /* capacity of nz_keyed */
  nz_u64 slower_ns;   /* single events from here on are told; 0: none */
};

/* ---- ring buffer: rare things only
 * ------------------------------------------------------------------ */

enum nz_event_kind {
  NZ_EVENT_EXEC = 1,
  NZ_EVENT_EXIT,
  NZ_EVENT_FORK,
  NZ_EVENT_STATEMENT,
  NZ_EVENT_SLOW
};

struct nz_event {
  nz_u32 kind;
  nz_u32 tgid;
  nz_u32 parent; /* fork: tgid of the parent */
  nz_u32 slot;
  nz_u64 ts;
  char comm[16];
};

struct nz_statement_event {
  struct nz_event head;
  nz_u32 id;
  nz_u32 length;
  char text[NZ_SQL_TEXT];
};

struct nz_slow_event {
  struct nz_event head; /* ts: its end */
  nz_u32 series;
  nz_u32 tid;
  nz_u64 number;
  nz_u64 ns;
  nz_u32 kernel_depth, user_depth; /* 0: none was taken */
  nz_u64 kernel[NZ_STACK_DEPTH];   /* innermost first */
  nz_u64 user[NZ_STACK_DEPTH];
};

#endif
