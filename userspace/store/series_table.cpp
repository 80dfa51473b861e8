#include "userspace/store/series_table.h"

#include <algorithm>

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

void enter_series(Connection& c, const StoredSeries& s, std::int64_t last_ms) {
  const std::string labels = pack_labels(s.series.labels);
  const auto known = c.number("SELECT id FROM series WHERE name=? AND labels=? AND type=?",
                              s.series.name, Blob{labels}, s.series.type);
  if (known && *known != s.id) {
    renumber(c, static_cast<std::uint32_t>(*known), s.id);
  } else if (!known) {
    c.run("INSERT INTO series(id,name,labels,type,last_ms) VALUES(?,?,?,?,?)", s.id, s.series.name,
          Blob{labels}, s.series.type, last_ms);
  }
}

std::uint32_t find_or_enter_series(Connection& c, const history::Series& series,
                                   std::int64_t last_ms) {
  const std::string labels = pack_labels(series.labels);
  const auto known = c.number("SELECT id FROM series WHERE name=? AND labels=? AND type=?",
                              series.name, Blob{labels}, series.type);
  if (known) {
    // By the latest that was brought: retention forgets the series with all of it.
    c.run("UPDATE series SET last_ms=? WHERE id=? AND last_ms<?", last_ms, *known, last_ms);
    return static_cast<std::uint32_t>(*known);
  }
  const auto last = c.number("SELECT max(id) FROM series WHERE id>=?", kFirstImportedId);
  const std::int64_t id = last ? *last + 1 : kFirstImportedId;
  if (id > kMostSeriesId) return 0;
  c.run("INSERT INTO series(id,name,labels,type,last_ms) VALUES(?,?,?,?,?)", id, series.name,
        Blob{labels}, series.type, last_ms);
  return c.failed() ? 0 : static_cast<std::uint32_t>(id);
}

}  // namespace nz::store
