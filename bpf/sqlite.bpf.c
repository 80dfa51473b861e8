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
#include "nearzero/sqlite_text.h"

/* uprobe sessions (6.13, commit d920179b3d48): one program for entry and return, and 8 bytes that
 * travel from the one to the other. Returning 1 at the entry skips the return altogether. Not in a
 * header: bpftool 7.1 cannot link two files that declare the same kernel function. */
extern bool bpf_session_is_return(void) __ksym __weak;
extern __u64* bpf_session_cookie(void) __ksym __weak;
#define NZ_WANT_RETURN 0
#define NZ_SKIP_RETURN 1

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

static __always_inline void nz_count_statement(__u32 cpu, struct nz_sqlite_stats* s, __u32 id,
                                               __u64 rows, __u32 rc) {
  __u32 key = cpu * nz_config.max_statements + (id & NZ_STATEMENT_ID);
  struct nz_statement_stats* c = bpf_map_lookup_elem(&nz_statement_counts, &key);
  NZ_ADD(s->result[rc & 127], 1);
  /* One drop for each that is counted as "other", so that the two always agree. */
  if (!(id & NZ_STATEMENT_ID))
    nz_drop(id & NZ_UNREAD ? NZ_DROP_STATEMENT_UNREAD : NZ_DROP_STATEMENT_OTHER);
  if (!c) return;
  NZ_ADD(c->count, 1);
  if (rows) NZ_ADD(c->rows, rows);
  if (rc && rc != NZ_SQLITE_ROW && rc != NZ_SQLITE_DONE) NZ_ADD(c->errors, 1);
}

static __always_inline void nz_record_statement(__u32 cpu, __u32 id, __u32 which, __u64 ns) {
  nz_record_here(cpu, nz_config.series_statement + (id & NZ_STATEMENT_ID) * NZ_STMT_SERIES + which,
                 ns);
}

/* ---- statements that are open, step plan
 * -------------------------------------------------------------- */

/* What a session adds to a step, and to the pause between two of them: some 0.9 us here. A thousand
 * steps of 0.1 us each would read as ten times what they are, while the plan is there to leave them
 * alone. It is estimated from below and above: no step was shorter, and it is no more than this. */
#define NZ_SESSION_AT_MOST_NS 900

static __always_inline __u64 nz_session_ns(__u32 slot, __u32 which) {
  __u64 inverted = *(volatile __u64*)&nz_control.sqlite_shortest_inverted[NZ_SLOT(slot)][which & 1];
  __u64 shortest = inverted ? ~inverted : 0;
  shortest -= shortest >> 3; /* the rest is taken for what it really did */
  return shortest < NZ_SESSION_AT_MOST_NS ? shortest : NZ_SESSION_AT_MOST_NS;
}

/* A statement of a sampling window, or what was seen of it. Returns its time inside. */
static __always_inline __u64 nz_sampled(struct nz_sqlite_stats* s, struct nz_open_statement* o) {
  __u32 slot = NZ_SQL_SLOT(o->cookie);
  __u64 added = o->steps * nz_session_ns(slot, 0), between, pauses, inside;
  if (!o->last_ts) return 0;
  inside = o->inside_ns > added ? o->inside_ns - added : 0;
  between = o->last_ts - o->first_ts - o->inside_ns;
  pauses = (o->steps - 1) * nz_session_ns(slot, 1);
  NZ_ADD(s->sampled_inside_ns, inside);
  NZ_ADD(s->sampled_open_ns, inside + (between > pauses ? between - pauses : 0));
  return inside;
}

/* The statement in `o` has ended with `rc`. */
__attribute__((noinline)) int nz_close_statement(struct nz_sqlite_thread* t,
                                                 struct nz_open_statement* o, __u32 rc) {
  __u32 cpu = bpf_get_smp_processor_id();
  struct nz_sqlite_stats* s;
  bool complete;
  __u32 id;
  if (!t || !o) return 0;
  s = nz_sqlite_of(cpu, NZ_SQL_SLOT(o->cookie));
  if (!s) return 0;
  complete = o->whole && !o->in_step;
  id = o->named ? o->id : NZ_UNREAD;
  if (o->sampling) {
    __u64 inside = nz_sampled(s, o);
    if (complete && !o->recorded) nz_record_statement(cpu, id, NZ_STMT_INSIDE, inside);
  } else {
    nz_count_statement(cpu, s, id, o->rows, rc);
    if (complete) {
      nz_record_statement(cpu, id, NZ_STMT_INSIDE, o->inside_ns);
      nz_record_statement(cpu, id, NZ_STMT_OPEN, o->last_ts - o->first_ts);
    } else {
      NZ_ADD(s->partial, 1);
    }
  }
  o->stmt = 0;
  return 0;
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
};

static __always_inline void nz_read_vdbe(struct nz_vdbe* v, struct nz_sqlite_thread* t, __u64 stmt,
                                         __u32 text, __u32 state, __u32 rc) {
  __u32 first = (rc && rc < state ? rc : state) & ~7U;
  __u32 size = text + sizeof(v->text) - first;
  v->text = 0;
  v->rc = 0;
  v->running = !state;
  barrier_var(size);
  if (text > state && text > rc && state && size <= NZ_VDBE_WINDOW) {
    /* A statement that was finalised may be unmapped: then it has ended, too. */
    if (bpf_probe_read_user(t->vdbe, size & (sizeof(t->vdbe) - 1), (void*)(stmt + first))) return;
    v->text = *(__u64*)(t->vdbe + ((text - first) & (NZ_VDBE_WINDOW - 8)));
    v->running = t->vdbe[(state - first) & (NZ_VDBE_WINDOW - 1)] == NZ_VDBE_RUN;
    if (rc) v->rc = *(__u32*)(t->vdbe + ((rc - first) & (NZ_VDBE_WINDOW - 4)));
    return;
  }
  if (state) {
    __u8 now = 0;
    v->running = !bpf_probe_read_user(&now, 1, (void*)(stmt + state)) && now == NZ_VDBE_RUN;
  }
  if (text) bpf_probe_read_user(&v->text, sizeof(v->text), (void*)(stmt + text));
  if (rc) bpf_probe_read_user(&v->rc, sizeof(v->rc), (void*)(stmt + rc));
}

/* The same for one that may have been finalised long ago, with anything in its memory since. */
static __always_inline bool nz_still_runs(struct nz_open_statement* o) {
  __u64 text = 0;
  if (!nz_is_running(o->stmt, o->cookie)) return false;
  if (!o->named || !NZ_SQL_ZSQL(o->cookie)) return true;
  if (bpf_probe_read_user(&text, sizeof(text), (void*)(o->stmt + NZ_SQL_ZSQL(o->cookie))))
    return false;
  return text == o->text;
}

/* The entry of `stmt` where no other statement is open, which is the common case. */
static __always_inline struct nz_open_statement* nz_only_open(struct nz_sqlite_thread* t,
                                                              __u64 stmt, __u64 cookie) {
  struct nz_open_statement* o = &t->open[t->last_open & (NZ_OPEN_STATEMENTS - 1)];
  __u32 used = 0;
#pragma unroll
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) used += t->open[i].stmt != 0;
  return used == 1 && o->stmt == stmt && o->cookie == cookie ? o : NULL;
}

/* Makes t->last_open the entry of `stmt`, or a free one. Ended ones (reset before their last row)
 * are closed on the way. */
__attribute__((noinline)) int nz_find_open(struct nz_sqlite_thread* t, __u64 stmt, __u64 cookie) {
  struct nz_sqlite_stats* s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(cookie));
  bool found = false, free = false;
  if (!t || !s) return 0;
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) {
    struct nz_open_statement* o = &t->open[i];
    if (o->stmt && o->cookie != cookie) {
      /* Left over from an earlier attach or sampling window: steps of it were missed. */
      if (o->sampling)
        nz_sampled(s, o);
      else
        NZ_ADD(s->partial, 1);
      o->stmt = 0;
    }
    if (o->stmt == stmt) {
      found = true;
      t->last_open = i;
    } else if (o->stmt && !nz_still_runs(o)) {
      nz_close_statement(t, o, NZ_SQLITE_ROW);
    }
    if (!o->stmt && !found) {
      free = true;
      t->last_open = i;
    }
  }
  if (!found && !free) {
    t->last_open = stmt >> 6 & (NZ_OPEN_STATEMENTS - 1);
    t->open[t->last_open & (NZ_OPEN_STATEMENTS - 1)].stmt = 0;
    NZ_ADD(s->partial, 1);
  }
  return 0;
}

/* The entry of `stmt`, which is about to make a step; `running`: it has made others before. */
static __always_inline struct nz_open_statement* nz_open_of(struct nz_sqlite_thread* t, __u64 stmt,
                                                            __u64 cookie, bool running) {
  struct nz_open_statement* o = nz_only_open(t, stmt, cookie);
  if (!o) {
    nz_find_open(t, stmt, cookie);
    o = &t->open[t->last_open & (NZ_OPEN_STATEMENTS - 1)];
  }
  if (o->stmt) {
    if (running) return o;
    nz_close_statement(t, o, NZ_SQLITE_ROW);
  }
  o->stmt = stmt;
  o->cookie = cookie;
  o->first_ts = 0;
  o->last_ts = 0;
  o->inside_ns = 0;
  o->rows = 0;
  o->steps = 0;
  o->named = 0;
  o->whole = !running;
  o->recorded = 0;
  o->sampling = NZ_SQL_FLAGS(cookie) & NZ_SQL_SAMPLING;
  return o;
}

static __always_inline bool nz_has_open(struct nz_sqlite_thread* t) {
  __u64 any = 0;
#pragma unroll
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) any |= t->open[i].stmt;
  return any;
}

/* Halt of `stmt` is about to be counted: takes the statement out of the table, if it is there, and
 * counts those that ended before the boundary plan came. `began`: when this execution began, 0 =
 * not seen. `inside`: its time inside SQLite is recorded, so that a sampling window must not. */
__attribute__((noinline)) int nz_take_open(struct nz_sqlite_thread* t, __u64 stmt, __u64 began,
                                           __u32 inside) {
  if (!t) return 0;
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) {
    struct nz_open_statement* o = &t->open[i];
    if (!o->stmt) continue;
    if (o->sampling) {
      if (o->stmt == stmt && inside) o->recorded = 1;
      continue;
    }
    if (o->stmt != stmt) {
      if (!nz_still_runs(o)) nz_close_statement(t, o, NZ_SQLITE_ROW);
    } else if (began && o->last_ts && !o->in_step && o->last_ts < began) {
      nz_close_statement(t, o, NZ_SQLITE_ROW); /* an earlier execution, reset before its last row */
    } else {
      o->stmt = 0;
    }
  }
  return 0;
}

/* ---- step plan
 * ------------------------------------------------------------------------------------ */

/* Entry and return are two programs, not a session: the return needs to ask for nothing. It also
 * comes for steps that are not timed; those have another stack pointer. */
SEC("uprobe.multi/sqlite_step")
int nz_sqlite_step(struct pt_regs* ctx) {
  struct nz_thread* thread = nz_thread_of(ctx);
  __u64 cookie = bpf_get_attach_cookie(ctx), stmt = ctx->di;
  bool sampling = NZ_SQL_FLAGS(cookie) & NZ_SQL_SAMPLING;
  struct nz_sqlite_stats* s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(cookie));
  struct nz_sqlite_thread* t;
  struct nz_open_statement* o;
  struct nz_vdbe v;
  if (!s || !thread || NZ_SQL_SLOT(cookie) >= NZ_SLOTS) return 0;
  t = &thread->sqlite;
  nz_hit(s, sampling ? NZ_SQL_STEP_SAMPLED : NZ_SQL_STEP);
  /* Misuse, which SQLite answers with SQLITE_MISUSE itself, and its own reading of the schema. */
  if (!stmt || nz_compiles_now(t, cookie, ctx->sp)) {
    if (!sampling) NZ_ADD(s->steps_not_counted, 1);
    return 0;
  }
  if (t->step_active && NZ_SQL_ATTACH(t->step_cookie) == NZ_SQL_ATTACH(cookie) &&
      ctx->sp < t->step_sp) {
    /* SQL inside a SQL function: its time belongs to the outer statement. */
    if (!sampling) NZ_ADD(s->nested, 1);
    return 0;
  }
  nz_read_vdbe(&v, t, stmt, NZ_SQL_ZSQL(cookie), NZ_SQL_STATE(cookie), 0);
  o = nz_open_of(t, stmt, cookie, v.running);
  o->in_step = 1;
  t->step_active = 1;
  t->step_cookie = cookie;
  t->step_sp = ctx->sp;
  t->step_text = v.text;
  t->step_ts = bpf_ktime_get_ns();
  return 0;
}

/* What only a sampling window wants to know of a step. */
static __always_inline void nz_sample_step(struct nz_sqlite_thread* t, struct nz_open_statement* o,
                                           __u64 now) {
  __u64* shortest =
      (__u64*)nz_control.sqlite_shortest_inverted[NZ_SLOT(NZ_SQL_SLOT(t->step_cookie))];
  nz_keep_max(&shortest[0], ~(now - t->step_ts), true);
  if (o->first_ts) nz_keep_max(&shortest[1], ~(t->step_ts - o->last_ts), true);
}

SEC("uretprobe.multi/sqlite_step")
int nz_sqlite_step_return(struct pt_regs* ctx) {
  __u64 now = bpf_ktime_get_ns(), cookie;
  struct nz_thread* thread = nz_thread_of(ctx);
  struct nz_sqlite_thread* t;
  struct nz_open_statement* o;
  __u32 rc = ctx->ax & 255;
  if (!thread) return 0;
  t = &thread->sqlite;
  /* The return address has been popped. */
  if (!t->step_active || ctx->sp - 8 != t->step_sp) return 0;
  /* Of an earlier attach, whose return was not seen: this one is of another step, from the same
   * place, whose entry came before the entry's link. */
  if (bpf_get_attach_cookie(ctx) != t->step_cookie) return 0;
  t->step_active = 0;
  cookie = t->step_cookie;
  o = &t->open[t->last_open & (NZ_OPEN_STATEMENTS - 1)];
  if (!o->stmt) return 0; /* its Halt has counted it, in the boundary plan that takes over */
  o->in_step = 0;
  o->steps += 1;
  if (o->sampling) nz_sample_step(t, o, now);
  if (!o->first_ts) o->first_ts = t->step_ts;
  o->last_ts = now;
  o->inside_ns += now - t->step_ts;
  if (!o->named) {
    o->id = nz_id_of(t, o->stmt, t->step_text, cookie);
    o->text = t->last_text;
    o->named = 1;
  }
  if (rc == NZ_SQLITE_ROW)
    o->rows += 1;
  else
    nz_close_statement(t, o, rc);
  return 0;
}

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
  if (!t->begins) t->btrees_used = 0;
  nz_remember_btree(t, ctx->di);
  t->begins += 1;
  if (t->begins > 1) t->ambiguous = 1;
  t->writes = (__u32)ctx->si;
  t->begin_ts = bpf_ktime_get_ns();
  return 0;
}

/* Counts the end of `stmt`; its durations if `began` is not 0. */
static __always_inline void nz_halted(struct nz_sqlite_thread* t, struct nz_sqlite_stats* s,
                                      __u64 stmt, __u64 cookie, struct nz_vdbe* v, __u64 began,
                                      __u64 now, bool inside) {
  __u32 cpu = bpf_get_smp_processor_id(), id = nz_id_of(t, stmt, v->text, cookie);
  if (nz_has_open(t)) nz_take_open(t, stmt, began, inside);
  nz_count_statement(cpu, s, id, 0, v->rc & 255);
  if (!began) return;
  nz_record_statement(cpu, id, NZ_STMT_OPEN, now - began);
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
  __u64 cookie = bpf_get_attach_cookie(ctx), stmt, now, began = 0;
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
    /* Halt is also called for statements that do not run: then it does nothing. */
    if (!v.running) return NZ_SKIP_RETURN;
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
      return NZ_WANT_RETURN;
    }
    nz_halted(t, s, stmt, cookie, &v, began, now, false);
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
    began = t->begin_ts;
    t->begins = 0;
    inside = true;
  }
  nz_halted(t, s, stmt, cookie, &v, began, now, inside);
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

SEC("uprobe.session/sqlite_wait")
int nz_sqlite_wait(struct pt_regs* ctx) {
  __u64 cookie = bpf_get_attach_cookie(ctx);
  __u32 cpu = bpf_get_smp_processor_id(), slot = NZ_SQL_SLOT(cookie);
  __u32 kind = NZ_SQL_FLAGS(cookie) >> NZ_SQL_WAIT_SHIFT & (NZ_WAITS - 1);
  struct nz_sqlite_stats* s = nz_sqlite_of(cpu, slot);
  struct nz_thread* thread;
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
  nz_record(cpu, nz_config.series_sqlite_wait + slot * NZ_WAITS + kind,
            bpf_ktime_get_ns() - *bpf_session_cookie());
  if (kind == NZ_WAIT_COMPILE) {
    /* Again: another thread may have remembered an old text while this one compiled. */
    NZ_ADD(nz_control.sqlite_compiles[slot], 1);
    thread = nz_thread_of(ctx);
    if (thread) thread->sqlite.compiling = 0;
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

/* Statements that a thread leaves open when it ends, or runs another program: those that were
 * stepped to a row and then reset are complete; of one that the thread dies in, the end is not
 * seen. For threads.bpf.c. */
__attribute__((noinline)) int nz_statements_abandoned(struct nz_thread* thread) {
  struct nz_sqlite_stats* s;
  if (!thread) return 0;
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) {
    struct nz_open_statement* o = &thread->sqlite.open[i];
    if (!o->stmt || o->sampling) continue;
    if (!o->in_step) {
      nz_close_statement(&thread->sqlite, o, NZ_SQLITE_ROW);
      continue;
    }
    s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(o->cookie));
    if (s) NZ_ADD(s->partial, 1);
    o->stmt = 0;
  }
  return 0;
}

/* The duty cycle paused, and nobody saw how the open statements went on. For threads.bpf.c. */
__attribute__((noinline)) int nz_statements_cut(struct nz_thread* thread) {
  struct nz_sqlite_stats* s;
  if (!thread) return 0;
  for (int i = 0; i < NZ_OPEN_STATEMENTS; i++) {
    struct nz_open_statement* o = &thread->sqlite.open[i];
    if (!o->stmt) continue;
    s = nz_sqlite_of(bpf_get_smp_processor_id(), NZ_SQL_SLOT(o->cookie));
    if (s && !o->sampling) NZ_ADD(s->partial, 1);
    o->stmt = 0;
  }
  thread->sqlite.step_active = 0;
  thread->sqlite.compiling = 0;
  /* No attach has this number: the next one finds what was begun, and counts it. */
  if (thread->sqlite.boundary) thread->sqlite.boundary = ~0U;
  return 0;
}
