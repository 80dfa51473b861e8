#include "userspace/trace/names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "analysis/sql_digest.h"
#include "probes/block_names.h"
#include "probes/syscall_names.h"

namespace nz::trace {
namespace {

constexpr std::array<const char*, NZ_REASONS> kReasons = {"lock",  "idle",       "disk", "network",
                                                          "sleep", "page fault", "ipc",  "other"};
constexpr std::array<const char*, 4> kTcp = {"round trip", "connect", "retransmit",
                                             "connect failed"};
constexpr std::array<const char*, NZ_WAITS> kWaits = {"wait for a lock (busy)", "wait for sync",
                                                      "wait for checkpoint", "compile"};

std::string remote_name(uint64_t number) {
  in_addr address{};
  address.s_addr = static_cast<uint32_t>(number >> 16);
  if (address.s_addr == 0) return fmt::format("port {}", number & 0xffff);
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &address, text.data(), text.size());
  return fmt::format("{}:{}", text.data(), number & 0xffff);
}

}  // namespace

Names::Names(const loader::Object& object, const Request& request,
             const std::vector<CallKind>& calls)
    : layout_(object.layout()),
      assigned_(object.array<uint64_t>("nz_syscall_series")),
      calls_(calls),
      futex_(wants(request, Kind::futex)),
      pagefaults_(wants(request, Kind::pagefaults)),
      offcpu_(wants(request, Kind::offcpu)) {}

void Names::learn(const nz_event& event, std::span<const std::byte> bytes) {
  if (event.kind != NZ_EVENT_STATEMENT || bytes.size() < sizeof(nz_statement_event)) return;
  nz_statement_event e{};
  std::memcpy(&e, bytes.data(), sizeof(e));
  const size_t length = std::min<size_t>(e.length, sizeof(e.text));
  statements_[e.id] =
      analysis::shorten_sql(analysis::normalise_sql(std::string_view(e.text, length)), 120);
}

RowName Names::sched_name(uint32_t kind) const {
  if (kind == NZ_RUNQ_WAKEUP) return {"runq", "after wakeup"};
  if (kind == NZ_RUNQ_PREEMPT) return {"runq", "after preemption"};
  if (kind == NZ_ONCPU) return {"oncpu", "on CPU"};
  const uint32_t reason = kind - NZ_OFFCPU;
  // Asked for by their own names, and only then.
  if (!offcpu_ && futex_ && reason == NZ_LOCK) return {"futex", "wait for a lock"};
  if (!offcpu_ && pagefaults_ && reason == NZ_PAGE_FAULT) return {"pagefaults", "blocked"};
  return {"offcpu", reason < NZ_REASONS ? kReasons[reason] : "?"};
}

RowName Names::sqlite_name(uint32_t series) const {
  if (series < layout_.statement_base())
    return {"sqlite", kWaits[(series - layout_.sqlite_wait_base()) % NZ_WAITS]};
  const uint32_t at = series - layout_.statement_base();
  const auto text = statements_.find(at / NZ_STMT_SERIES);
  return {"sqlite", std::string(at % NZ_STMT_SERIES == NZ_STMT_INSIDE ? "inside: " : "open: ") +
                        (text == statements_.end() ? "(other)" : text->second)};
}

std::string Names::syscall_of(uint32_t series) const {
  const uint32_t at = series - layout_.syscall_base();
  if (at == 0) return "(other)";
  auto known = syscalls_.find(at);
  if (known == syscalls_.end()) {
    for (size_t i = 0; i < assigned_.size(); i++) {
      if (assigned_[i] == at + 1)
        known = syscalls_.emplace(at, probes::syscall_name(i % NZ_NR_SYSCALLS)).first;
    }
  }
  return known == syscalls_.end() ? "?" : known->second;
}

bool Names::is_syscall(uint32_t series) const {
  return series >= layout_.syscall_base() && series < NZ_TRACE_BLOCK;
}

RowName Names::name_of(uint32_t series) const {
  if (series >= NZ_TRACE_CALL) {
    const uint32_t index = series - NZ_TRACE_CALL;
    if (index >= calls_.size()) return {"func", "?"};
    return {calls_[index].target, calls_[index].name, calls_[index].timed};
  }
  if (series >= NZ_TRACE_FAULT) {
    const uint32_t kind = series - NZ_TRACE_FAULT;
    return {"pagefaults",
            fmt::format("{} {}", (kind & 4) != 0 ? "kernel" : "user",
                        (kind & 2) != 0   ? "instruction"
                        : (kind & 1) != 0 ? "write"
                                          : "read"),
            false};
  }
  if (series >= NZ_TRACE_TCP) {
    const uint32_t kind = series - NZ_TRACE_TCP;
    return {"tcp", kTcp[kind % kTcp.size()], kind != NZ_TCP_RETRANSMIT};
  }
  if (series >= NZ_TRACE_BLOCK) {
    const uint32_t kind = series - NZ_TRACE_BLOCK;
    return {"block", std::string(probes::block_op_name(kind % NZ_BLOCK_OPS)) +
                         (kind >= NZ_BLOCK_QUEUED ? ", queued before" : "")};
  }
  if (is_syscall(series)) return {"syscalls", syscall_of(series)};
  if (series >= layout_.sqlite_wait_base()) return sqlite_name(series);
  return sched_name(series);
}

std::string Names::number_name(uint32_t series, uint64_t number) const {
  if (series >= NZ_TRACE_FAULT) return {};
  if (series >= NZ_TRACE_TCP) return remote_name(number);
  if (series >= NZ_TRACE_BLOCK) return probes::block_device_name(number);
  if (is_syscall(series))
    return number == 0 ? "" : probes::errno_name(static_cast<uint32_t>(number));
  if (series >= NZ_SCHED_SERIES) return {};
  if (series == NZ_OFFCPU + NZ_LOCK) return number == 0 ? "" : fmt::format("{:#x}", number);
  if (series < NZ_OFFCPU || number >= NZ_NR_SYSCALLS) return {};
  return probes::syscall_name(static_cast<uint32_t>(number));
}

}  // namespace nz::trace
