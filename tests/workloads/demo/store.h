// The service's SQLite connections. Each counts exactly what it asked SQLite to do.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/workloads/demo/options.h"
#include "tests/workloads/demo/queue.h"

namespace demo {

struct StoreError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct StatementCount {
  uint64_t runs = 0;        // executions, from the first step to the reset
  uint64_t steps = 0;       // calls of sqlite3_step
  uint64_t rows = 0;        // steps that returned SQLITE_ROW
  uint64_t compiles = 0;    // calls of sqlite3_prepare_v2 that gave a statement
  uint64_t reprepares = 0;  // recompilations inside sqlite3_step after a schema change
};

struct SqlCounts {
  uint64_t opens = 0;
  uint64_t closes = 0;
  uint64_t busy_errors = 0;  // SQLITE_BUSY in spite of the timeout
  std::map<std::string, StatementCount> by_text;
  void merge(const SqlCounts& other);
  nlohmann::json to_json() const;
};

class Statement {
 public:
  Statement(sqlite3* db, const std::string& text, SqlCounts& counts);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int index, int64_t value);
  void bind(int index, double value);
  bool step();  // true: a row. Throws StoreError.
  void reset();
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }

 private:
  sqlite3_stmt* statement_ = nullptr;
  SqlCounts& all_;
  StatementCount& count_;
  bool running_ = false;
};

struct Limits {
  int64_t max_quantity = 0;
  double max_notional = 0;
};

// One connection, used by one thread.
class Store {
 public:
  // `vfs` may be empty: the default one.
  Store(const std::string& path, const std::string& synchronous, const std::string& vfs);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  void create_schema();  // tables, 20,000 limits, 1,000 orders; keeps what is there
  void prepare();        // the statements of the order path
  Limits lookup_limits(uint32_t account);
  void insert_order(const Tick& tick, double signal);
  // The same on a connection that is opened for it, and closed.
  Limits lookup_limits_anew(uint32_t account);
  int64_t position_report();  // scans the newest 1,000 orders, returns the net quantity
  // Reads the first order and keeps the statement open, `held_ns` long or until `stop`.
  void read_slowly(uint64_t held_ns, const std::atomic<bool>& stop);
  // Commits of this connection checkpoint from so many pages of WAL on.
  void checkpoint_from(int pages);
  void drop_limit_index();
  void create_limit_index();
  SqlCounts close();  // counts of the life of this connection

 private:
  void run(const std::string& text);
  const std::string path_, synchronous_, vfs_;
  sqlite3* db_ = nullptr;
  int checkpoint_pages_;
  SqlCounts counts_;
  std::unique_ptr<Statement> lookup_, insert_, report_;
};

}  // namespace demo
