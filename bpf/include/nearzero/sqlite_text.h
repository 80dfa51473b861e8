/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which statement is this? The text is read and hashed once per prepared statement and compile; the
 * literals are left out of the hash, so that statements which differ in values alone are one. */
#ifndef NEARZERO_SQLITE_TEXT_H
#define NEARZERO_SQLITE_TEXT_H

#include "nearzero/histogram.h"
#include "nearzero/thread.h"

#define NZ_SQL_SLOT(cookie) ((__u32)(cookie)&255)
#define NZ_SQL_FLAGS(cookie) ((__u32)(cookie) >> 8 & 255)
#define NZ_SQL_ZSQL(cookie) ((__u32)((cookie) >> 16) & 0xfff)
#define NZ_SQL_COMPILE_ATTACH(cookie) ((__u32)(cookie) >> 28)
#define NZ_SQL_STATE(cookie) ((__u32)((cookie) >> 32) & 0xffff)
#define NZ_SQL_RC(cookie) ((__u32)((cookie) >> 48) & 0xffff)
#define NZ_SQL_ATTACH(cookie) ((__u32)((cookie) >> 48) & 0xffff)
#define NZ_SQL_INTRANS(cookie) ((__u32)((cookie) >> 32) & 0xffff)

#define NZ_FRESH 0x80000000U
/* Beside id 0 ("other"): why. */
#define NZ_UNREAD 0x40000000U
/* Not yet known: another thread is just taking the id of this text. */
#define NZ_PENDING 0x20000000U
#define NZ_STATEMENT_ID 0x0fffffffU
/* In nz_statement.id: the pool was used up when this hash came. */
#define NZ_STATEMENT_NONE 0xffffffffU

static __always_inline struct nz_text_entry* nz_text_of(struct nz_sqlite_thread* t, __u64 stmt) {
  return &t->texts[(stmt >> 6 ^ stmt >> 10) & (NZ_TEXT_CACHE - 1)];
}

/* The id of a statement whose text the thread has read before, else NZ_PENDING. `text` (Vdbe.zSql)
 * stands for the same text until something is compiled; where compiles are not seen, it must be
 * read anew each time. A blob handle is a statement that was never compiled: it has no text. */
static __always_inline __u32 nz_remembered_statement(struct nz_sqlite_thread* t, __u64 stmt,
                                                     __u64 text, __u64 cookie) {
  struct nz_text_entry* e = nz_text_of(t, stmt);
  __u64* compiles = &nz_control.sqlite_compiles[NZ_SLOT(NZ_SQL_SLOT(cookie))];
  if (e->stmt != stmt || e->text != text || e->compiles != *(volatile __u64*)compiles ||
      !NZ_SQL_COMPILE_ATTACH(cookie))
    return NZ_PENDING;
  t->last_text = text;
  return e->id;
}

/* Id of a statement, 0 for "other" with NZ_UNREAD when that is for lack of a text. `stmt` is the
 * Vdbe, which must be alive: call it inside one of its functions. A global function: the verifier
 * looks at it once. */
__u32 nz_statement_of(struct nz_sqlite_thread* t, __u64 stmt, __u64 cookie);

/* The same where `text` (Vdbe.zSql) is known. */
static __always_inline __u32 nz_id_of(struct nz_sqlite_thread* t, __u64 stmt, __u64 text,
                                      __u64 cookie) {
  __u32 id = nz_remembered_statement(t, stmt, text, cookie);
  return id == NZ_PENDING ? nz_statement_of(t, stmt, cookie) : id;
}

#endif
