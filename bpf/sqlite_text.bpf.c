/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reads, hashes and numbers the texts of statements: the slow way of sqlite_text.h, once per
 * prepared statement and compile. */
#include "nearzero/sqlite_text.h"
#include "nearzero/sql_normalise.h"

#define NZ_PROBES_IN_TABLE 8
#define NZ_STATEMENT_TABLE 1024

struct nz_normaliser {
  const char* text;
  __u64 hash;
  __u32 length;
  __u8 state; /* enum nz_sql_state */
};

static long nz_normalise(__u32 i, struct nz_normaliser* n) {
  __u8 c, next, state = n->state;
  if (i >= n->length || i >= NZ_SQL_TEXT) return 1;
  /* The text ends with a NUL, which stands at NZ_SQL_TEXT - 1 at the latest. */
  next = n->text[(i + 1) & (NZ_SQL_TEXT - 1)];
  c = nz_sql_next(&state, n->text[i & (NZ_SQL_TEXT - 1)], next);
  n->state = state;
  if (c) n->hash = (n->hash ^ c) * 0x100000001b3ULL; /* FNV-1a */
  return 0;
}

static __always_inline void nz_tell_statement(__u32 slot, __u32 id, const char* text,
                                              __u32 length) {
  struct nz_statement_event* e = bpf_ringbuf_reserve(&nz_events, sizeof(*e), 0);
  if (!e) {
    nz_drop(NZ_DROP_RING_FULL);
    return;
  }
  e->head.kind = NZ_EVENT_STATEMENT;
  e->head.tgid = bpf_get_current_pid_tgid() >> 32;
  e->head.parent = 0;
  e->head.slot = slot;
  e->head.ts = bpf_ktime_get_ns();
  e->id = id;
  e->length = length;
  bpf_probe_read_kernel(e->text, sizeof(e->text), text);
  bpf_ringbuf_submit(e, 0);
}

/* The id of a hash, claimed at first sight (then with NZ_FRESH); 0 ("other") when the pool is used
 * up. Global, as the functions below: the verifier looks at it once. */
__attribute__((noinline)) __u32 nz_statement_id(__u64 hash, __u32 slot) {
  for (__u32 i = 0; i < NZ_PROBES_IN_TABLE; i++) {
    __u32 key = ((__u32)(hash >> 32) + i) & (NZ_STATEMENT_TABLE - 1);
    struct nz_statement* s = bpf_map_lookup_elem(&nz_statements, &key);
    __u32 id;
    if (!s) return 0;
    if (!s->hash) {
      if (nz_control.next_statement >= nz_config.max_statements) return 0;
      if (!__sync_val_compare_and_swap(&s->hash, 0, hash)) {
        id = NZ_ADD(nz_control.next_statement, 1);
        if (id >= nz_config.max_statements) {
          *(volatile __u32*)&s->id = NZ_STATEMENT_NONE;
          return 0;
        }
        s->slot = slot;
        *(volatile __u32*)&s->id = id;
        return id | NZ_FRESH;
      }
    }
    if (*(volatile __u64*)&s->hash != hash) continue;
    id = *(volatile __u32*)&s->id;
    if (!id) return NZ_PENDING;
    return id == NZ_STATEMENT_NONE ? 0 : id;
  }
  return 0;
}

struct nz_id_search {
  __u64 hash;
  __u32 slot, id;
};

static long nz_search_id(__u32 i, struct nz_id_search* search) {
  search->id = nz_statement_id(search->hash, search->slot);
  return search->id != NZ_PENDING;
}

__attribute__((noinline)) __u32 nz_statement_of(struct nz_sqlite_thread* t, __u64 stmt,
                                                __u64 cookie) {
  __u32 slot = NZ_SQL_SLOT(cookie), offset = NZ_SQL_ZSQL(cookie);
  struct nz_normaliser n = {};
  struct nz_id_search search = {};
  struct nz_text_entry* e;
  __u64 text = 0, compiles;
  long length;
  if (!t) return 0;
  t->last_text = 0;
  if (!offset || slot >= NZ_SLOTS || !stmt) return NZ_UNREAD;
  if (bpf_probe_read_user(&text, sizeof(text), (void*)(stmt + offset)) || !text) return NZ_UNREAD;
  t->last_text = text;
  compiles = *(volatile __u64*)&nz_control.sqlite_compiles[slot];
  search.id = nz_remembered_statement(t, stmt, text, cookie);
  if (search.id != NZ_PENDING) return search.id;
  e = nz_text_of(t, stmt);
  length = bpf_probe_read_user_str(t->text, sizeof(t->text), (void*)text);
  if (length <= 1) return NZ_UNREAD;
  n.text = t->text;
  n.hash = 0xcbf29ce484222325ULL ^ slot;
  n.length = length - 1;
  bpf_loop(NZ_SQL_TEXT, nz_normalise, &n, 0);
  search.hash = n.hash ? n.hash : 1;
  search.slot = slot;
  /* The other thread needs some 20 ns, unless it is preempted just there: then this one is "other".
   */
  bpf_loop(256, nz_search_id, &search, 0);
  if (search.id == NZ_PENDING) return 0;
  e->id = search.id & NZ_STATEMENT_ID;
  e->stmt = stmt;
  e->text = text;
  e->compiles = compiles;
  if (search.id & NZ_FRESH) nz_tell_statement(slot, e->id, t->text, length - 1);
  return e->id;
}
