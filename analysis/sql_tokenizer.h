// SQLite's tokens, by the rules of its own tokenizer (tokenize.c), over any bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace nz::analysis {

enum class SqlKind {
  space,     ///< white space, and a byte-order mark
  comment,   ///< -- to the end of the line, or /* ... */, also one that is never closed
  word,      ///< a keyword or a plain name
  name,      ///< a name in "", `` or []
  string,    ///< in ''
  blob,      ///< x'...'
  number,    ///< decimal, with exponent, or hexadecimal
  variable,  ///< ? ?1 :a @a $a
  symbol,    ///< an operator or punctuation
  illegal,   ///< what SQLite refuses: a quote that is never closed, 12ab, a stray byte
};

struct SqlToken {
  SqlKind kind = SqlKind::illegal;
  std::string_view text;  ///< never empty; a part of the statement's text
};

class SqlTokenizer {
 public:
  /// A text ends where it ends, or at its first NUL as for SQLite.
  explicit SqlTokenizer(std::string_view sql) : rest_(sql.substr(0, sql.find('\0'))) {}

  /// The next token; false at the end. The tokens' texts together are the whole text.
  bool next(SqlToken& token);

 private:
  std::string_view rest_;
};

/// Whether it is one of SQLite's keywords, in any case.
bool is_sql_keyword(std::string_view word);

}  // namespace nz::analysis
