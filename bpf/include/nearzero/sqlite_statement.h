/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs of SQLite share: counters, and the state of a Vdbe. */
#ifndef NEARZERO_SQLITE_STATEMENT_H
#define NEARZERO_SQLITE_STATEMENT_H

#include "nearzero/sqlite_slow.h"
#include "nearzero/sqlite_text.h"

#define NZ_SQLITE_BUSY 5
#define NZ_SQLITE_ROW 100
#define NZ_SQLITE_DONE 101
#define NZ_VDBE_RUN 2 /* Vdbe.eVdbeState while a statement runs; verified at attach */

static __always_inline struct nz_sqlite_stats* nz_sqlite_of(__u32 cpu, __u32 slot) {
  __u32 key = cpu * NZ_SLOTS + slot;
  return bpf_map_lookup_elem(&nz_sqlite, &key);
}

static __always_inline void nz_hit(struct nz_sqlite_stats* s, enum nz_sqlite_hit kind) {
  NZ_ADD(s->hits[kind], 1);
}

static __always_inline void nz_see(__u64* mask, __u32 bit) {
  __u64 seen = 1ULL << (bit & 63);
  if (!(*mask & seen)) *mask |= seen;
}

/* Counts one that has ended. `wait_ns`: what its thread waited in it, NULL: not known of whom;
 * `stage`: where it began, as nz_stage_now() says. */
static __always_inline void nz_count_statement(__u32 cpu, struct nz_sqlite_stats* s, __u32 id,
                                               __u64 rows, __u32 rc, const __u64* wait_ns,
                                               __u32 stage) {
  __u32 key = cpu * nz_config.max_statements + (id & NZ_STATEMENT_ID);
  struct nz_statement_stats* c = bpf_map_lookup_elem(&nz_statement_counts, &key);
  NZ_ADD(s->result[rc & 127], 1);
  /* One drop for each that is counted as "other", so that the two always agree. */
  if (!(id & NZ_STATEMENT_ID))
    nz_drop(id & NZ_UNREAD ? NZ_DROP_STATEMENT_UNREAD : NZ_DROP_STATEMENT_OTHER);
  if (!c) return;
  NZ_ADD(c->count, 1);
  if (rows) NZ_ADD(c->rows, rows);
  if (rc && rc != NZ_SQLITE_ROW && rc != NZ_SQLITE_DONE) {
    NZ_ADD(c->errors, 1);
    nz_see(&c->codes, rc);
  }
  if (stage) nz_see(&c->stages, stage - 1 < NZ_STATEMENT_STAGES ? stage - 1 : NZ_STATEMENT_STAGES);
  if (!wait_ns) return;
  for (int i = 0; i < 3; i++) {
    if (wait_ns[i]) NZ_ADD(c->wait_ns[i], wait_ns[i]);
  }
}

static __always_inline void nz_record_statement(__u32 cpu, __u32 id, __u32 which, __u64 ns) {
  nz_record_here(cpu, nz_config.series_statement + (id & NZ_STATEMENT_ID) * NZ_STMT_SERIES + which,
                 ns);
}

/* Whether the thread is in the compiler. What runs inside it is SQLite's own reading of the schema:
 * no statement of the program's, and its time is compile time. */
static __always_inline bool nz_compiles_now(struct nz_sqlite_thread* t, __u64 cookie, __u64 sp) {
  return t->compiling && t->compile_attach == NZ_SQL_COMPILE_ATTACH(cookie) && sp < t->compile_sp;
}

static __always_inline bool nz_is_running(__u64 stmt, __u64 cookie) {
  __u8 state = 0;
  if (!NZ_SQL_STATE(cookie)) return true;
  /* A statement that was finalised may be unmapped: then it has ended, too. */
  if (bpf_probe_read_user(&state, 1, (void*)(stmt + NZ_SQL_STATE(cookie)))) return false;
  return state == NZ_VDBE_RUN;
}

/* What is asked of a Vdbe at each hit. One read of user memory for all of it: a call of
 * bpf_probe_read_user costs some 70 ns, whatever the bytes. */
struct nz_vdbe {
  __u64 text; /* zSql */
  __u32 rc;
  bool running;
  bool unread; /* it is in use, but its page was not there (reclaimed, or just moved) */
};

static __always_inline void nz_read_vdbe(struct nz_vdbe* v, struct nz_sqlite_thread* t, __u64 stmt,
                                         __u32 text, __u32 state, __u32 rc) {
  __u32 first = (rc && rc < state ? rc : state) & ~7U;
  __u32 size = text + sizeof(v->text) - first;
  v->text = 0;
  v->rc = 0;
  v->running = !state;
  v->unread = state;
  barrier_var(size);
  if (text > state && text > rc && state && size <= NZ_VDBE_WINDOW) {
    if (bpf_probe_read_user(t->vdbe, size & (sizeof(t->vdbe) - 1), (void*)(stmt + first))) return;
    v->unread = false;
    v->text = *(__u64*)(t->vdbe + ((text - first) & (NZ_VDBE_WINDOW - 8)));
    v->running = t->vdbe[(state - first) & (NZ_VDBE_WINDOW - 1)] == NZ_VDBE_RUN;
    if (rc) v->rc = *(__u32*)(t->vdbe + ((rc - first) & (NZ_VDBE_WINDOW - 4)));
    return;
  }
  if (state) {
    __u8 now = 0;
    v->unread = bpf_probe_read_user(&now, 1, (void*)(stmt + state));
    v->running = !v->unread && now == NZ_VDBE_RUN;
  }
  if (text) bpf_probe_read_user(&v->text, sizeof(v->text), (void*)(stmt + text));
  if (rc) bpf_probe_read_user(&v->rc, sizeof(v->rc), (void*)(stmt + rc));
}

static __always_inline bool nz_has_open(struct nz_sqlite_thread* t) {
  __u64 any = 0;
#pragma unroll
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) any |= t->open[i].stmt;
  return any;
}

/* Global functions: the verifier looks at each once. */
/* The statement in `o` has ended with `rc`. */
int nz_close_statement(struct nz_sqlite_thread* t, struct nz_open_statement* o, __u32 rc);
/* Halt of `stmt` is about to be counted: takes the statement out of the table, if it is there, and
 * counts those that ended before the boundary plan came. `began`: when this execution began, 0 =
 * not seen. `inside`: its time inside SQLite is recorded, so that a sampling window must not.
 * Returns 1 where without `began` nobody knows whether the steps in the table are of this
 * execution or of one before it, which then is not counted. */
int nz_take_open(struct nz_sqlite_thread* t, __u64 stmt, __u64 began, __u32 inside);
#endif
