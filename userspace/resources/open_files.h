// /proc/sys/fs/file-nr: open files of the host and how many there may be.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "userspace/resources/context.h"

namespace nz::resources {

/// Used and limit.
std::optional<std::pair<uint64_t, uint64_t>> parse_file_nr(std::string_view text);

class OpenFiles {
 public:
  explicit OpenFiles(const Paths& paths) : file_nr_(paths.proc + "/sys/fs/file-nr") {}
  void collect(Context& context);

 private:
  File file_nr_;
};

}  // namespace nz::resources
