// Which processes run a file now.
#pragma once

#include <vector>

#include "userspace/sites/binary.h"
#include "userspace/targets/process.h"

namespace nz::inspect {

/// Processes that have the file of `binary` mapped executable, by pid; compared by device and
/// inode, so that copies in containers and replaced files are told apart.
std::vector<targets::Process> mapped_by(const sites::Binary& binary);

}  // namespace nz::inspect
