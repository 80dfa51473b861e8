// Tables that hold nothing and remember what the planner asks of them (SQLite's virtual tables).
#pragma once

#include <string>
#include <vector>

struct sqlite3;

namespace nz::advice {

/// What one call of xBestIndex offered for one table: columns by name.
struct Wanted {
  std::string table;
  std::vector<std::string> equal, range, order;
};

/// Makes CREATE VIRTUAL TABLE <name> USING nz_shadow(<columns of a CREATE TABLE>) known to the
/// connection. Each plan of a statement adds to `wanted`, which must outlive the connection.
/// Returns SQLite's code.
int register_shadow(sqlite3* connection, std::vector<Wanted>* wanted);

}  // namespace nz::advice
