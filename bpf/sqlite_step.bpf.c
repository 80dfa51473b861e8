/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* SQLite by the step plan: entry and return of sqlite3_step, exact and once per row, no pairing.
 * What it has seen of a statement stands in the thread's table of open ones until its end is seen
 * (sqlite.bpf.c has the other plan, and says how one takes over from the other). */
#include "nearzero/sqlite_statement.h"

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

static __always_inline void nz_tell_slow_step(struct nz_open_statement* o, __u32 rc) {
  struct nz_ended_statement e = {};
  e.text = o->text;
  e.ts = o->last_ts;
  e.inside_ns = o->inside_ns;
  e.open_ns = o->last_ts - o->first_ts;
  e.rows = o->rows;
  for (int i = 0; i < NZ_SLOW_WAITS; i++) e.wait_ns[i] = o->wait_ns[i];
  e.slot = NZ_SQL_SLOT(o->cookie);
  e.id = o->named ? o->id & NZ_STATEMENT_ID : 0;
  e.stage = o->stage;
  e.result = rc;
  nz_tell_slow_statement(&e);
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
    nz_count_statement(cpu, s, id, o->rows, rc, o->wait_ns, o->stage);
    if (complete) {
      nz_record_statement(cpu, id, NZ_STMT_INSIDE, o->inside_ns);
      nz_record_statement(cpu, id, NZ_STMT_OPEN, o->last_ts - o->first_ts);
      if (nz_is_slow(NZ_SQL_SLOT(o->cookie), o->inside_ns)) nz_tell_slow_step(o, rc);
    } else {
      NZ_ADD(s->partial, 1);
    }
  }
  o->stmt = 0;
  return 0;
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

/* The entry of `stmt`, which is about to make a step; `running`: it has made others before;
 * `unread`: whether it has is not known. Then what is open goes on, and counts as one that was not
 * seen whole: it may be two, and one that is taken for two would be counted twice. */
static __always_inline struct nz_open_statement* nz_open_of(struct nz_thread* thread, __u64 stmt,
                                                            __u64 cookie, bool running,
                                                            bool unread) {
  struct nz_sqlite_thread* t = &thread->sqlite;
  struct nz_open_statement* o = nz_only_open(t, stmt, cookie);
  if (!o) {
    nz_find_open(t, stmt, cookie);
    o = &t->open[t->last_open & (NZ_OPEN_STATEMENTS - 1)];
  }
  if (o->stmt) {
    if (unread) o->whole = 0;
    if (running || unread) return o;
    nz_close_statement(t, o, NZ_SQLITE_ROW);
  }
  o->stmt = stmt;
  o->cookie = cookie;
  o->first_ts = 0;
  o->last_ts = 0;
  o->inside_ns = 0;
  for (int i = 0; i < NZ_SLOW_WAITS; i++) o->wait_ns[i] = 0;
  o->rows = 0;
  o->steps = 0;
  o->named = 0;
  o->whole = !running && !unread;
  o->recorded = 0;
  o->sampling = NZ_SQL_FLAGS(cookie) & NZ_SQL_SAMPLING;
  /* Of a sampling window none is told. */
  o->stage = o->sampling ? 0 : nz_stage_now(thread);
  return o;
}

__attribute__((noinline)) int nz_take_open(struct nz_sqlite_thread* t, __u64 stmt, __u64 began,
                                           __u32 inside) {
  int unsure = 0;
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
      unsure = !began && o->last_ts && !o->in_step;
      o->stmt = 0;
    }
  }
  return unsure;
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
  o = nz_open_of(thread, stmt, cookie, v.running, v.unread);
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

/* The duty cycle paused, or everything was detached, and nobody saw how the open statements went
 * on. For threads.bpf.c. */
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
