// What one operation is, by --mode.
#pragma once

#include <string>

#include "tests/workloads/micro/sqlite/connection.h"

namespace nz::workload::sqlite {

// Runs o.count operations on the database at `path`, which `c` has open; ns for each.
double run_mode(const Options& o, Connection& c, const std::string& path);

}  // namespace nz::workload::sqlite
