#include "tests/workloads/demo/store.h"

#include <algorithm>

#include "tests/workloads/common/workload.h"
#include "tests/workloads/demo/market.h"
#include "tests/workloads/demo/switches.h"

namespace demo {
namespace {

[[noreturn]] void fail(sqlite3* db, const std::string& what) {
  throw StoreError(what + ": " + sqlite3_errmsg(db));
}

constexpr const char* kCreateIndex =
    "CREATE INDEX IF NOT EXISTS risk_limits_account ON risk_limits(account)";

}  // namespace

void SqlCounts::merge(const SqlCounts& other) {
  opens += other.opens;
  closes += other.closes;
  busy_errors += other.busy_errors;
  for (const auto& [text, c] : other.by_text) {
    StatementCount& mine = by_text[text];
    mine.runs += c.runs;
    mine.steps += c.steps;
    mine.rows += c.rows;
    mine.compiles += c.compiles;
    mine.reprepares += c.reprepares;
  }
}

nlohmann::json SqlCounts::to_json() const {
  StatementCount sum;
  nlohmann::json texts = nlohmann::json::array();
  for (const auto& [text, c] : by_text) {
    texts.push_back({{"text", text},
                     {"runs", c.runs},
                     {"steps", c.steps},
                     {"rows", c.rows},
                     {"compiles", c.compiles},
                     {"reprepares", c.reprepares}});
    sum.runs += c.runs;
    sum.steps += c.steps;
    sum.rows += c.rows;
    sum.compiles += c.compiles;
    sum.reprepares += c.reprepares;
  }
  return {{"opens", opens},
          {"closes", closes},
          {"busy_errors", busy_errors},
          {"statements", sum.runs},
          {"steps", sum.steps},
          {"rows", sum.rows},
          {"compiles", sum.compiles},
          {"reprepares", sum.reprepares},
          {"by_text", texts}};
}

Statement::Statement(sqlite3* db, const std::string& text, SqlCounts& counts)
    : all_(counts), count_(counts.by_text[text]) {
  if (sqlite3_prepare_v2(db, text.c_str(), -1, &statement_, nullptr) != SQLITE_OK) fail(db, text);
  ++count_.compiles;
}

Statement::~Statement() {
  count_.reprepares +=
      static_cast<uint64_t>(sqlite3_stmt_status(statement_, SQLITE_STMTSTATUS_REPREPARE, 0));
  sqlite3_finalize(statement_);
}

void Statement::bind(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }
void Statement::bind(int index, double value) { sqlite3_bind_double(statement_, index, value); }

bool Statement::step() {
  if (!running_) ++count_.runs;
  running_ = true;
  ++count_.steps;
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) {
    ++count_.rows;
    return true;
  }
  if (rc == SQLITE_DONE) return false;
  if (rc == SQLITE_BUSY) ++all_.busy_errors;
  const std::string text = sqlite3_sql(statement_);
  reset();
  fail(sqlite3_db_handle(statement_), text);
}

void Statement::reset() {
  sqlite3_reset(statement_);
  running_ = false;
}

Store::Store(const std::string& path, const std::string& synchronous, const std::string& vfs)
    : path_(path),
      synchronous_(synchronous),
      vfs_(vfs),
      checkpoint_pages_(kDefaultCheckpointPages) {
  const int rc = sqlite3_open_v2(path.c_str(), &db_,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                 vfs.empty() ? nullptr : vfs.c_str());
  if (rc != SQLITE_OK) {
    const std::string why = db_ ? sqlite3_errmsg(db_) : "out of memory";
    sqlite3_close(db_);
    throw StoreError("open " + path + ": " + why);
  }
  ++counts_.opens;
  sqlite3_busy_timeout(db_, 5000);
  run("PRAGMA journal_mode=WAL");
  run("PRAGMA synchronous=" + synchronous);
}

Store::~Store() {
  if (db_) close();
}

SqlCounts Store::close() {
  lookup_.reset();
  insert_.reset();
  report_.reset();
  if (sqlite3_close(db_) == SQLITE_OK) ++counts_.closes;
  db_ = nullptr;
  return counts_;
}

void Store::run(const std::string& text) {
  Statement statement(db_, text, counts_);
  while (statement.step()) {
  }
  statement.reset();
}

void Store::create_schema() {
  run("CREATE TABLE IF NOT EXISTS risk_limits(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, "
      "max_quantity INTEGER NOT NULL, max_notional REAL NOT NULL)");
  run(kCreateIndex);
  run("CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, account INTEGER, symbol INTEGER, "
      "quantity INTEGER, price REAL, signal REAL)");
  {
    Statement count(db_, "SELECT count(*) FROM risk_limits", counts_);
    count.step();
    const bool filled = count.integer(0) > 0;
    count.reset();
    if (filled) return;
  }
  run("BEGIN");
  {
    Statement limit(
        db_, "INSERT INTO risk_limits(account, max_quantity, max_notional) VALUES(?1, ?2, ?3)",
        counts_);
    for (uint32_t account = 0; account < kAccounts; ++account) {
      limit.bind(1, static_cast<int64_t>(account));
      limit.bind(2, kMaxQuantity);
      limit.bind(3, 1e7);
      limit.step();
      limit.reset();
    }
  }
  run("COMMIT");
  prepare();
  run("BEGIN");
  // The report scans exactly 1,000 rows from its first run on.
  for (uint64_t i = 0; i < 1000; ++i) {
    Tick tick;
    tick.symbol = static_cast<uint32_t>(i % kSymbols);
    tick.quantity = 1;
    tick.price = 100;
    insert_order(tick, 0);
  }
  run("COMMIT");
}

void Store::prepare() {
  lookup_ = std::make_unique<Statement>(
      db_, "SELECT max_quantity, max_notional FROM risk_limits WHERE account = ?1", counts_);
  insert_ = std::make_unique<Statement>(
      db_,
      "INSERT INTO orders(account, symbol, quantity, price, signal) VALUES(?1, ?2, ?3, ?4, ?5)",
      counts_);
  report_ = std::make_unique<Statement>(
      db_, "SELECT account, symbol, quantity, price FROM orders ORDER BY id DESC LIMIT 1000",
      counts_);
}

Limits Store::lookup_limits(uint32_t account) {
  lookup_->bind(1, static_cast<int64_t>(account));
  if (!lookup_->step()) {
    lookup_->reset();
    throw StoreError("no risk limit for account " + std::to_string(account));
  }
  const Limits limits{lookup_->integer(0), lookup_->real(1)};
  lookup_->reset();
  return limits;
}

Limits Store::lookup_limits_anew(uint32_t account) {
  Store fresh(path_, synchronous_, vfs_);
  fresh.prepare();
  const Limits limits = fresh.lookup_limits(account);
  counts_.merge(fresh.close());
  return limits;
}

void Store::insert_order(const Tick& tick, double signal) {
  insert_->bind(1, static_cast<int64_t>(tick.account));
  insert_->bind(2, static_cast<int64_t>(tick.symbol));
  insert_->bind(3, tick.quantity);
  insert_->bind(4, tick.price);
  insert_->bind(5, signal);
  insert_->step();
  insert_->reset();
}

int64_t Store::position_report() {
  int64_t net = 0;
  while (report_->step()) net += report_->integer(2);
  report_->reset();
  return net;
}

void Store::read_slowly(uint64_t held_ns, const std::atomic<bool>& stop) {
  constexpr uint64_t kSlice = 20'000'000;
  Statement cursor(db_, "SELECT id, account, quantity FROM orders ORDER BY id", counts_);
  cursor.step();
  for (const uint64_t until = nz::workload::now_ns() + held_ns;
       !stop.load(std::memory_order_relaxed) && nz::workload::now_ns() < until;)
    nz::workload::sleep_ns(std::min(held_ns, kSlice));
  cursor.reset();
}

void Store::checkpoint_from(int pages) {
  if (pages == checkpoint_pages_) return;
  checkpoint_pages_ = pages;
  sqlite3_wal_autocheckpoint(db_, pages);
}

void Store::drop_limit_index() { run("DROP INDEX IF EXISTS risk_limits_account"); }
void Store::create_limit_index() { run(kCreateIndex); }

}  // namespace demo
