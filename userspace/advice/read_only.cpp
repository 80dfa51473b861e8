#include "userspace/advice/read_only.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/base/fd.h"
#include "userspace/base/file_uri.h"

namespace nz::advice {
namespace {

constexpr int kOpsBetweenLooks = 1000;  // of the virtual machine: some 50 us
constexpr const char* kNotNow = "tried again with the next slow statement";

// Somebody else's schema is not trusted: no functions with effects, no extensions, no ATTACH.
void harden(sqlite3* c) {
  sqlite3_db_config(c, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(c, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(c, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_limit(c, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(c, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
  sqlite3_busy_timeout(c, 0);
}

// A rollback journal with content is a transaction in progress, or one that a crash left.
bool has_hot_journal(const std::string& path) {
  const Fd fd(open((path + "-journal").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char first = 0;
  return fd.get() >= 0 && read(fd.get(), &first, 1) == 1 && first != 0;
}

std::string column(sqlite3_stmt* s, int index) {
  const unsigned char* text = sqlite3_column_text(s, index);
  return text == nullptr ? std::string()
                         : std::string(reinterpret_cast<const char*>(text),
                                       static_cast<size_t>(sqlite3_column_bytes(s, index)));
}

// Runs `row` for each row of `sql`.
Result<void> each_row(sqlite3* c, const std::string& sql,
                      const std::function<void(sqlite3_stmt*)>& row) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(c, sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, &sqlite3_finalize);
  if (code == SQLITE_OK && raw == nullptr) return fail("no statement in it");
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(raw);
    if (code == SQLITE_ROW) row(raw);
  }
  if (code == SQLITE_DONE) return {};
  return fail(std::string("SQLite: ") + sqlite3_errmsg(c),
              code == SQLITE_INTERRUPT || code == SQLITE_BUSY ? kNotNow : "", 0);
}

}  // namespace

Result<std::vector<PlanRow>> explain_query_plan(sqlite3* connection, const std::string& sql) {
  std::vector<PlanRow> rows;
  constexpr size_t kMost = 200;
  const auto done = each_row(connection, "EXPLAIN QUERY PLAN " + sql, [&](sqlite3_stmt* s) {
    if (rows.size() < kMost)
      rows.push_back({sqlite3_column_int(s, 0), sqlite3_column_int(s, 1), column(s, 3)});
  });
  if (!done) return tl::unexpected(done.error());
  return rows;
}

ReadOnly::ReadOnly(sqlite3* connection, OpenDatabase database, Clock::duration limit)
    : connection_(connection), database_(std::move(database)), limit_(limit) {}

ReadOnly::~ReadOnly() { sqlite3_close_v2(connection_); }

Result<std::unique_ptr<ReadOnly>> ReadOnly::open(const OpenDatabase& database,
                                                 Clock::duration limit) {
  const auto header = header_of(database.path);
  if (!header) return tl::unexpected(header.error());
  if (!header->wal_mode && has_hot_journal(database.path))
    return fail(database.shown + " is being written", kNotNow);
  // Where there is no WAL SQLite would make an empty one. (Should it go just now: as root SQLite
  // gives what it makes the database's owner and mode, so that nobody is locked out.)
  if (header->wal_mode && (access((database.path + "-wal").c_str(), F_OK) != 0 ||
                           access((database.path + "-shm").c_str(), F_OK) != 0))
    return fail(database.shown + " is not in use", kNotNow);
  const char* options = header->wal_mode ? "?mode=ro&readonly_shm=1" : "?mode=ro&immutable=1";
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      file_uri(database.path, options).c_str(), &raw,
      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
      nullptr);
  std::unique_ptr<ReadOnly> opened(new ReadOnly(raw, database, limit));
  if (code != SQLITE_OK) {
    return fail("open " + database.shown + ": " +
                (raw == nullptr ? "out of memory" : sqlite3_errmsg(raw)));
  }
  // SQLite follows links itself: in another mount namespace it may have come to another file.
  struct stat s {};
  const char* name = sqlite3_db_filename(raw, "main");
  if (name == nullptr || stat(name, &s) != 0 || FileId{s.st_dev, s.st_ino} != database.file) {
    return fail(database.shown + " is not to be reached under its name from here",
                "the process lives in another mount namespace");
  }
  opened->header_ = *header;
  harden(raw);
  opened->start_clock();
  sqlite3_progress_handler(
      raw, kOpsBetweenLooks,
      [](void* self) {
        return static_cast<int>(Clock::now() > static_cast<ReadOnly*>(self)->deadline_);
      },
      opened.get());
  return opened;
}

Result<void> ReadOnly::unchanged() const {
  if (header_.wal_mode) return {};  // it had a snapshot of its own
  const auto now = header_of(database_.path);
  if (!now) return tl::unexpected(now.error());
  if (now->wal_mode || now->change_counter != header_.change_counter ||
      has_hot_journal(database_.path))
    return fail(database_.shown + " was written meanwhile", kNotNow);
  return {};
}

Result<std::vector<PlanRow>> ReadOnly::explain(const std::string& sql) {
  start_clock();
  auto rows = explain_query_plan(connection_, sql);
  if (const auto same = unchanged(); !same) return tl::unexpected(same.error());
  if (rows && Clock::now() > deadline_) return fail("the plan took longer than its limit", kNotNow);
  return rows;
}

Result<std::vector<std::string>> ReadOnly::schema() {
  start_clock();
  std::vector<std::string> all;
  constexpr size_t kMost = 2000;
  bool statistics = false;
  auto done = each_row(connection_,
                       "SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL AND type IN "
                       "('table', 'index', 'view') ORDER BY rowid",
                       [&](sqlite3_stmt* s) {
                         const std::string name = column(s, 1);
                         statistics = statistics || name == "sqlite_stat1";
                         if (!name.starts_with("sqlite_") && all.size() < kMost)
                           all.push_back(column(s, 0));
                       });
  if (done && statistics) {
    done = each_row(connection_,
                    "SELECT 'INSERT INTO sqlite_stat1 VALUES(' || quote(tbl) || ',' || quote(idx) "
                    "|| ',' || quote(stat) || ')' FROM sqlite_stat1",
                    [&](sqlite3_stmt* s) {
                      if (all.size() < 2 * kMost) all.push_back(column(s, 0));
                    });
  }
  if (done) done = unchanged();
  if (!done) return tl::unexpected(done.error());
  return all;
}

}  // namespace nz::advice
