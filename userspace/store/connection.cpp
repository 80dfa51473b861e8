#include "userspace/store/connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "userspace/base/file_uri.h"

namespace nz::store {
namespace {

static_assert(kDamaged == EBADMSG);

struct Meaning {
  int number;
  const char* remedy;
};

Meaning meaning_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ENOSPC, "make room on its file system"};
    case SQLITE_READONLY:
      return {EROFS, "make the file and its folder writable"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {kDamaged, "move the file away; a new one is begun"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {EBUSY, "another program writes to it; try again"};
    case SQLITE_NOMEM:
      return {ENOMEM, ""};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {system_error != 0 ? system_error : EACCES, "check the path and who may read it"};
    case SQLITE_IOERR:
      return {system_error == ENOSPC || system_error == EROFS || system_error == EDQUOT ||
                      system_error == EFBIG
                  ? system_error
                  : EIO,
              "look at the disk: dmesg"};
    default:
      return {EIO, ""};
  }
}

}  // namespace

Rows::Rows(Rows&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      cached_(other.cached_) {}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  if (cached_) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  } else {
    sqlite3_finalize(statement_);
  }
}

bool Rows::next() {
  if (statement_ == nullptr || connection_->failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_->note_failure(code);
  return false;
}

std::int64_t Rows::integer(int column) const {
  return statement_ == nullptr ? 0 : sqlite3_column_int64(statement_, column);
}

std::string_view Rows::bytes(int column) const {
  if (statement_ == nullptr) return {};
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Rows::null(int column) const {
  return statement_ == nullptr || sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Rows::bind_integer(int index, std::int64_t value) {
  if (statement_ != nullptr) sqlite3_bind_int64(statement_, index, value);
}

void Rows::bind_text(int index, std::string_view value) {
  if (statement_ == nullptr) return;
  // An empty view may have no address, which would be NULL.
  const int code = sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(),
                                       value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_->note_failure(code);
}

void Rows::bind_blob(int index, std::string_view value) {
  if (statement_ == nullptr) return;
  const int code = sqlite3_bind_blob64(statement_, index, value.empty() ? "" : value.data(),
                                       value.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) connection_->note_failure(code);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, const How& how) {
  std::unique_ptr<Connection> connection(new Connection(path));
  const char* options = how.immutable ? "?mode=ro&immutable=1"
                        : how.write   ? "?mode=rw"
                                      : "?mode=ro";
  const int code =
      sqlite3_open_v2(file_uri(path, options).c_str(), &connection->handle_,
                      (how.write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_URI |
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                      how.vfs.empty() ? nullptr : how.vfs.c_str());
  if (connection->handle_ == nullptr) return fail("open " + path + ": out of memory", "", ENOMEM);
  if (code != SQLITE_OK) {
    connection->note_failure(code);
    return tl::unexpected(connection->outcome().error());
  }
  sqlite3* handle = connection->handle_;
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, how.wait_ms);
  // A file that was damaged, or made by somebody else, must not run anything.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  connection->script("PRAGMA cell_size_check=ON");
  if (auto ready = connection->outcome(); !ready) return tl::unexpected(ready.error());
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Rows Connection::prepare(const std::string& sql) {
  if (failed()) return {*this, nullptr, false};
  sqlite3_stmt*& known = statements_[sql];
  const bool in_use = known != nullptr && sqlite3_stmt_busy(known) != 0;
  if (known != nullptr && !in_use) return {*this, known, true};
  sqlite3_stmt* fresh = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
  if (code != SQLITE_OK) note_failure(code);
  if (in_use) return {*this, fresh, false};
  known = fresh;
  return {*this, fresh, true};
}

void Connection::script(const std::string& sql) {
  if (failed()) return;
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) note_failure(code);
}

void Connection::note_failure(int code) {
  if (failure_) return;
  const Meaning meaning = meaning_of(code, sqlite3_system_errno(handle_));
  failure_ = Error{path_ + ": " + sqlite3_errmsg(handle_), meaning.remedy, meaning.number};
}

Result<void> Connection::outcome() {
  if (!failure_) return {};
  Error error = std::move(*failure_);
  failure_.reset();
  return tl::unexpected(std::move(error));
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle_); }
std::int64_t Connection::last_id() const { return sqlite3_last_insert_rowid(handle_); }
bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

// SQLite may have done it by itself: on a full disk it does.
void Connection::roll_back() {
  for (const auto& [sql, statement] : statements_) {
    if (statement != nullptr) sqlite3_reset(statement);
  }
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.script(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (open_) connection_.roll_back();
}

Result<void> Transaction::commit() {
  connection_.script("COMMIT");  // nothing where something has failed
  open_ = false;
  auto outcome = connection_.outcome();
  if (!outcome) connection_.roll_back();
  return outcome;
}

}  // namespace nz::store
