// Which queries of dashboards and rules may ask in vain, and why.
#pragma once

#include <map>
#include <set>
#include <string>

namespace nz::pipeline {

/// Families that a healthy host under the demo's load may not have at all.
inline const std::map<std::string, std::string>& may_be_absent() {
  static const std::map<std::string, std::string> kReasons = {
      {"nearzero_reclaim_stall_seconds", "no thread had to free memory itself"},
      {"nearzero_target_throttled_seconds_total", "the demo's cgroup has no CPU quota"},
      {"nearzero_target_throttled_periods_total", "the demo's cgroup has no CPU quota"},
      {"nearzero_target_cpu_quota_cores", "the demo's cgroup has no CPU quota"},
      {"nearzero_disk_busy_seconds_total", "a host without a block device of its own"},
      {"nearzero_disk_queue_seconds_total", "a host without a block device of its own"},
      {"nearzero_disk_operations_total", "a host without a block device of its own"},
      {"nearzero_disk_bytes_total", "a host without a block device of its own"},
      {"nearzero_disk_in_flight", "a host without a block device of its own"},
      {"nearzero_pressure_seconds_total", "a kernel without PSI"},
      {"nearzero_bottleneck_impact_ratio", "nothing limits the demo"},
      {"nearzero_sqlite_lock_held_seconds", "nobody has a lock when it is looked"},
      {"nearzero_sqlite_slow_statements_total", "no statement is slow"},
      {"nearzero_sqlite_slow_dropped_total", "no slow statement is kept back"},
      {"nearzero_oom_kills_total", "the kernel kills nobody"},
      {"nearzero_block_io_errors_total", "no request fails"},
      {"nearzero_sqlite_slow_threshold_seconds", "no target logs slow statements"},
      {"nearzero_tcp_connect_failures_total", "no connect fails"},
  };
  return kReasons;
}

/// Families that may be exported and have observed nothing, so that a quantile has no value.
inline const std::map<std::string, std::string>& may_be_silent() {
  static const std::map<std::string, std::string> kReasons = {
      {"nearzero_reclaim_stall_seconds", "no thread had to free memory itself"},
      {"nearzero_bottleneck_impact_ratio", "nothing limits the demo"},
      {"nearzero_tcp_connect_duration_seconds", "the demo connects before the agent is there"},
      {"nearzero_tcp_retransmits_total", "loopback loses nothing"},
      {"nearzero_tcp_round_trip_seconds", "the demo may be using socket pairs"},
      {"nearzero_block_io_duration_seconds", "a host without a block device of its own"},
      {"nearzero_block_io_queue_seconds", "devices without an I/O scheduler queue nothing"},
      {"nearzero_sqlite_lock_held_seconds", "nobody has a lock when it is looked"},
      {"nearzero_sqlite_slow_statements_total", "no statement is slow"},
      {"nearzero_sqlite_slow_dropped_total", "no slow statement is kept back"},
      {"nearzero_oom_kills_total", "the kernel kills nobody"},
      {"nearzero_block_io_errors_total", "no request fails"},
      {"nearzero_tcp_connect_failures_total", "no connect fails"},
      {"nearzero_sqlite_slow_threshold_seconds", "no target logs slow statements"},
  };
  return kReasons;
}

/// Queries whose families have series and no finite value then: `Expression::where`.
inline const std::map<std::string, std::string>& panels_that_may_be_empty() {
  static const std::map<std::string, std::string> kReasons = {
      {"host.json: Pressure of targets A", "only in a cgroup of version 2"},
      {"sqlite.json: Compile time, p99 A", "the demo prepares its statements once and keeps them"},
  };
  return kReasons;
}

}  // namespace nz::pipeline
