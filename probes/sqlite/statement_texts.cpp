#include "probes/sqlite/statement_texts.h"

#include <algorithm>
#include <cstring>

#include "analysis/sql_digest.h"
#include "analysis/sql_display.h"

namespace nz::probes {
namespace {

constexpr size_t kTextLimit = 120;

}  // namespace

void StatementTexts::learn(const nz_event& event, std::span<const std::byte> bytes) {
  if (event.kind != NZ_EVENT_STATEMENT || bytes.size() < sizeof(nz_statement_event)) return;
  nz_statement_event e{};
  std::memcpy(&e, bytes.data(), sizeof(e));
  const std::string_view text(e.text, std::min<size_t>(e.length, sizeof(e.text)));
  Known known;
  known.slot = e.head.slot;
  known.cut = text.size() >= NZ_SQL_TEXT - 1;
  known.normalised = analysis::normalise_sql(text);
  known.display = analysis::display_sql(text);
  known.digest = analysis::digest_of_display(known.display);
  known.text = analysis::shorten_sql(known.display + (known.cut ? "..." : ""), kTextLimit);
  known_[e.id] = std::move(known);
}

}  // namespace nz::probes
