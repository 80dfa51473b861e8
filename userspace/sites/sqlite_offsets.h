// Where a given build of SQLite keeps what a probe wants to read: derived from the machine code of
// tiny functions that read those fields, never from a table of versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "userspace/sites/binary.h"

namespace nz::sites {

/// A value that was derived, or the reason why not.
template <class T>
struct Derived {
  std::optional<T> value;
  std::string why_not;  ///< empty when there is a value
};

/// One bit: `mask` in the byte at `offset`.
struct BitOffset {
  uint32_t offset = 0;
  uint8_t mask = 0;
};

/// Pointers to follow from a database handle to the name of its main file:
/// *(*(*(*(*(db + db_list) + btree) + shared) + pager) + file_name). NUL-terminated UTF-8, empty
/// for a database in memory.
struct FileNameChain {
  uint32_t db_list = 0;    ///< sqlite3.aDb
  uint32_t btree = 0;      ///< Db.pBt; entry 0 is "main"
  uint32_t shared = 0;     ///< Btree.pBt
  uint32_t pager = 0;      ///< BtShared.pPager
  uint32_t file_name = 0;  ///< Pager.zFilename
};

/// Offsets in bytes from a statement (struct Vdbe, what sqlite3_stmt* points to) unless said
/// otherwise.
struct SqliteOffsets {
  Derived<uint32_t> sql;         ///< Vdbe.zSql, char*: what sqlite3_sql returns
  Derived<uint32_t> vdbe_state;  ///< Vdbe.eVdbeState, one byte: 2 while the statement runs (3.39+)
  Derived<uint32_t> rc;          ///< Vdbe.rc, int: result of the statement so far
  Derived<uint32_t> db;          ///< Vdbe.db, sqlite3*
  Derived<BitOffset> read_only;  ///< Vdbe.readOnly: set for statements that write nothing
  Derived<FileNameChain> file_name;  ///< from the sqlite3*, not from the statement
  Derived<std::string> version;      ///< "3.40.1"
};

/// Derives what it can from libsqlite3 or from a program that contains SQLite. Never fails as a
/// whole: what does not hold for this build has its reason instead of a value. Verify at attach all
/// the same.
SqliteOffsets derive_sqlite_offsets(const Binary& binary);

}  // namespace nz::sites
