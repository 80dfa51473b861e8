/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What uprobe programs keep about a target's thread: open stages and open SQLite statements. Task
 * storage, not the flat array: only probed threads pay for it, and it dies with the thread. */
#ifndef NEARZERO_THREAD_H
#define NEARZERO_THREAD_H

#include "nearzero/maps.h"

/* Where a stage began, and how the thread's time was divided until then. */
struct nz_frame {
  __u64 sp; /* stack pointer at the function's entry; 0 = free */
  __u64 ts;
  __u64 acc[NZ_COMPONENTS];
  __u32 stage;
  __u32 seq;   /* nz_task.seq then: the same at the end means that no switch came between */
  __u32 known; /* `acc` holds */
  __u32 plain; /* nz_moment.plain */
};

struct nz_open_statement {
  __u64 stmt; /* Vdbe *; 0 = free */
  __u64 text; /* Vdbe.zSql when it was named: another one is another statement at this address */
  __u64 first_ts, last_ts;
  __u64 inside_ns;
  __u64 rows;
  __u64 cookie;
  __u32 id;      /* taken at the first return, while the text is sure to be there */
  __u8 named;    /* id is known */
  __u8 whole;    /* its first step was seen */
  __u8 sampling; /* belongs to a sampling window */
  __u8 in_step;  /* a step began and has not returned */
  __u8 recorded; /* sampling: the boundary plan has its time inside */
  __u8 pad[3];
  __u32 steps;
};

struct nz_text_entry {
  __u64 stmt, text;
  __u64 compiles;
  __u32 id;
  __u32 pad;
};

struct nz_sqlite_thread {
  struct nz_open_statement open[NZ_OPEN_STATEMENTS];
  struct nz_text_entry texts[NZ_TEXT_CACHE];
  __u64 last_text; /* Vdbe.zSql that nz_statement_of() read last */
  /* the outermost sqlite3_step in progress */
  __u64 step_ts, step_stmt, step_sp;
  __u32 step_active, step_attach;
  /* the outermost compile in progress */
  __u64 compile_sp;
  __u32 compiling, compile_attach;
  /* boundary plan */
  __u32 boundary; /* which attach the fields below belong to; 0 = none */
  __u32 begins;   /* begun and not halted */
  __u64 begin_ts, halt_ts;
  __u64 btrees[NZ_BEGUN_BTREES]; /* where they began */
  __u32 btrees_used;             /* more than NZ_BEGUN_BTREES: not all are known */
  __u32 writes, ambiguous;
  char text[NZ_SQL_TEXT];
};

struct nz_thread {
  __u32 depth;                     /* frames in fn */
  __u32 lost;                      /* activations inside the deepest frame that found no room */
  struct nz_frame fn[NZ_FN_DEPTH]; /* outermost first: stack pointers never grow */
  struct nz_frame open[NZ_OPEN_STAGES];
  struct nz_sqlite_thread sqlite;
};

struct nz_threads_map {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct nz_thread);
};
#ifdef NEARZERO_DEFINE_MAPS
struct nz_threads_map nz_threads SEC(".maps");
#else
extern struct nz_threads_map nz_threads SEC(".maps");
#endif

static __always_inline struct nz_thread* nz_thread_of_current(void) {
  struct nz_thread* t = bpf_task_storage_get(&nz_threads, bpf_get_current_task_btf(), NULL,
                                             BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!t) nz_drop(NZ_DROP_STORAGE);
  return t;
}

#endif
