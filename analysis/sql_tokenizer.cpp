#include "analysis/sql_tokenizer.h"

#include <algorithm>
#include <array>
#include <string>

namespace nz::analysis {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool begins_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
// A vertical tab goes on with a space, but is none by itself.
bool is_space(char c) { return begins_space(c) || c == '\v'; }
bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool in_word(char c) { return begins_word(c) || is_digit(c) || c == '$'; }

// A text with its end: what is behind it reads as NUL, as SQLite sees it.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}
  char operator[](size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  template <class Predicate>
  size_t skip(size_t at, Predicate predicate) const {
    while (at < text_.size() && predicate(text_[at])) at++;
    return at;
  }

 private:
  std::string_view text_;
};

struct Found {
  SqlKind kind;
  size_t length;
};

Found quoted(const Scan& z) {
  const char quote = z[0];
  size_t at = 1;
  for (; z[at] != '\0'; at++) {
    if (z[at] != quote) continue;
    if (z[at + 1] != quote) return {quote == '\'' ? SqlKind::string : SqlKind::name, at + 1};
    at++;
  }
  return {SqlKind::illegal, at};
}

Found in_brackets(const Scan& z) {
  const size_t end = z.skip(1, [](char c) { return c != ']'; });
  return z[end] == ']' ? Found{SqlKind::name, end + 1} : Found{SqlKind::illegal, end};
}

// `at`: behind what was read as a number. Letters there make it none.
Found number_until(const Scan& z, size_t at) {
  const size_t end = z.skip(at, in_word);
  return {end == at ? SqlKind::number : SqlKind::illegal, end};
}

Found number(const Scan& z) {
  if (z[0] == '0' && (z[1] == 'x' || z[1] == 'X') && is_hex(z[2]))
    return {SqlKind::number, z.skip(3, is_hex)};
  size_t at = z.skip(0, is_digit);
  if (z[at] == '.') at = z.skip(at + 1, is_digit);
  if (z[at] == 'e' || z[at] == 'E') {
    const size_t sign = z[at + 1] == '+' || z[at + 1] == '-' ? 1 : 0;
    if (is_digit(z[at + 1 + sign])) at = z.skip(at + 2 + sign, is_digit);
  }
  return number_until(z, at);
}

Found variable(const Scan& z) {
  size_t at = 1;
  size_t letters = 0;
  for (; z[at] != '\0'; at++) {
    if (in_word(z[at])) {
      letters++;
    } else if (z[at] == '(' && letters > 0) {  // Tcl's arrays: $a(b)
      at = z.skip(at + 1, [](char c) { return !is_space(c) && c != ')'; });
      return z[at] == ')' ? Found{SqlKind::variable, at + 1} : Found{SqlKind::illegal, at};
    } else if (z[at] == ':' && z[at + 1] == ':') {
      at++;
    } else {
      break;
    }
  }
  return {letters > 0 ? SqlKind::variable : SqlKind::illegal, at};
}

Found blob(const Scan& z) {
  size_t at = z.skip(2, is_hex);
  const bool good = z[at] == '\'' && at % 2 == 0;
  at = z.skip(at, [](char c) { return c != '\''; });
  return {good ? SqlKind::blob : SqlKind::illegal, z[at] == '\'' ? at + 1 : at};
}

Found block_comment(const Scan& z) {
  size_t at = 3;
  for (; z[at - 1] != '\0'; at++) {
    if (z[at - 1] == '*' && z[at] == '/') return {SqlKind::comment, at + 1};
  }
  return {SqlKind::comment, at - 1};
}

Found symbol(const Scan& z) {
  constexpr std::array<std::string_view, 10> kLong = {"->>", "->", "==", "<=", "<>",
                                                      "<<",  ">=", ">>", "!=", "||"};
  for (const std::string_view s : kLong) {
    bool same = true;
    for (size_t i = 0; i < s.size(); i++) same = same && z[i] == s[i];
    if (same) return {SqlKind::symbol, s.size()};
  }
  constexpr std::string_view kShort = "();+-*/%=<>|,&~.";
  return {kShort.find(z[0]) != std::string_view::npos ? SqlKind::symbol : SqlKind::illegal, 1};
}

Found first_token(const Scan& z) {
  const char c = z[0];
  if (begins_space(c)) return {SqlKind::space, z.skip(1, is_space)};
  if (c == '\xef' && z[1] == '\xbb' && z[2] == '\xbf') return {SqlKind::space, 3};
  if (c == '-' && z[1] == '-')
    return {SqlKind::comment, z.skip(2, [](char b) { return b != '\n'; })};
  if (c == '/' && z[1] == '*' && z[2] != '\0') return block_comment(z);
  if (c == '\'' || c == '"' || c == '`') return quoted(z);
  if (c == '[') return in_brackets(z);
  if (is_digit(c) || (c == '.' && is_digit(z[1]))) return number(z);
  if (c == '?') return {SqlKind::variable, z.skip(1, is_digit)};
  if (c == ':' || c == '@' || c == '$' || c == '#') return variable(z);
  if ((c == 'x' || c == 'X') && z[1] == '\'') return blob(z);
  if (begins_word(c)) return {SqlKind::word, z.skip(1, in_word)};
  return symbol(z);
}

// https://www.sqlite.org/lang_keywords.html, sorted.
constexpr std::array<std::string_view, 147> kKeywords = {"ABORT",
                                                         "ACTION",
                                                         "ADD",
                                                         "AFTER",
                                                         "ALL",
                                                         "ALTER",
                                                         "ALWAYS",
                                                         "ANALYZE",
                                                         "AND",
                                                         "AS",
                                                         "ASC",
                                                         "ATTACH",
                                                         "AUTOINCREMENT",
                                                         "BEFORE",
                                                         "BEGIN",
                                                         "BETWEEN",
                                                         "BY",
                                                         "CASCADE",
                                                         "CASE",
                                                         "CAST",
                                                         "CHECK",
                                                         "COLLATE",
                                                         "COLUMN",
                                                         "COMMIT",
                                                         "CONFLICT",
                                                         "CONSTRAINT",
                                                         "CREATE",
                                                         "CROSS",
                                                         "CURRENT",
                                                         "CURRENT_DATE",
                                                         "CURRENT_TIME",
                                                         "CURRENT_TIMESTAMP",
                                                         "DATABASE",
                                                         "DEFAULT",
                                                         "DEFERRABLE",
                                                         "DEFERRED",
                                                         "DELETE",
                                                         "DESC",
                                                         "DETACH",
                                                         "DISTINCT",
                                                         "DO",
                                                         "DROP",
                                                         "EACH",
                                                         "ELSE",
                                                         "END",
                                                         "ESCAPE",
                                                         "EXCEPT",
                                                         "EXCLUDE",
                                                         "EXCLUSIVE",
                                                         "EXISTS",
                                                         "EXPLAIN",
                                                         "FAIL",
                                                         "FILTER",
                                                         "FIRST",
                                                         "FOLLOWING",
                                                         "FOR",
                                                         "FOREIGN",
                                                         "FROM",
                                                         "FULL",
                                                         "GENERATED",
                                                         "GLOB",
                                                         "GROUP",
                                                         "GROUPS",
                                                         "HAVING",
                                                         "IF",
                                                         "IGNORE",
                                                         "IMMEDIATE",
                                                         "IN",
                                                         "INDEX",
                                                         "INDEXED",
                                                         "INITIALLY",
                                                         "INNER",
                                                         "INSERT",
                                                         "INSTEAD",
                                                         "INTERSECT",
                                                         "INTO",
                                                         "IS",
                                                         "ISNULL",
                                                         "JOIN",
                                                         "KEY",
                                                         "LAST",
                                                         "LEFT",
                                                         "LIKE",
                                                         "LIMIT",
                                                         "MATCH",
                                                         "MATERIALIZED",
                                                         "NATURAL",
                                                         "NO",
                                                         "NOT",
                                                         "NOTHING",
                                                         "NOTNULL",
                                                         "NULL",
                                                         "NULLS",
                                                         "OF",
                                                         "OFFSET",
                                                         "ON",
                                                         "OR",
                                                         "ORDER",
                                                         "OTHERS",
                                                         "OUTER",
                                                         "OVER",
                                                         "PARTITION",
                                                         "PLAN",
                                                         "PRAGMA",
                                                         "PRECEDING",
                                                         "PRIMARY",
                                                         "QUERY",
                                                         "RAISE",
                                                         "RANGE",
                                                         "RECURSIVE",
                                                         "REFERENCES",
                                                         "REGEXP",
                                                         "REINDEX",
                                                         "RELEASE",
                                                         "RENAME",
                                                         "REPLACE",
                                                         "RESTRICT",
                                                         "RETURNING",
                                                         "RIGHT",
                                                         "ROLLBACK",
                                                         "ROW",
                                                         "ROWS",
                                                         "SAVEPOINT",
                                                         "SELECT",
                                                         "SET",
                                                         "TABLE",
                                                         "TEMP",
                                                         "TEMPORARY",
                                                         "THEN",
                                                         "TIES",
                                                         "TO",
                                                         "TRANSACTION",
                                                         "TRIGGER",
                                                         "UNBOUNDED",
                                                         "UNION",
                                                         "UNIQUE",
                                                         "UPDATE",
                                                         "USING",
                                                         "VACUUM",
                                                         "VALUES",
                                                         "VIEW",
                                                         "VIRTUAL",
                                                         "WHEN",
                                                         "WHERE",
                                                         "WINDOW",
                                                         "WITH",
                                                         "WITHOUT"};

}  // namespace

bool SqlTokenizer::next(SqlToken& token) {
  if (rest_.empty()) return false;
  const Found found = first_token(Scan(rest_));
  token = {found.kind, rest_.substr(0, found.length)};
  rest_.remove_prefix(token.text.size());
  return true;
}

bool is_sql_keyword(std::string_view word) {
  if (word.size() < 2 || word.size() > 17) return false;
  std::string upper(word);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return std::binary_search(kKeywords.begin(), kKeywords.end(), std::string_view(upper));
}

}  // namespace nz::analysis
