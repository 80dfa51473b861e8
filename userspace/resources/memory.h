// /proc/meminfo and /proc/vmstat: how much there is, and the events that tell of too little.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "userspace/resources/context.h"

namespace nz::resources {

constexpr std::array<const char*, 8> kMemoryKinds = {
    "total", "free", "available", "cached", "dirty", "writeback", "swap_total", "swap_free"};
/// Bytes by kind. Nothing where one is missing or not a number.
std::optional<std::array<uint64_t, kMemoryKinds.size()>> parse_meminfo(std::string_view text);

constexpr std::array<const char*, 7> kVmEvents = {
    "pgfault", "pgmajfault", "pswpin", "pswpout", "pgscan_direct", "allocstall", "oom_kill"};
/// Since boot; those that this kernel does not count are nothing. Nothing at all: cut off.
std::optional<std::array<std::optional<uint64_t>, kVmEvents.size()>> parse_vmstat(
    std::string_view text);

class Memory {
 public:
  explicit Memory(const Paths& paths)
      : meminfo_(paths.proc + "/meminfo"), vmstat_(paths.proc + "/vmstat") {}
  void collect(Context& context);
  /// Whether the host had any swap at the last collection.
  [[nodiscard]] bool has_swap() const { return has_swap_; }

 private:
  File meminfo_, vmstat_;
  bool has_swap_ = false;
};

}  // namespace nz::resources
