// What is too old, or too much, goes: a little with every commit.
#pragma once

#include <cstdint>
#include <vector>

#include "userspace/store/connection.h"
#include "userspace/store/level.h"

namespace nz::store {

class Retention {
 public:
  struct Limits {
    std::int64_t keep_ms[kLevelCount];  ///< age, by level
    std::uint64_t most_bytes;           ///< of the database file, without its WAL
  };
  explicit Retention(const Limits& limits) : limits_(limits) {}

  /// Deletes at most some hundred rows that are too old or too much, as part of the caller's
  /// transaction. Raw rows that are not part of a minute stay. `sure_of_the_time` false: only what
  /// is too much. Gives the numbers of the series that it forgot: no level holds any of them.
  std::vector<std::uint32_t> step(Connection& connection, std::int64_t now_ms,
                                  bool sure_of_the_time);
  /// Gives some free pages back to the file system where there are many. A transaction of its own.
  void shrink(Connection& connection) const;

 private:
  std::vector<std::uint32_t> by_age(Connection& connection, std::int64_t now_ms);
  void by_size(Connection& connection, std::int64_t now_ms, bool sure_of_the_time);

  const Limits limits_;
  std::int64_t last_others_ = 0;  // when events, reports and series were looked at
};

}  // namespace nz::store
