/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What uprobe programs keep about a target's thread: open stages and open SQLite statements.
 *
 * A thread is known by where its user registers are saved: at the top of its own kernel stack,
 * which no other living thread has, and which is what a uprobe program gets as its context. So it
 * takes no helper to find its state, where task storage took 42 ns a hit and asking for the pid 17
 * ns (docs/adr/0006-threads-by-kernel-stack.md). threads.bpf.c gives an entry back when its thread
 * ends. */
#ifndef NEARZERO_THREAD_H
#define NEARZERO_THREAD_H

#include "nearzero/maps.h"
#include "nearzero/slow_statement.h"

/* Where a stage began, and how the thread's time was divided until then. */
struct nz_frame {
  __u64 sp; /* stack pointer at the function's entry; 0 = free */
  __u64 ts;
  __u64 acc[NZ_COMPONENTS];
  __u32 stage;
  __u32 generation; /* nz_control.site_generation then */
  __u32 known;      /* `acc` holds */
  __u32 pad;
};

/* Which site stands at an address, as the attach cookie said last time: 26 ns less. */
struct nz_site_seen {
  __u64 ip;
  __u32 number;
  __u32 generation;
};

/* From Vdbe.rc to the end of zSql it is 204 bytes in 3.40. A power of two. */
#define NZ_VDBE_WINDOW 256

struct nz_open_statement {
  __u64 stmt; /* Vdbe *; 0 = free */
  __u64 text; /* Vdbe.zSql when it was named: another one is another statement at this address */
  __u64 first_ts, last_ts;
  __u64 inside_ns;
  __u64 rows;
  __u64 cookie;
  __u64 wait_ns[NZ_SLOW_WAITS]; /* in its steps */
  __u32 id;                     /* taken at the first return, while the text is sure to be there */
  __u8 named;                   /* id is known */
  __u8 whole;                   /* its first step was seen */
  __u8 sampling;                /* belongs to a sampling window */
  __u8 in_step;                 /* a step began and has not returned */
  __u8 recorded;                /* sampling: the boundary plan has its time inside */
  __u8 pad;
  __u16 stage; /* as nz_stage_now() said at its first step */
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
  __u64 step_ts, step_sp, step_cookie;
  __u64 step_text; /* Vdbe.zSql at its entry */
  __u8
      vdbe[2 * NZ_VDBE_WINDOW]; /* scratch: twice, because the verifier wants a mask for a length */
  __u32 step_active;
  __u32 last_open; /* which of `open` made the last step */
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
  __u32 begin_stage;            /* as nz_stage_now() said at begin_ts, or at halt_ts without one */
  __u64 wait_ns[NZ_SLOW_WAITS]; /* since the last begin, or halt without one */
  char text[NZ_SQL_TEXT];
};

struct nz_thread {
  __u64 regs;        /* where its user registers are saved */
  __u64 stack;       /* the lowest address of its kernel stack */
  __u32 pid;         /* 0 = this entry is free */
  __u32 depth;       /* frames in fn */
  __u32 lost;        /* activations inside the deepest frame that found no room */
  __u32 open_stages; /* bit i: open[i] is in use, so that nobody has to look at all of them */
  struct nz_site_seen seen[NZ_SITES_SEEN];
  struct nz_frame fn[NZ_FN_DEPTH]; /* outermost first: stack pointers never grow */
  struct nz_frame open[NZ_OPEN_STAGES];
  struct nz_sqlite_thread sqlite;
};

/* 4,416 B * 1,024 = 4.5 MB, whatever the CPUs. */
NZ_ARRAY(nz_threads, struct nz_thread, NZ_THREADS);
_Static_assert(sizeof(struct nz_thread) == 4416, "ARCHITECTURE.md, Memory");

/* Kernel stacks are 16 KB (32 KB with KASAN) and do not straddle a multiple of their size; a guard
 * page puts them 32 KB apart. */
#define NZ_STACK_SHIFT 15
/* Entries that a thread may have, beginning with the one that its stack leads to. The next ones lie
 * apart: threads that begin together have their stacks, and so their first entries, side by side.
 */
#define NZ_THREAD_WAYS 8
#define NZ_THREAD_STRIDE 131

/* The lower half of an address. The verifier takes a 32-bit move of a pointer for a number and lets
 * nothing else be done to one; clang would shift the pointer itself. */
static __always_inline __u32 nz_low(struct pt_regs* ctx) {
  __u32 low;
  asm volatile("%0 = %1" : "=w"(low) : "w"((__u32)(__u64)ctx));
  return low;
}

static __always_inline struct nz_thread* nz_thread_at(__u32 stack_low, __u32 way) {
  __u32 key = ((stack_low >> NZ_STACK_SHIFT) + way * NZ_THREAD_STRIDE) & (NZ_THREADS - 1);
  return bpf_map_lookup_elem(&nz_threads, &key);
}

static __always_inline void nz_thread_clear(struct nz_thread* t) {
  for (int i = 0; i < NZ_SITES_SEEN; i++) t->seen[i].ip = 0;
  t->depth = 0;
  t->lost = 0;
  t->open_stages = 0;
  for (int i = 0; i < NZ_OPEN_STAGES; i++) t->open[i].sp = 0;
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) t->sqlite.open[i].stmt = 0;
  for (int i = 0; i < NZ_TEXT_CACHE; i++) t->sqlite.texts[i].stmt = 0;
  t->sqlite.step_active = 0;
  t->sqlite.compiling = 0;
  t->sqlite.boundary = 0;
  t->sqlite.begins = 0;
  t->sqlite.ambiguous = 0;
  t->sqlite.btrees_used = 0;
}

/* A thread that is not where it is looked for first: it is seen for the first time, or others stand
 * in its way. */
static __attribute__((noinline)) struct nz_thread* nz_thread_find(struct pt_regs* ctx) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u64 stack = (__u64)task->stack;
  struct nz_thread* t;
  __u32 way, low = nz_low(ctx);
  for (way = 1; way < NZ_THREAD_WAYS; way++) {
    t = nz_thread_at(low, way);
    if (t && t->regs == (__u64)ctx) return t;
  }
  for (way = 0; way < NZ_THREAD_WAYS; way++) {
    t = nz_thread_at(low, way);
    if (!t || t->pid || __sync_val_compare_and_swap(&t->pid, 0, (__u32)task->pid)) continue;
    nz_thread_clear(t);
    t->stack = stack;
    t->regs = (__u64)ctx;
    /* Where the kernel saves the registers elsewhere, one thread could be taken for another. */
    if (*(volatile __u64*)&t->regs - stack < 1UL << NZ_STACK_SHIFT) return t;
    t->regs = 0;
    *(volatile __u32*)&t->pid = 0;
    break;
  }
  nz_drop(NZ_DROP_THREADS_FULL);
  return NULL;
}

static __always_inline struct nz_thread* nz_thread_of(struct pt_regs* ctx) {
  struct nz_thread* t = nz_thread_at(nz_low(ctx), 0);
  if (t && t->regs == (__u64)ctx) return t;
  return nz_thread_find(ctx);
}

/* The entry of a thread other than the one that was just probed; NULL if it was never probed. */
static __always_inline struct nz_thread* nz_thread_of_task(struct task_struct* task) {
  __u64 stack = (__u64)task->stack;
  struct nz_thread* t;
  __u32 way;
  for (way = 0; way < NZ_THREAD_WAYS; way++) {
    t = nz_thread_at((__u32)stack, way);
    if (t && t->regs && t->stack == stack) return t;
  }
  return NULL;
}

static __always_inline void nz_thread_release(struct nz_thread* t) {
  t->regs = 0;
  *(volatile __u32*)&t->pid = 0;
}

#endif
