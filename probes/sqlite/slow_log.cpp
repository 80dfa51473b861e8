#include "probes/sqlite/slow_log.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "analysis/sql_digest.h"

namespace nz::probes {

std::optional<SlowRecord> decode_slow(std::span<const std::byte> bytes) {
  SlowRecord record;
  if (bytes.size() < sizeof(record.event)) return std::nullopt;
  std::memcpy(&record.event, bytes.data(), sizeof(record.event));
  if (record.event.head.kind != NZ_EVENT_SLOW_STATEMENT) return std::nullopt;
  const auto text = bytes.subspan(sizeof(record.event));
  const size_t length =
      std::min<size_t>({record.event.length, text.size(), static_cast<size_t>(NZ_SLOW_TEXT)});
  record.text.assign(reinterpret_cast<const char*>(text.data()), length);
  return record;
}

bool is_text_of(const std::string& text, const StatementTexts::Known& known) {
  const std::string normal = analysis::normalise_sql(text);
  // What is known may end early, and then in the middle of a literal.
  return known.cut ? normal.starts_with(known.normalised) : normal == known.normalised;
}

double unix_seconds(uint64_t monotonic_ns) {
  timespec real{}, monotonic{};
  clock_gettime(CLOCK_REALTIME, &real);
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  const double now = static_cast<double>(real.tv_sec) + static_cast<double>(real.tv_nsec) / 1e9;
  const int64_t since_boot = monotonic.tv_sec * 1'000'000'000LL + monotonic.tv_nsec;
  return now - static_cast<double>(since_boot - static_cast<int64_t>(monotonic_ns)) / 1e9;
}

double slowness(const analysis::SlowStatement& s) { return s.inside > 0 ? s.inside : s.open; }

void SlowLog::add(analysis::SlowStatement statement) {
  counts_[{statement.target, statement.digest}]++;
  Target& t = targets_[statement.target];
  const double now = statement.at;
  t.newest.push_back({number_++, std::move(statement)});
  if (t.newest.size() <= kNewest) return;
  std::erase_if(t.slowest, [now](const Entry& e) { return e.statement.at < now - kHour; });
  t.slowest.push_back(std::move(t.newest.front()));
  t.newest.pop_front();
  if (t.slowest.size() <= kSlowest) return;
  t.slowest.erase(std::min_element(
      t.slowest.begin(), t.slowest.end(),
      [](const auto& a, const auto& b) { return slowness(a.statement) < slowness(b.statement); }));
}

std::vector<analysis::SlowStatement> SlowLog::all() const {
  std::vector<const Entry*> entries;
  for (const auto& [name, t] : targets_) {
    for (const Entry& e : t.slowest) entries.push_back(&e);
    for (const Entry& e : t.newest) entries.push_back(&e);
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->number > b->number; });
  std::vector<analysis::SlowStatement> out;
  out.reserve(entries.size());
  for (const Entry* e : entries) out.push_back(e->statement);
  return out;
}

}  // namespace nz::probes
