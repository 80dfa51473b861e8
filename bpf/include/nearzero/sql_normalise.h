/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What of a statement's text makes it the statement that it is: literals become '?', comments are
 * left out. Plain C, compiled into the kernel's hash (sqlite_text.h) and into the text that is
 * shown (analysis/sql_digest.cpp), so that what hashes alike is shown alike by construction.
 *
 * Kept as they are: white space, case, identifiers in "", `` and []. SQLite takes a "string" for a
 * literal where no such column exists; that cannot be told from the text alone. */
#ifndef NEARZERO_SQL_NORMALISE_H
#define NEARZERO_SQL_NORMALISE_H

enum nz_sql_state {
  NZ_SQL_PLAIN,
  NZ_SQL_WORD,            /* behind a letter or digit of an identifier: a digit here is no number */
  NZ_SQL_NUMBER,          /* inside 12, 1.5e3, 0xff */
  NZ_SQL_PARAMETER,       /* inside ?12 */
  NZ_SQL_STRING,          /* inside '...' */
  NZ_SQL_STRING_QUOTE,    /* on the second ' of a '' inside a string */
  NZ_SQL_IDENTIFIER,      /* inside "..." */
  NZ_SQL_IDENTIFIER_BACK, /* inside `...` */
  NZ_SQL_IDENTIFIER_SQUARE, /* inside [...] */
  NZ_SQL_LINE_COMMENT,
  NZ_SQL_BLOCK_COMMENT,
  NZ_SQL_BLOCK_COMMENT_OPEN, /* on the star of its beginning, which does not end it */
  NZ_SQL_BLOCK_COMMENT_END,  /* on its last slash */
};

static inline __attribute__((always_inline)) int nz_sql_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}

static inline __attribute__((always_inline)) int nz_sql_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 128;
}

/* One character; `next` is the one behind it, 0 at the end. Returns the character to keep, 0: none.
 */
static inline __attribute__((always_inline)) unsigned char nz_sql_next(unsigned char* state,
                                                                       unsigned char c,
                                                                       unsigned char next) {
  unsigned char s = *state, lower = c | 32;
  switch (s) {
    case NZ_SQL_STRING:
      if (c == '\'') *state = next == '\'' ? NZ_SQL_STRING_QUOTE : NZ_SQL_PLAIN;
      return 0;
    case NZ_SQL_STRING_QUOTE:
      *state = NZ_SQL_STRING;
      return 0;
    case NZ_SQL_IDENTIFIER:
      if (c == '"') *state = NZ_SQL_PLAIN;
      return c;
    case NZ_SQL_IDENTIFIER_BACK:
      if (c == '`') *state = NZ_SQL_PLAIN;
      return c;
    case NZ_SQL_IDENTIFIER_SQUARE:
      if (c == ']') *state = NZ_SQL_PLAIN;
      return c;
    case NZ_SQL_LINE_COMMENT:
      if (c != '\n') return 0;
      *state = NZ_SQL_PLAIN;
      return c;
    case NZ_SQL_BLOCK_COMMENT_OPEN:
      *state = NZ_SQL_BLOCK_COMMENT;
      return 0;
    case NZ_SQL_BLOCK_COMMENT:
      if (c == '*' && next == '/') *state = NZ_SQL_BLOCK_COMMENT_END;
      return 0;
    case NZ_SQL_BLOCK_COMMENT_END:
      *state = NZ_SQL_PLAIN;
      return 0;
    case NZ_SQL_NUMBER:
      if (nz_sql_digit(c) || c == '.' || lower == 'x' || (lower >= 'a' && lower <= 'f')) return 0;
      break;
    case NZ_SQL_PARAMETER:
      if (nz_sql_digit(c)) return 0;
      break;
    case NZ_SQL_WORD:
      if (nz_sql_digit(c)) return c;
      break;
  }
  *state = NZ_SQL_PLAIN;
  if (c == '\'') {
    *state = NZ_SQL_STRING;
    return '?';
  }
  if (nz_sql_digit(c)) {
    *state = NZ_SQL_NUMBER;
    return '?';
  }
  if (nz_sql_letter(c)) *state = NZ_SQL_WORD;
  if (c == '?') *state = NZ_SQL_PARAMETER;
  if (c == '"') *state = NZ_SQL_IDENTIFIER;
  if (c == '`') *state = NZ_SQL_IDENTIFIER_BACK;
  if (c == '[') *state = NZ_SQL_IDENTIFIER_SQUARE;
  if (c == '-' && next == '-') {
    *state = NZ_SQL_LINE_COMMENT;
    return 0;
  }
  if (c == '/' && next == '*') {
    *state = NZ_SQL_BLOCK_COMMENT_OPEN;
    return 0;
  }
  return c;
}

#endif
