#include "userspace/store/schema.h"

#include <fmt/format.h>

#include <cerrno>

namespace nz::store {
namespace {

void first_version(Connection& c) {
  c.script(R"sql(
    CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE series(
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      labels BLOB NOT NULL,
      type INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      UNIQUE(name, labels, type));
    CREATE TABLE intervals(
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      level INTEGER NOT NULL,
      from_ms INTEGER NOT NULL,
      to_ms INTEGER NOT NULL);
    CREATE INDEX intervals_by_end ON intervals(level, to_ms);
    CREATE TABLE recent(
      key INTEGER PRIMARY KEY,
      seq INTEGER NOT NULL,
      cells BLOB NOT NULL);
    CREATE INDEX recent_by_interval ON recent(seq);
    CREATE TABLE blocks(
      key INTEGER PRIMARY KEY,
      level INTEGER NOT NULL,
      from_ms INTEGER NOT NULL,
      to_ms INTEGER NOT NULL,
      points INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      data BLOB NOT NULL);
    CREATE INDEX blocks_by_end ON blocks(level, to_ms, points, bytes);
    CREATE TABLE events(
      id INTEGER PRIMARY KEY,
      at_ms INTEGER NOT NULL,
      kind TEXT NOT NULL,
      target TEXT NOT NULL,
      text TEXT NOT NULL);
    CREATE INDEX events_by_time ON events(at_ms);
    CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE reports(
      id TEXT PRIMARY KEY,
      created_ms INTEGER NOT NULL,
      from_ms INTEGER NOT NULL,
      to_ms INTEGER NOT NULL,
      title TEXT NOT NULL,
      findings INTEGER NOT NULL,
      complete INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      body BLOB NOT NULL);
    CREATE INDEX reports_by_time ON reports(created_ms);
  )sql");
  c.script(fmt::format("PRAGMA application_id={}", kApplicationId));
}

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all{{1, first_version}};
  return all;
}

Result<void> migrate(Connection& c, const std::vector<Migration>& steps) {
  const std::int64_t newest = steps.back().to;
  const auto version = [&] { return c.number("PRAGMA user_version").value_or(0); };
  std::int64_t now = version();
  const auto tables = c.number("SELECT count(*) FROM sqlite_schema").value_or(0);
  const auto application = c.number("PRAGMA application_id").value_or(0);
  if (auto read = c.outcome(); !read) return read;
  // Others count their versions, too.
  if ((now != 0 || tables != 0) && application != kApplicationId)
    return fail(c.path() + " is another program's database", "give another path", EEXIST);
  if (now > newest) {
    return fail(fmt::format("{} was written by a newer nearzero (schema {}, this one knows {})",
                            c.path(), now, newest),
                "install that version again, or move the file away to begin a new one",
                EPROTONOSUPPORT);
  }
  if (now == newest) return {};
  // Both of an empty file alone, in this order, and not inside a transaction.
  if (now == 0 && tables == 0) c.script("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL");
  Transaction transaction(c, Transaction::Kind::write);
  now = version();  // somebody may have been faster
  for (const Migration& step : steps) {
    if (step.to <= now) continue;
    step.apply(c);
    c.script(fmt::format("PRAGMA user_version={}", step.to));
  }
  return transaction.commit();
}

}  // namespace nz::store
