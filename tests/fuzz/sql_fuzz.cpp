// Statements: the normaliser of the kernel's header, SQLite's tokens, and the text that userspace
// shows.
#include "analysis/sql_digest.h"
#include "analysis/sql_display.h"
#include "analysis/sql_tokenizer.h"
#include "nearzero/abi.h"
#include "nearzero/sql_normalise.h"
#include "tests/fuzz/input.h"

namespace {

// As bpf/include/nearzero/sqlite_text.h does it: a buffer of NZ_SQL_TEXT bytes that ends with a
// NUL.
uint64_t kernel_hash(const std::string& text, uint32_t slot) {
  char buffer[NZ_SQL_TEXT] = {};
  const size_t length = std::min<size_t>(text.size(), NZ_SQL_TEXT - 1);
  text.copy(buffer, length);
  uint64_t hash = 0xcbf29ce484222325ULL ^ slot;
  unsigned char state = NZ_SQL_PLAIN;
  for (uint32_t i = 0; i < length; i++) {
    const auto next = static_cast<unsigned char>(buffer[(i + 1) & (NZ_SQL_TEXT - 1)]);
    const unsigned char kept =
        nz_sql_next(&state, static_cast<unsigned char>(buffer[i & (NZ_SQL_TEXT - 1)]), next);
    nz::fuzz::require(state <= NZ_SQL_BLOCK_COMMENT_END, "the state is one of enum nz_sql_state");
    if (kept != 0) hash = (hash ^ kept) * 0x100000001b3ULL;
  }
  return hash == 0 ? 1 : hash;
}

// Without a NUL, which ends a text.
void check_tokens(const std::string& text) {
  nz::analysis::SqlTokenizer tokenizer(text);
  nz::analysis::SqlToken token;
  std::string all;
  while (tokenizer.next(token)) {
    nz::fuzz::require(!token.text.empty(), "a token is never empty");
    all += token.text;
  }
  nz::fuzz::require(all == text, "the tokens together are the text");
}

// A string literal that holds any text at all.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nz::fuzz::Input input(data, size);
  const size_t limit = 4 + input.byte();
  std::string text = input.rest();
  text.resize(std::min(text.find('\0'), text.size()));  // SQLite's text ends there

  const std::string normalised = nz::analysis::normalise_sql(text);
  nz::fuzz::require(normalised.size() <= text.size(), "nothing is added");
  const std::string shown = nz::analysis::shorten_sql(normalised, limit);
  nz::fuzz::require(shown.size() <= limit + 3, "a shortened text is at most its limit and '...'");

  const std::string cut = text.substr(0, NZ_SQL_TEXT - 1);
  nz::fuzz::require(kernel_hash(cut, limit) == nz::analysis::sql_hash(cut, limit),
                    "the kernel and userspace hash alike");
  nz::fuzz::require(nz::analysis::normalise_sql("SELECT a FROM t WHERE b=" + quoted(text) +
                                                " AND c") == "SELECT a FROM t WHERE b=? AND c",
                    "nothing of a string literal is kept");

  check_tokens(text);
  nz::fuzz::require(nz::analysis::display_sql(text).size() <= 2 * text.size(),
                    "what is shown is at most twice as long");
  nz::fuzz::require(nz::analysis::display_sql("SELECT a FROM t WHERE b=" + quoted(text)) ==
                        nz::analysis::display_sql("SELECT a FROM t WHERE b='x'"),
                    "nothing of a string literal is shown");
  return 0;
}
