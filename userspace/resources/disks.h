// /proc/diskstats: use, queue, operations and bytes of whole devices.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/resources/bounded.h"
#include "userspace/resources/context.h"

namespace nz::resources {

/// A row's figures in the order of the columns of Disks.
struct DiskRow {
  std::string name;
  uint64_t reads = 0, read_sectors = 0, writes = 0, written_sectors = 0;
  uint64_t in_flight = 0, busy_ms = 0, queue_ms = 0;
  uint64_t discards = 0, discarded_sectors = 0, flushes = 0;  ///< since Linux 4.18 and 5.5
};
std::optional<DiskRow> parse_disk_row(std::string_view line);

class Disks {
 public:
  static constexpr size_t kNamed = 32;  ///< devices with rows of their own

  explicit Disks(const Paths& paths);
  /// `used`: devices that file systems lie on. Loop and memory devices count only among them, and
  /// so do those that have never done anything.
  void collect(Context& context, const std::set<std::string>& used);
  [[nodiscard]] size_t unnamed() const { return bounded_.unnamed(); }

 private:
  std::vector<Bounded::Item> read(Context& context, const std::set<std::string>& used);
  bool is_whole(const std::string& name);

  Paths paths_;
  File stats_;
  Bounded bounded_;
  std::map<std::string, bool> whole_;  // by name: what /sys said once
};

}  // namespace nz::resources
