#include "userspace/store/series_table.h"

#include <algorithm>
#include <utility>

#include "userspace/history/codec.h"
#include "userspace/store/level.h"
#include "userspace/store/schema.h"

namespace nz::store {
namespace {

constexpr std::int64_t kTypes = 3;

void put_text(std::string& out, std::string_view text) {
  history::put_varint(out, text.size());
  out += text;
}

// Moves the blocks of one number to another.
void renumber(Connection& c, std::uint32_t from, std::uint32_t to) {
  for (const Level level : kLevels) {
    c.run("UPDATE blocks SET key=key-?1+?2 WHERE key>=?1 AND key<?3", block_key(level, from, 0),
          block_key(level, to, 0), block_key(level, from + 1, 0));
  }
  c.run("UPDATE series SET id=? WHERE id=?", to, from);
}

}  // namespace

std::string set_key_of(const history::Series& series) {
  metrics::Labels sorted;
  const bool is_sorted = std::is_sorted(series.labels.begin(), series.labels.end());
  if (!is_sorted) {
    sorted = series.labels;
    std::sort(sorted.begin(), sorted.end());
  }
  return history::key_of(series.name, is_sorted ? series.labels : sorted, series.type);
}

std::string pack_labels(const metrics::Labels& labels) {
  std::string packed;
  for (const auto& [label, value] : labels) {
    put_text(packed, label);
    put_text(packed, value);
  }
  return packed;
}

metrics::Labels unpack_labels(std::string_view packed) {
  metrics::Labels labels;
  history::Bytes in(packed);
  while (!in.ended()) {
    std::string label(in.take(in.varint()));
    labels.emplace_back(std::move(label), std::string(in.take(in.varint())));
  }
  return labels;
}

std::vector<StoredSeries> load_series(Connection& c, std::string_view name) {
  std::vector<StoredSeries> all;
  Rows rows = name.empty()
                  ? c.query("SELECT id,name,labels,type FROM series ORDER BY name,labels,type")
                  : c.query(
                        "SELECT id,name,labels,type FROM series WHERE name=? "
                        "ORDER BY labels,type",
                        name);
  while (rows.next()) {
    const std::int64_t type = rows.integer(3);
    if (type < 0 || type >= kTypes) continue;
    StoredSeries& s = all.emplace_back();
    s.id = static_cast<std::uint32_t>(rows.integer(0));
    s.series = {std::string(rows.bytes(1)), unpack_labels(rows.bytes(2)),
                static_cast<metrics::Type>(type)};
  }
  return all;
}

void SeriesTable::enter(const StoredSeries& s, std::int64_t last_ms) {
  const bool entered = c_.number("SELECT 1 FROM series WHERE id=? AND name=? AND type=?", s.id,
                                 s.series.name, s.series.type)
                           .has_value();
  if (!entered) {
    const auto known = find(s.series);
    if (!known) {
      insert(s, last_ms);
      return;
    }
    renumber(c_, known->id, s.id);
  }
  // Ignored where a file has both orders, as imports once made them: both rows stay.
  const std::string labels = pack_labels(s.series.labels);
  c_.run("UPDATE OR IGNORE series SET labels=?1 WHERE id=?2 AND labels<>?1", Blob{labels}, s.id);
  remember(s);
}

std::uint32_t SeriesTable::find_or_enter(history::Series& series, std::int64_t last_ms) {
  if (auto known = find(series)) {
    // By the latest that was brought: retention forgets the series with all of it.
    c_.run("UPDATE series SET last_ms=? WHERE id=? AND last_ms<?", last_ms, known->id, last_ms);
    series.labels = std::move(known->series.labels);
    return known->id;
  }
  const auto last = c_.number("SELECT max(id) FROM series WHERE id>=?", kFirstImportedId);
  const std::int64_t id = last ? *last + 1 : kFirstImportedId;
  if (id > kMostSeriesId) return 0;
  const StoredSeries fresh{static_cast<std::uint32_t>(id), series};
  insert(fresh, last_ms);
  return c_.failed() ? 0 : fresh.id;
}

// Most are found as they are written, by the table's own index. For the others the family is read,
// once: looked through for each of its series it would take the square of their number.
std::optional<StoredSeries> SeriesTable::find(const history::Series& series) {
  const std::string labels = pack_labels(series.labels);
  const auto known = c_.number("SELECT id FROM series WHERE name=? AND labels=? AND type=?",
                               series.name, Blob{labels}, series.type);
  if (known) return StoredSeries{static_cast<std::uint32_t>(*known), series};
  const Family& family = family_of(series.name);
  const auto found = family.find(set_key_of(series));
  if (found == family.end()) return std::nullopt;
  return found->second;
}

SeriesTable::Family& SeriesTable::family_of(const std::string& name) {
  const auto [family, is_new] = families_.try_emplace(name);
  if (!is_new) return family->second;
  for (StoredSeries& s : load_series(c_, name)) {
    StoredSeries& known = family->second[set_key_of(s.series)];
    // Of two orders the agent's, whose numbers are the lower ones.
    if (known.id == 0 || s.id < known.id) known = std::move(s);
  }
  return family->second;
}

void SeriesTable::insert(const StoredSeries& s, std::int64_t last_ms) {
  const std::string labels = pack_labels(s.series.labels);
  c_.run("INSERT INTO series(id,name,labels,type,last_ms) VALUES(?,?,?,?,?)", s.id, s.series.name,
         Blob{labels}, s.series.type, last_ms);
  remember(s);
}

void SeriesTable::remember(const StoredSeries& s) {
  if (const auto family = families_.find(s.series.name); family != families_.end())
    family->second.insert_or_assign(set_key_of(s.series), s);
}

}  // namespace nz::store
