// One cgroup folder, of version 1 or 2: its limits, how often and how long it was throttled, its
// pressure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/resources/growth.h"
#include "userspace/resources/pressure.h"

namespace nz::resources {

enum class CgroupKind { cpu_v1, memory_v1, unified };

/// CPUs that a quota allows. `max`: cpu.max of version 2. Outer nothing: not such a text; inner: no
/// quota.
std::optional<std::optional<double>> parse_cpu_max(std::string_view max);
/// The same from cpu.cfs_quota_us and cpu.cfs_period_us.
std::optional<std::optional<double>> parse_cfs_quota(std::string_view quota,
                                                     std::string_view period);
/// Bytes of memory.max or memory.limit_in_bytes. Outer nothing: not such a text; inner: no limit.
std::optional<std::optional<uint64_t>> parse_memory_limit(std::string_view text);

/// cpu.stat: enforcement periods, those in which it was throttled, and for how long (ns, summed
/// over the CPUs).
struct Throttling {
  uint64_t periods = 0, throttled = 0, nanoseconds = 0;
};
std::optional<Throttling> parse_cpu_stat_of_cgroup(std::string_view text);

class Cgroup {
 public:
  Cgroup(const std::string& folder, CgroupKind kind);

  /// `own`: processes that we follow are in this very group; else it is only above one of theirs.
  void read(Context& context, bool own);

  [[nodiscard]] std::optional<double> cores() const { return cores_; }
  [[nodiscard]] std::optional<uint64_t> memory_limit() const { return memory_limit_; }
  [[nodiscard]] std::optional<uint64_t> memory_used() const { return memory_used_; }
  /// Growth between the last two readings; the first shows none.
  [[nodiscard]] const Throttling& throttling() const { return throttling_; }
  /// The same of pressure in µs, by resource; nothing: this group tells none.
  [[nodiscard]] const std::array<std::optional<Pressure>, kPressureResources.size()>& pressure()
      const {
    return pressure_;
  }

 private:
  std::optional<std::string_view> text_of(Context& context, File& file);
  void read_quota(Context& context);
  void read_memory(Context& context, bool own);
  void read_pressure(Context& context);

  CgroupKind kind_;
  File quota_, period_, stat_, limit_, used_;
  std::array<File, kPressureResources.size()> pressure_files_;
  std::optional<double> cores_;
  std::optional<uint64_t> memory_limit_, memory_used_;
  Throttling throttling_;
  Since periods_, throttled_, nanoseconds_;
  std::array<std::optional<Pressure>, kPressureResources.size()> pressure_;
  std::array<Since, kPressureResources.size()> some_, full_;
};

}  // namespace nz::resources
