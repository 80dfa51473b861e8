// The file that a plot goes to.
#pragma once

#include <string>

namespace nz::analyze {

/// Whether drawing into `plot` would overwrite what is read: `file`, or the file that standard
/// input comes from where that is "-". Under another name too.
bool overwrites(const std::string& plot, const std::string& file);

}  // namespace nz::analyze
