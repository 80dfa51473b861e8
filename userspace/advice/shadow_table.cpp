#include "userspace/advice/shadow_table.h"

#include <sqlite3.h>

#include <algorithm>

namespace nz::advice {
namespace {

struct Table {
  sqlite3_vtab base{};
  std::vector<Wanted>* wanted = nullptr;
  std::string name;
  std::vector<std::string> columns;
};

struct Cursor {
  sqlite3_vtab_cursor base{};
};

// The names of a declared table's columns, from the scratch connection that holds the declaration.
std::vector<std::string> columns_of(const std::string& declaration) {
  std::vector<std::string> names;
  sqlite3* scratch = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_open(":memory:", &scratch) == SQLITE_OK &&
      sqlite3_exec(scratch, declaration.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(scratch, "SELECT * FROM shadow", -1, &statement, nullptr) == SQLITE_OK) {
    for (int i = 0; i < sqlite3_column_count(statement); i++)
      names.emplace_back(sqlite3_column_name(statement, i));
  }
  sqlite3_finalize(statement);
  sqlite3_close(scratch);
  return names;
}

int connect(sqlite3* connection, void* wanted, int count, const char* const* arguments,
            sqlite3_vtab** out, char** /*error*/) {
  // arguments: module, database, table, then what stands in the parentheses, split at commas.
  std::string declaration = "CREATE TABLE shadow(";
  for (int i = 3; i < count; i++) {
    if (i > 3) declaration += ',';
    declaration += arguments[i];
  }
  declaration += ')';
  const int code = sqlite3_declare_vtab(connection, declaration.c_str());
  if (code != SQLITE_OK) return code;
  auto* table = new Table;
  table->wanted = static_cast<std::vector<Wanted>*>(wanted);
  table->name = arguments[2];
  table->columns = columns_of(declaration);
  *out = &table->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete reinterpret_cast<Table*>(table);
  return SQLITE_OK;
}

bool is_range(int op) {
  return op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE ||
         op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
}

void add_once(std::vector<std::string>& list, const std::string& name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

int best_index(sqlite3_vtab* base, sqlite3_index_info* info) {
  auto* table = reinterpret_cast<Table*>(base);
  constexpr size_t kMost = 64;
  Wanted w;
  w.table = table->name;
  const auto known = [&](int column) {
    return column >= 0 && static_cast<size_t>(column) < table->columns.size();
  };
  double cost = 1e6;
  for (int i = 0; i < info->nConstraint; i++) {
    const auto& c = info->aConstraint[i];
    if (c.usable == 0 || !known(c.iColumn)) continue;
    const std::string& name = table->columns[static_cast<size_t>(c.iColumn)];
    if (c.op == SQLITE_INDEX_CONSTRAINT_EQ || c.op == SQLITE_INDEX_CONSTRAINT_IS) {
      add_once(w.equal, name);
      cost /= 10;
    } else if (is_range(c.op)) {
      add_once(w.range, name);
      cost /= 2;
    }
  }
  for (int i = 0; i < info->nOrderBy; i++) {
    if (!known(info->aOrderBy[i].iColumn)) {
      w.order.clear();
      break;
    }
    add_once(w.order, table->columns[static_cast<size_t>(info->aOrderBy[i].iColumn)]);
  }
  info->estimatedCost = cost;
  if (table->wanted->size() < kMost) table->wanted->push_back(std::move(w));
  return SQLITE_OK;
}

int open_cursor(sqlite3_vtab* /*table*/, sqlite3_vtab_cursor** out) {
  *out = &(new Cursor)->base;
  return SQLITE_OK;
}
int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete reinterpret_cast<Cursor*>(cursor);
  return SQLITE_OK;
}
// Nothing is run: an empty table is enough.
int filter(sqlite3_vtab_cursor* /*c*/, int /*n*/, const char* /*s*/, int /*count*/,
           sqlite3_value** /*values*/) {
  return SQLITE_OK;
}
int next_row(sqlite3_vtab_cursor* /*c*/) { return SQLITE_OK; }
int at_end(sqlite3_vtab_cursor* /*c*/) { return 1; }
int column_value(sqlite3_vtab_cursor* /*c*/, sqlite3_context* /*to*/, int /*i*/) {
  return SQLITE_OK;
}
int row_id(sqlite3_vtab_cursor* /*c*/, sqlite3_int64* out) {
  *out = 0;
  return SQLITE_OK;
}
// There, so that UPDATE and DELETE compile.
int update(sqlite3_vtab* /*t*/, int /*n*/, sqlite3_value** /*values*/, sqlite3_int64* /*id*/) {
  return SQLITE_READONLY;
}

const sqlite3_module kModule = [] {
  sqlite3_module m{};
  m.iVersion = 1;
  m.xCreate = m.xConnect = connect;
  m.xBestIndex = best_index;
  m.xDisconnect = m.xDestroy = disconnect;
  m.xOpen = open_cursor;
  m.xClose = close_cursor;
  m.xFilter = filter;
  m.xNext = next_row;
  m.xEof = at_end;
  m.xColumn = column_value;
  m.xRowid = row_id;
  m.xUpdate = update;
  return m;
}();

}  // namespace

int register_shadow(sqlite3* connection, std::vector<Wanted>* wanted) {
  return sqlite3_create_module(connection, "nz_shadow", &kModule, wanted);
}

}  // namespace nz::advice
