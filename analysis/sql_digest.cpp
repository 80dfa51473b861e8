#include "analysis/sql_digest.h"

#include "nearzero/sql_normalise.h"

namespace nz::analysis {

std::string normalise_sql(std::string_view text) {
  std::string out;
  unsigned char state = NZ_SQL_PLAIN;
  for (size_t i = 0; i < text.size(); i++) {
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    const unsigned char kept = nz_sql_next(&state, static_cast<unsigned char>(text[i]), next);
    if (kept != 0) out += static_cast<char>(kept);
  }
  return out;
}

uint64_t sql_hash(std::string_view text, uint32_t slot) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ slot;
  for (const char c : normalise_sql(text)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash == 0 ? 1 : hash;
}

namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// Bytes of the character that begins with `c`; 1 for what begins none.
size_t length_of(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0xf0 ? 4 : u >= 0xe0 ? 3 : u >= 0xc0 ? 2 : 1;
}

// The kernel reads a fixed number of bytes, which may end inside a character.
void drop_broken_end(std::string& text) {
  size_t last = text.size();
  while (last > 0 && text.size() - last < 3 && continues(text[last - 1])) last--;
  if (last > 0 && length_of(text[last - 1]) > text.size() - last + 1) text.resize(last - 1);
}

}  // namespace

std::string shorten_sql(std::string_view normalised, size_t limit) {
  std::string out;
  bool blank = false;
  for (const char character : normalised) {
    const auto c = static_cast<unsigned char>(character);
    if (c <= ' ') {
      blank = !out.empty();
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    out += character;
  }
  drop_broken_end(out);
  if (out.size() <= limit) return out;
  size_t end = limit;
  while (end > 0 && continues(out[end])) end--;
  return out.substr(0, end) + "...";
}

}  // namespace nz::analysis
