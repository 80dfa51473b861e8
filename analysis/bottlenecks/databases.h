// A target's SQLite databases, and the disk that each lies on.
#pragma once

#include <string>
#include <vector>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

struct Database {
  std::string path;    ///< as the target sees it
  std::string device;  ///< the whole disk, as the kernel names it; empty: not known
};

/// Those that it has open, by path.
std::vector<Database> databases(const Context& context, const OrderPath& path);

}  // namespace nz::analysis
