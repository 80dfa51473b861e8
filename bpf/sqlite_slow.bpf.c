/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The log of slow statements, kernel side: an event for each that came over its target's threshold,
 * no faster than a token bucket lets it. Rare by construction: nothing here is on the fast path. */
#include "nearzero/sqlite_slow.h"

#define NZ_BUCKET_ATTEMPTS 8

/* The bucket as a time (GCRA): each event moves it on by the interval; it may be ahead of now by as
 * many intervals as a burst has. */
static __always_inline bool nz_take_token(struct nz_slow_target* t, __u64 now) {
  for (int i = 0; i < NZ_BUCKET_ATTEMPTS; i++) {
    __u64 before = *(volatile __u64*)&t->bucket, from = before < now ? now : before;
    if (from - now > (NZ_SLOW_BURST - 1) * NZ_SLOW_EVERY_NS) return false;
    if (__sync_val_compare_and_swap(&t->bucket, before, from + NZ_SLOW_EVERY_NS) == before)
      return true;
  }
  return false;
}

static __always_inline void nz_fill(struct nz_slow_statement_event* to,
                                    struct nz_ended_statement* e) {
  __u64 id = bpf_get_current_pid_tgid();
  to->head.kind = NZ_EVENT_SLOW_STATEMENT;
  to->head.tgid = id >> 32;
  to->head.parent = 0;
  to->head.slot = e->slot;
  to->head.ts = e->ts;
  bpf_get_current_comm(to->head.comm, sizeof(to->head.comm));
  to->tid = (__u32)id;
  to->id = e->id;
  to->result = e->result;
  to->flags = e->flags;
  to->stage = e->stage;
  to->length = 0;
  to->inside_ns = e->inside_ns;
  to->open_ns = e->open_ns;
  to->rows = e->rows;
  for (int i = 0; i < NZ_SLOW_WAITS; i++) to->wait_ns[i] = e->wait_ns[i];
}

__attribute__((noinline)) int nz_tell_slow_statement(struct nz_ended_statement* e) {
  struct nz_slow_statement_text_event* with_text;
  struct nz_slow_statement_event* plain;
  struct nz_slow_target* t;
  if (!e) return 0;
  t = nz_slow_target_of(e->slot);
  if (!t) return 0;
  /* Closed on behalf of a thread by somebody else (nz_thread_fork): whose it was is unknown. */
  if (!nz_thread_of_task(bpf_get_current_task_btf()) || !nz_take_token(t, bpf_ktime_get_ns())) {
    NZ_ADD(t->limited, 1);
    return 0;
  }
  if (t->wants_text && e->text) {
    long length;
    with_text = bpf_ringbuf_reserve(&nz_events, sizeof(*with_text), 0);
    if (!with_text) goto full;
    nz_fill(&with_text->event, e);
    /* It may have been finalised since: userspace compares it with the text known by its id. */
    length = bpf_probe_read_user_str(with_text->text, sizeof(with_text->text), (void*)e->text);
    if (length > 1) with_text->event.length = length - 1;
    bpf_ringbuf_submit(with_text, 0);
  } else {
    plain = bpf_ringbuf_reserve(&nz_events, sizeof(*plain), 0);
    if (!plain) goto full;
    nz_fill(plain, e);
    bpf_ringbuf_submit(plain, 0);
  }
  NZ_ADD(t->told, 1);
  return 0;
full:
  NZ_ADD(t->ring_full, 1);
  nz_drop(NZ_DROP_RING_FULL);
  return 0;
}
