#include "userspace/resources/memory.h"

#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

constexpr std::array<std::string_view, kMemoryKinds.size()> kMeminfoKeys = {
    "MemTotal:", "MemFree:",   "MemAvailable:", "Cached:",
    "Dirty:",    "Writeback:", "SwapTotal:",    "SwapFree:"};
constexpr size_t kSwapTotal = 6;
constexpr size_t kAllocstall = 5;

}  // namespace

std::optional<std::array<uint64_t, kMemoryKinds.size()>> parse_meminfo(std::string_view text) {
  std::array<uint64_t, kMemoryKinds.size()> bytes{};
  size_t found = 0;
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(*line);
    const std::string_view key = words.next();
    for (size_t i = 0; i < kMeminfoKeys.size(); i++) {
      if (key != kMeminfoKeys[i]) continue;
      const auto number = words.number();
      if (!number || *number > UINT64_MAX / 1024 || words.next() != "kB") return std::nullopt;
      bytes[i] = *number * 1024;
      found++;
    }
  }
  if (lines.torn() || found != kMeminfoKeys.size()) return std::nullopt;
  return bytes;
}

std::optional<std::array<std::optional<uint64_t>, kVmEvents.size()>> parse_vmstat(
    std::string_view text) {
  std::array<std::optional<uint64_t>, kVmEvents.size()> events{};
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(*line);
    const std::string_view key = words.next();
    for (size_t i = 0; i < kVmEvents.size(); i++) {
      // One allocstall for each memory zone; together they are the allocations that had to reclaim.
      const bool zone = i == kAllocstall && key.starts_with("allocstall_");
      if (key != kVmEvents[i] && !zone) continue;
      const auto number = words.number();
      if (!number) return std::nullopt;
      events[i] = (zone ? events[i].value_or(0) : 0) + *number;
    }
  }
  if (lines.torn() || !events[0]) return std::nullopt;
  return events;
}

void Memory::collect(Context& context) {
  const auto meminfo = meminfo_.read(context.buffer);
  if (const auto bytes = meminfo ? parse_meminfo(*meminfo) : std::nullopt; bytes) {
    has_swap_ = (*bytes)[kSwapTotal] > 0;
    Rows rows(context, "nearzero_host_memory_bytes", "Memory of the host in bytes.", kGauge);
    for (size_t i = 0; i < kMemoryKinds.size(); i++) {
      rows.add({{"kind", kMemoryKinds[i]}}, static_cast<double>((*bytes)[i]));
    }
  } else {
    context.errors.count(Source::memory);
  }

  const auto vmstat = vmstat_.read(context.buffer);
  if (const auto events = vmstat ? parse_vmstat(*vmstat) : std::nullopt; events) {
    Rows rows(context, "nearzero_host_vm_events_total",
              "Page faults, swapped pages, direct reclaim and OOM kills since boot.", kCounter);
    for (size_t i = 0; i < kVmEvents.size(); i++) {
      if ((*events)[i]) rows.add({{"event", kVmEvents[i]}}, static_cast<double>(*(*events)[i]));
    }
  } else {
    context.errors.count(Source::memory);
  }
}

}  // namespace nz::resources
