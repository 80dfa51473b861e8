// The file itself: made, opened, locked, set aside where it is damaged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/store/connection.h"

namespace nz::store {

/// The file to write to, with all tables: an older one is migrated, a missing one made (with its
/// folder; readable for its owner and group). Error: see migrate(); kDamaged where it is no
/// database.
Result<std::unique_ptr<Connection>> open_to_write(const std::string& path,
                                                  const std::string& vfs = {});

/// The file to read from, beside whoever writes to it. Error: ENOENT where there is none.
Result<std::unique_ptr<Connection>> open_to_read(const std::string& path,
                                                 const std::string& vfs = {});

/// Held by the one agent that records to the file; the kernel gives it back however the agent ends.
/// Error: EWOULDBLOCK where another one has it.
Result<Fd> lock_for_recording(const std::string& path);

/// Renames a damaged file and what belongs to it to PATH.corrupt-20261127T090000Z; of those, the
/// newest two stay. No connection to it may be open. Gives the new name.
Result<std::string> set_aside(const std::string& path, double unix_seconds);

struct FileSizes {
  std::uint64_t database = 0, wal = 0;  ///< bytes
};
FileSizes sizes_of(const std::string& path);

/// Whether `file` is the database at `path`, or its WAL or -shm, by whatever name.
bool belongs_to(const std::string& file, const std::string& path);

}  // namespace nz::store
