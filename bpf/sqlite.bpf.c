/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* SQLite by two plans (probes/sqlite/README.md says when which is used):
 *   step      entry and return of sqlite3_step: exact time inside SQLite, once per row, no pairing
 *   boundary  entry of sqlite3BtreeBeginTrans, entry (and for writes return) of sqlite3VdbeHalt:
 *             once per statement whatever its rows; time inside only for writes, sampled for reads
 * and, in both, sessions on the compiler and on the waits.
 *
 * While one plan takes over from the other, both are attached. A statement is then counted by
 * whoever comes first: Halt takes it out of the table of open statements, and a step that returns
 * behind it finds nothing to count.
 *
 * A return that was asked for may never come: the probe was detached meanwhile, or an exception or
 * longjmp skipped the frame. What "is in progress" therefore carries its attach number and stack
 * pointer, and is void when either shows that it is over. */
/* Here because files are linked by name, and bpftool 7.1 wants a map's definition before its uses.
 */
#define NEARZERO_DEFINE_SLOW_MAPS
#include "nearzero/sqlite_statement.h"

/* uprobe sessions (6.13, commit d920179b3d48): one program for entry and return, and 8 bytes that
 * travel from the one to the other. Returning 1 at the entry skips the return altogether. Not in a
 * header: bpftool 7.1 cannot link two files that declare the same kernel function. */
extern bool bpf_session_is_return(void) __ksym __weak;
extern __u64* bpf_session_cookie(void) __ksym __weak;
#define NZ_WANT_RETURN 0
#define NZ_SKIP_RETURN 1

/* ---- boundary plan
 * --------------------------------------------------------------------------------- */

/* Begins of an earlier attach: their Halts were not seen. True if there was one, so that this
 * thread may be in the middle of a statement whose beginning was not seen. */
static __always_inline bool nz_new_boundary(struct nz_sqlite_thread* t, struct nz_sqlite_stats* s,
                                            __u64 cookie) {
  __u32 attach = NZ_SQL_FLAGS(cookie) >> NZ_SQL_ATTACH_SHIFT;
  if (t->boundary == attach) return false;
  if (t->boundary && t->begins) NZ_ADD(s->partial, t->begins);
  t->boundary = attach;
  t->begins = 0;
  t->ambiguous = 0;
  t->btrees_used = 0;
  return true;
}

/* Whether no database that the begun statements touch is in a transaction: then all of them have
 * ended. Not every begin has a Halt of its own: a statement begins once for each database that it
 * touches (attached ones, temp), and a backup has no statement. */
static __always_inline bool nz_all_quiet(struct nz_sqlite_thread* t, __u32 in_trans) {
  __u8 state;
  if (!in_trans || t->btrees_used > NZ_BEGUN_BTREES) return false;
  for (int i = 0; i < NZ_BEGUN_BTREES; i++) {
    if (i >= t->btrees_used) break;
    if (bpf_probe_read_user(&state, 1, (void*)(t->btrees[i] + in_trans)) || state) return false;
  }
  return true;
}

static __always_inline void nz_remember_btree(struct nz_sqlite_thread* t, __u64 btree) {
  __u32 used = t->btrees_used;
  for (int i = 0; i < NZ_BEGUN_BTREES; i++) {
    if (i < used && t->btrees[i] == btree) return;
  }
  if (used < NZ_BEGUN_BTREES) t->btrees[used & (NZ_BEGUN_BTREES - 1)] = btree;
  if (used <= NZ_BEGUN_BTREES) t->btrees_used = used + 1;
}

static __always_inline void nz_forget_waits(struct nz_sqlite_thread* t) {
  for (int i = 0; i < NZ_SLOW_WAITS; i++) t->wait_ns[i] = 0;
}

SEC("uprobe.multi/sqlite_begin")
int nz_sqlite_begin(struct pt_regs* ctx) {
  __u64 cookie = bpf_get_attach_cookie(ctx);
  struct nz_sqlite_stats* s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(cookie));
  struct nz_thread* thread = nz_thread_of(ctx);
  struct nz_sqlite_thread* t;
  if (!s || !thread) return 0;
  t = &thread->sqlite;
  nz_hit(s, NZ_SQL_BEGIN);
  nz_new_boundary(t, s, cookie);
  if (nz_compiles_now(t, cookie, ctx->sp)) return 0;
  if (t->begins && nz_all_quiet(t, NZ_SQL_INTRANS(cookie))) {
    t->begins = 0;
    t->ambiguous = 0;
  }
  if (!t->begins) {
    t->btrees_used = 0;
    nz_forget_waits(t);
  }
  nz_remember_btree(t, ctx->di);
  t->begins += 1;
  if (t->begins > 1)
    t->ambiguous = 1;
  else
    t->begin_stage = nz_stage_now(thread);
  t->writes = (__u32)ctx->si;
  t->begin_ts = bpf_ktime_get_ns();
  return 0;
}

static __always_inline void nz_tell_slow_boundary(struct nz_sqlite_thread* t, struct nz_vdbe* v,
                                                  __u32 slot, __u32 id, __u64 now, __u64 open_ns,
                                                  bool inside) {
  struct nz_ended_statement e = {};
  e.text = v->text;
  e.ts = now;
  e.inside_ns = inside ? open_ns : 0;
  e.open_ns = open_ns;
  for (int i = 0; i < NZ_SLOW_WAITS; i++) e.wait_ns[i] = t->wait_ns[i];
  e.slot = slot;
  e.id = id & NZ_STATEMENT_ID;
  e.stage = t->begin_stage;
  e.result = v->rc & 255;
  e.flags = NZ_SLOW_ROWS_UNKNOWN | (inside ? 0 : NZ_SLOW_INSIDE_UNKNOWN);
  nz_tell_slow_statement(&e);
}

/* Counts the end of `stmt`; its durations if `began` is not 0. `begin`: when its transaction began,
 * 0 = not seen. It is not `began` where a statement is timed from its end alone: steps of it that
 * the step plan has seen are older than that. */
static __always_inline void nz_halted(struct nz_sqlite_thread* t, struct nz_sqlite_stats* s,
                                      __u64 stmt, __u64 cookie, struct nz_vdbe* v, __u64 began,
                                      __u64 begin, __u64 now, bool inside) {
  __u32 cpu = bpf_get_smp_processor_id(), id = nz_id_of(t, stmt, v->text, cookie);
  if (nz_has_open(t) && nz_take_open(t, stmt, begin, inside)) {
    NZ_ADD(s->partial, 1);
    began = 0;
  }
  /* Where statements are interleaved (no `began`) the thread's waits may be another's. */
  nz_count_statement(cpu, s, id, 0, v->rc & 255, began ? t->wait_ns : NULL,
                     began ? t->begin_stage : 0);
  if (!began) return;
  nz_record_statement(cpu, id, NZ_STMT_OPEN, now - began);
  if (nz_is_slow(NZ_SQL_SLOT(cookie), now - began))
    nz_tell_slow_boundary(t, v, NZ_SQL_SLOT(cookie), id, now, now - began, inside);
  if (inside)
    nz_record_statement(cpu, id, NZ_STMT_INSIDE, now - began);
  else
    NZ_ADD(s->not_sampled, 1);
}

static __always_inline void nz_read_vdbe_at_halt(struct nz_vdbe* v, struct nz_sqlite_thread* t,
                                                 __u64 stmt, __u64 cookie) {
  nz_read_vdbe(v, t, stmt, NZ_SQL_ZSQL(cookie), NZ_SQL_STATE(cookie), NZ_SQL_RC(cookie));
}

SEC("uprobe.session/sqlite_halt")
int nz_sqlite_halt(struct pt_regs* ctx) {
  __u64 cookie = bpf_get_attach_cookie(ctx), stmt, now, began = 0, begin = 0;
  struct nz_sqlite_stats* s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(cookie));
  struct nz_thread* thread = nz_thread_of(ctx);
  struct nz_sqlite_thread* t;
  struct nz_vdbe v;
  bool fresh, inside = false;
  if (!s || !thread) return NZ_SKIP_RETURN;
  t = &thread->sqlite;

  if (!bpf_session_is_return()) {
    stmt = ctx->di;
    nz_hit(s, NZ_SQL_HALT);
    nz_read_vdbe_at_halt(&v, t, stmt, cookie);
    /* Halt is also called for statements that do not run: then it does nothing. Hardly ever, so
     * one of which that is not known has run. */
    if (!v.running && !v.unread) return NZ_SKIP_RETURN;
    if (nz_compiles_now(t, cookie, ctx->sp)) return NZ_SKIP_RETURN;
    fresh = nz_new_boundary(t, s, cookie);
    now = bpf_ktime_get_ns();
    if (fresh) {
      /* The first that this attach sees of the thread: the begin may have come before it. */
      NZ_ADD(s->partial, 1);
    } else if (t->begins && !t->ambiguous && !t->writes) {
      began = t->begin_ts;
      t->begins = 0;
    } else {
      *bpf_session_cookie() = stmt;
      t->halt_ts = now;
      if (!t->begins) {
        nz_forget_waits(t);
        t->begin_stage = nz_stage_now(thread);
      }
      return NZ_WANT_RETURN;
    }
    nz_halted(t, s, stmt, cookie, &v, began, began, now, false);
    return NZ_SKIP_RETURN;
  }

  now = bpf_ktime_get_ns();
  nz_hit(s, NZ_SQL_HALT_RETURN);
  stmt = *bpf_session_cookie();
  nz_read_vdbe_at_halt(&v, t, stmt, cookie);
  /* Vdbe.rc does not say that a commit found the database locked. */
  if ((ctx->ax & 255) == NZ_SQLITE_BUSY) v.rc = NZ_SQLITE_BUSY;
  if (!t->begins) {
    NZ_ADD(s->no_begin, 1);
    began = t->halt_ts;
    inside = true;
  } else if (t->ambiguous) {
    NZ_ADD(s->ambiguous, 1);
    t->begins -= 1;
    if (!t->begins) t->ambiguous = 0;
  } else {
    began = begin = t->begin_ts;
    t->begins = 0;
    inside = true;
  }
  nz_halted(t, s, stmt, cookie, &v, began, begin, now, inside);
  return 0;
}

/* ---- compile, waits, connections: both plans
 * -------------------------------------------------------- */

/* Outermost compiles only: to compile a statement, SQLite may compile others (the schema's). True
 * if this one is to be timed. */
static __always_inline bool nz_compile_begins(struct pt_regs* ctx, __u64 cookie) {
  struct nz_thread* thread = nz_thread_of(ctx);
  struct nz_sqlite_thread* t;
  if (!thread) return true;
  t = &thread->sqlite;
  if (nz_compiles_now(t, cookie, ctx->sp)) return false;
  t->compiling = 1;
  t->compile_attach = NZ_SQL_COMPILE_ATTACH(cookie);
  t->compile_sp = ctx->sp;
  return true;
}

/* To the statement that the thread is in, by either plan. */
static __always_inline void nz_add_wait(struct nz_sqlite_thread* t, __u32 kind, __u64 ns) {
  if (kind >= NZ_SLOW_WAITS) return;
  t->wait_ns[kind] += ns;
  if (t->step_active) t->open[t->last_open & (NZ_OPEN_STATEMENTS - 1)].wait_ns[kind] += ns;
}

SEC("uprobe.session/sqlite_wait")
int nz_sqlite_wait(struct pt_regs* ctx) {
  __u64 cookie = bpf_get_attach_cookie(ctx);
  __u32 cpu = bpf_get_smp_processor_id(), slot = NZ_SQL_SLOT(cookie);
  __u32 kind = NZ_SQL_FLAGS(cookie) >> NZ_SQL_WAIT_SHIFT & (NZ_WAITS - 1);
  struct nz_sqlite_stats* s = nz_sqlite_of(cpu, slot);
  struct nz_thread* thread;
  __u64 ns;
  if (!s || slot >= NZ_SLOTS) return NZ_SKIP_RETURN;
  if (!bpf_session_is_return()) {
    nz_hit(s, kind == NZ_WAIT_COMPILE ? NZ_SQL_COMPILE : NZ_SQL_WAIT);
    if (kind == NZ_WAIT_COMPILE) {
      /* From here on memory of finalised statements may be used anew. */
      NZ_ADD(nz_control.sqlite_compiles[slot], 1);
      if (!nz_compile_begins(ctx, cookie)) return NZ_SKIP_RETURN;
    }
    *bpf_session_cookie() = bpf_ktime_get_ns();
    return NZ_WANT_RETURN;
  }
  ns = bpf_ktime_get_ns() - *bpf_session_cookie();
  nz_record(cpu, nz_config.series_sqlite_wait + slot * NZ_WAITS + kind, ns);
  thread = nz_thread_of(ctx);
  if (kind == NZ_WAIT_COMPILE) {
    /* Again: another thread may have remembered an old text while this one compiled. */
    NZ_ADD(nz_control.sqlite_compiles[slot], 1);
    if (thread) thread->sqlite.compiling = 0;
  } else if (thread) {
    nz_add_wait(&thread->sqlite, kind, ns);
  }
  return 0;
}

SEC("uprobe.multi/sqlite_open")
int nz_sqlite_open(struct pt_regs* ctx) {
  __u64 cookie = bpf_get_attach_cookie(ctx);
  struct nz_sqlite_stats* s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(cookie));
  if (!s) return 0;
  nz_hit(s, NZ_SQL_OPEN);
  if (!(NZ_SQL_FLAGS(cookie) & NZ_SQL_CLOSE))
    NZ_ADD(s->opens, 1);
  else if (ctx->di) /* sqlite3_close(NULL) does nothing */
    NZ_ADD(s->closes, 1);
  return 0;
}
