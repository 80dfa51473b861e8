// SQLite in a few words. Failures stick: after the first one statements do nothing, and whoever
// asks for the outcome at the end learns of it, so that a transaction reads like what it does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "userspace/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nz::store {

/// Bytes as a BLOB; a string_view alone is TEXT.
struct Blob {
  std::string_view bytes;
};

/// Codes of the errors that this module's callers tell apart.
inline constexpr int kDamaged = 74;  ///< EBADMSG: the file is not a database, or is corrupt

class Connection;

/// The rows of one running statement. Given back at the end of its life.
class Rows {
 public:
  Rows(Connection& connection, sqlite3_stmt* statement, bool cached)
      : connection_(&connection), statement_(statement), cached_(cached) {}
  Rows(Rows&& other) noexcept;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  /// Goes to the next row; false: there is none, or the connection has failed.
  bool next();
  [[nodiscard]] std::int64_t integer(int column) const;
  /// TEXT or BLOB; valid until next().
  [[nodiscard]] std::string_view bytes(int column) const;
  [[nodiscard]] bool null(int column) const;

  template <class T>
  void bind(int index, const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      bind_integer(index, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_same_v<T, Blob>) {
      bind_blob(index, value.bytes);
    } else {
      bind_text(index, value);
    }
  }

 private:
  void bind_integer(int index, std::int64_t value);
  void bind_text(int index, std::string_view value);
  void bind_blob(int index, std::string_view value);

  Connection* connection_;
  sqlite3_stmt* statement_;  // null: it could not be compiled, or an error came before
  bool cached_;
};

class Connection {
 public:
  struct How {
    bool write = false;
    bool immutable = false;  ///< nobody writes: no lock and no -shm is needed
    std::string vfs = {};    ///< of SQLite; empty: its default
    int wait_ms = 0;         ///< for a lock
  };
  /// Opens an existing file. Error: its code is errno's, or kDamaged.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, const How& how);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Arguments are bound in order; text and blobs must live until the rows are given back.
  template <class... Arguments>
  Rows query(const std::string& sql, const Arguments&... arguments) {
    Rows rows = prepare(sql);
    int index = 0;
    (rows.bind(++index, arguments), ...);
    return rows;
  }
  /// A statement without rows that matter.
  template <class... Arguments>
  void run(const std::string& sql, const Arguments&... arguments) {
    Rows rows = query(sql, arguments...);
    while (rows.next()) continue;
  }
  /// First column of the first row as a number; nothing where there is none, or NULL.
  template <class... Arguments>
  std::optional<std::int64_t> number(const std::string& sql, const Arguments&... arguments) {
    Rows rows = query(sql, arguments...);
    if (!rows.next() || rows.null(0)) return std::nullopt;
    return rows.integer(0);
  }
  /// Several statements without arguments.
  void script(const std::string& sql);

  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  /// The first failure since the last call, which is forgotten with it.
  Result<void> outcome();
  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t last_id() const;
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  friend class Rows;
  friend class Transaction;
  explicit Connection(std::string path) : path_(std::move(path)) {}
  Rows prepare(const std::string& sql);
  void note_failure(int code);
  void roll_back();

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
  std::optional<Error> failure_;
};

/// What is not committed at the end of its life is rolled back.
class Transaction {
 public:
  enum class Kind { read, write };
  /// `write` takes the lock at once, so that a commit cannot find the file changed.
  Transaction(Connection& connection, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  /// Commits if nothing has failed since the beginning; otherwise says what.
  Result<void> commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace nz::store
