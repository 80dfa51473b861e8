// What /proc tells of one process's use of resources.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/resources/context.h"

namespace nz::resources {

/// Cumulative use; `children` is what ended children had used that the process has waited for.
struct Usage {
  enum Field : size_t { user, system, minor, major, kFields };  ///< clock ticks; page faults
  std::array<uint64_t, kFields> own{}, children{};
  std::array<uint64_t, 2> io{};  ///< bytes read, written; the kernel adds the children's itself
  uint64_t start_time = 0;       ///< clock ticks after boot: with the pid, an identity
  uint64_t threads = 0, resident_pages = 0;
  pid_t parent = 0;
  bool ended = false;  ///< a zombie: nothing grows any more
};

/// /proc/PID/stat; false where it is not one. A command may contain blanks and parentheses.
bool parse_process_stat(std::string_view text, Usage& usage);
/// /proc/PID/io; false where a line is missing.
bool parse_process_io(std::string_view text, std::array<uint64_t, 2>& io);
/// The soft limit of "Max open files" in /proc/PID/limits; nothing: unlimited, or no such line.
std::optional<uint64_t> parse_open_files_limit(std::string_view text);
/// VmSwap of /proc/PID/status in bytes; a process without memory has none.
uint64_t parse_swap(std::string_view text);

/// A process's files. What they tell is kept from reading to reading.
class Process {
 public:
  Process(const std::string& proc, pid_t pid);

  /// Reads its usage. `keep_open`: the descriptors stay, for the next time. False: it has ended, or
  /// its pid is another's now (`start_time` differs), or nobody could read it (counted).
  bool read(Context& context, uint64_t start_time, bool keep_open);
  /// What changes seldom: the limit of open files, swap, the text of its cgroup, where its network
  /// is.
  void read_rare(Context& context, bool swap);
  /// Counts its open files: one call since Linux 6.2, before by a walk through the folder, and then
  /// only if `walk`.
  void count_open_files(Context& context, bool walk);

  [[nodiscard]] const Usage& usage() const { return usage_; }
  [[nodiscard]] uint64_t open_files() const { return open_files_; }
  [[nodiscard]] std::optional<uint64_t> open_files_limit() const { return limit_; }
  [[nodiscard]] uint64_t swap_bytes() const { return swap_; }
  [[nodiscard]] const std::string& cgroup() const { return cgroup_; }
  /// Its network namespace as network_namespace_of() tells it; empty: unknown.
  [[nodiscard]] const std::string& network() const { return network_; }

 private:
  std::string folder_;
  File stat_, io_;
  Usage usage_;
  uint64_t open_files_ = 0, swap_ = 0;
  std::optional<uint64_t> limit_;
  std::string cgroup_, network_;
};

}  // namespace nz::resources
