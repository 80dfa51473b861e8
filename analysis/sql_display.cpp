#include "analysis/sql_display.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "analysis/sql_tokenizer.h"

namespace nz::analysis {
namespace {

// One token of the display: what is written, and what decides about it.
struct Piece {
  std::string text;
  bool keyword = false;
  bool value = false;    // ?
  bool operand = false;  // something that a binary operator may follow
};

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

Piece piece_of(const SqlToken& token) {
  switch (token.kind) {
    case SqlKind::string:
    case SqlKind::blob:
    case SqlKind::number:
    case SqlKind::variable:
      return {"?", false, true, true};
    case SqlKind::illegal: {
      // A literal that was cut, or a number with letters in it: its value is not shown either.
      const char c = token.text[0];
      const bool literal = c == '\'' || c == 'x' || c == 'X' || c == '.' || (c >= '0' && c <= '9');
      if (literal) return {"?", false, true, true};
      return {std::string(token.text), false, false, true};
    }
    case SqlKind::word:
      if (is_sql_keyword(token.text)) {
        std::string word = upper(token.text);
        const bool operand = word == "NULL" || word == "END";
        return {std::move(word), true, false, operand};
      }
      return {std::string(token.text), false, false, true};
    case SqlKind::symbol:
      return {token.text == "==" ? "=" : std::string(token.text), false, false, token.text == ")"};
    default:
      return {std::string(token.text), false, false, true};
  }
}

std::vector<Piece> pieces_of(std::string_view sql) {
  std::vector<Piece> pieces;
  SqlTokenizer tokenizer(sql);
  SqlToken token;
  while (tokenizer.next(token)) {
    if (token.kind != SqlKind::space && token.kind != SqlKind::comment)
      pieces.push_back(piece_of(token));
  }
  while (!pieces.empty() && pieces.back().text == ";") pieces.pop_back();
  return pieces;
}

// A sign in front of a value belongs to it where no operand is before it.
void drop_signs(std::vector<Piece>& pieces) {
  std::vector<Piece> kept;
  kept.reserve(pieces.size());
  for (size_t i = 0; i < pieces.size(); i++) {
    const bool sign = pieces[i].text == "-" || pieces[i].text == "+";
    const bool before_value = i + 1 < pieces.size() && pieces[i + 1].value;
    if (sign && before_value && (kept.empty() || !kept.back().operand)) continue;
    kept.push_back(std::move(pieces[i]));
  }
  pieces = std::move(kept);
}

// Behind the parenthesis that closes the one at `open`; the end where none does.
size_t behind_parenthesis(const std::vector<Piece>& pieces, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < pieces.size(); i++) {
    if (pieces[i].text == "(") depth++;
    if (pieces[i].text == ")" && --depth == 0) return i + 1;
  }
  return pieces.size();
}

bool values_only(const std::vector<Piece>& pieces, size_t begin, size_t end) {
  bool any = false;
  for (size_t i = begin; i < end; i++) {
    if (pieces[i].text == ")" && i + 1 == end) break;
    if (!pieces[i].value && pieces[i].text != "," && pieces[i].text != "NULL") return false;
    any = any || pieces[i].value;
  }
  return any;
}

// IN (?, ?) -> IN (?); VALUES (..), (..) -> VALUES (..).
std::vector<Piece> shorten_lists(const std::vector<Piece>& pieces) {
  std::vector<Piece> out;
  out.reserve(pieces.size());
  for (size_t i = 0; i < pieces.size(); i++) {
    out.push_back(pieces[i]);
    if (!pieces[i].keyword || i + 1 >= pieces.size() || pieces[i + 1].text != "(") continue;
    const size_t end = behind_parenthesis(pieces, i + 1);
    if (pieces[i].text == "IN" && values_only(pieces, i + 2, end)) {
      out.push_back(pieces[i + 1]);
      out.push_back({"?", false, true, true});
      if (pieces[end - 1].text == ")") out.push_back(pieces[end - 1]);
      i = end - 1;
    } else if (pieces[i].text == "VALUES") {
      for (size_t k = i + 1; k < end; k++) out.push_back(pieces[k]);
      size_t next = end;
      while (next < pieces.size() && pieces[next].text == "," &&
             (next + 1 == pieces.size() || pieces[next + 1].text == "(")) {
        next = next + 1 == pieces.size() ? next + 1 : behind_parenthesis(pieces, next + 1);
      }
      i = next - 1;
    }
  }
  return out;
}

bool needs_blank(const Piece& before, const Piece& after) {
  if (before.text == "(" || before.text == "." || after.text == ".") return false;
  if (after.text == ")" || after.text == "," || after.text == ";") return false;
  if (before.text == "~") return false;
  if (after.text == "(") return before.keyword || !before.operand || before.text == ")";
  return true;
}

}  // namespace

std::string display_sql(std::string_view sql) {
  std::vector<Piece> pieces = pieces_of(sql);
  drop_signs(pieces);
  pieces = shorten_lists(pieces);
  std::string out;
  for (size_t i = 0; i < pieces.size(); i++) {
    if (i > 0 && needs_blank(pieces[i - 1], pieces[i])) out += ' ';
    out += pieces[i].text;
  }
  return out;
}

std::string digest_of_display(std::string_view display) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : display) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  std::array<char, 20> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return digits.data();
}

}  // namespace nz::analysis
