// What of SQLite is attached in one process.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "probes/sqlite/choose_plan.h"
#include "probes/sqlite/locate.h"
#include "userspace/base/fd.h"

namespace nz::probes {

struct SqliteAttached {
  uint32_t slot = 0;
  std::string library, wanted;
  bool by_fork = false;
  std::optional<SqliteBinary> binary;
  Fd file;                                    ///< the binary's: another one may come to its path
  SqlitePlan not_resumed = SqlitePlan::none;  ///< the plan that could not be attached after a pause
  SqlitePlan plan = SqlitePlan::none;
  std::vector<Fd> plan_links, wait_links, connection_links;
  uint32_t compile_attach = 0;                       ///< its number; 0: compiles are not seen
  std::set<std::pair<std::string, uint64_t>> files;  ///< mapped when SQLite was looked for last
  bool counted = false;                              ///< its connections from before the attach
  std::string text;

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file.get()); }
  /// Opens and closes are rare, and counting them has to go on.
  void pause() {
    plan_links.clear();
    wait_links.clear();
    compile_attach = 0;
  }
  void drop_links() {
    pause();
    connection_links.clear();
  }
};

}  // namespace nz::probes
