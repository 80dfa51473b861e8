// How many connections a target has open: those from before its probes came, and what opens and
// closes have told since. Pure: looks at counts, opens nothing.
#pragma once

#include <cstdint>
#include <map>

#include "nearzero/abi.h"

namespace nz::probes {

class SqliteConnections {
 public:
  /// The first probes of `slot` are about to come; further calls change nothing.
  void begin(uint32_t slot, const nz_sqlite_stats& before);
  /// A process of it was found with `files` databases open, at `now`; its probes came after
  /// `before`, and have counted some of them.
  void add(uint32_t slot, uint64_t files, const nz_sqlite_stats& before,
           const nz_sqlite_stats& now);
  /// From here on anew: `files` are open.
  void reset(uint32_t slot, uint64_t files, const nz_sqlite_stats& now);
  void clear() { by_slot_.clear(); }

  /// Open at the counts `now`, by slot, of the slots that begin() and `now` both name.
  [[nodiscard]] std::map<uint32_t, uint64_t> open(
      const std::map<uint32_t, nz_sqlite_stats>& now) const;

 private:
  // `base` were open when opens and closes stood at these values.
  struct Since {
    uint64_t base = 0, opens = 0, closes = 0;
  };
  std::map<uint32_t, Since> by_slot_;
};

}  // namespace nz::probes
