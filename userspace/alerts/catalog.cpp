#include "userspace/alerts/catalog.h"

#include <algorithm>

#include "userspace/config/nearest_key.h"

namespace nz::alerts {
namespace {

constexpr auto kCounter = metrics::Type::counter;
constexpr auto kGauge = metrics::Type::gauge;
constexpr auto kHistogram = metrics::Type::histogram;
constexpr std::string_view kPrefix = "nearzero_";

}  // namespace

const std::vector<CatalogEntry>& catalog() {
  static const std::vector<CatalogEntry> all = {
      // the scheduler
      {"runqueue_latency_seconds", kHistogram, "target,after"},
      {"oncpu_slice_seconds", kHistogram, "target"},
      {"offcpu_seconds", kHistogram, "target,reason"},
      {"blocked_syscalls_total", kCounter, "target,syscall"},
      {"blocked_syscall_seconds_total", kCounter, "target,syscall"},
      {"context_switches_total", kCounter, ""},
      {"syscall_duration_seconds", kHistogram, "target,syscall"},
      {"syscall_errors_total", kCounter, "target,syscall,errno"},
      {"syscalls_untargeted_total", kCounter, ""},
      // disk, TCP, memory
      {"block_io_duration_seconds", kHistogram, "device,op"},
      {"block_io_queue_seconds", kHistogram, "device,op"},
      {"block_io_errors_total", kCounter, "device,op"},
      {"block_io_incomplete_total", kCounter, "cause"},
      {"tcp_round_trip_seconds", kHistogram, "target"},
      {"tcp_connect_duration_seconds", kHistogram, "target"},
      {"tcp_connect_failures_total", kCounter, "target"},
      {"tcp_retransmits_total", kCounter, "target"},
      {"tcp_sockets_untracked_total", kCounter, "target"},
      {"socket_bytes_total", kCounter, "target,protocol,direction"},
      {"reclaim_stall_seconds", kHistogram, "target,kind"},
      {"oom_kills_total", kCounter, "target"},
      {"reclaim_incomplete_total", kCounter, "cause"},
      // profile
      {"profile_samples_total", kCounter, "target"},
      {"hot_function_samples_total", kCounter, "target,function,module"},
      {"profile_degraded_total", kCounter, "cause"},
      {"profile_rate_hertz", kGauge, ""},
      {"profile_names_waiting", kGauge, ""},
      // SQLite
      {"sqlite_statement_duration_seconds", kHistogram, "target,digest,statement"},
      {"sqlite_statement_open_seconds", kHistogram, "target,digest,statement"},
      {"sqlite_statements_total", kCounter, "target,digest,statement"},
      {"sqlite_rows_total", kCounter, "target,digest,statement"},
      {"sqlite_statement_errors_total", kCounter, "target,digest,statement"},
      {"sqlite_statement_wait_seconds_total", kCounter, "target,digest,kind"},
      {"sqlite_statement_code", kGauge, "target,digest,code"},
      {"sqlite_statement_stage", kGauge, "target,digest,stage"},
      {"sqlite_wait_seconds", kHistogram, "target,kind"},
      {"sqlite_slow_statements_total", kCounter, "target,digest"},
      {"sqlite_slow_dropped_total", kCounter, "target,cause"},
      {"sqlite_slow_threshold_seconds", kGauge, "target"},
      {"sqlite_database_bytes", kGauge, "target,database,kind"},
      {"sqlite_database_device", kGauge, "target,database,device"},
      {"sqlite_wal_frames", kGauge, "target,database,state"},
      {"sqlite_lock_held_seconds", kGauge, "target,database,lock,comm"},
      {"sqlite_transaction_seconds", kGauge, "target,database,lock"},
      {"sqlite_lock_seen_total", kCounter, "target,database,lock,comm"},
      {"sqlite_compile_seconds", kHistogram, "target"},
      {"sqlite_results_total", kCounter, "target,code"},
      {"sqlite_steps_total", kCounter, "target"},
      {"sqlite_opens_total", kCounter, "target"},
      {"sqlite_closes_total", kCounter, "target"},
      {"sqlite_open_connections", kGauge, "target"},
      {"sqlite_incomplete_total", kCounter, "target,cause"},
      {"sqlite_plan", kGauge, "target,plan"},
      {"sqlite_sampled_inside_ratio", kGauge, "target"},
      // the order path
      {"order_stage_duration_seconds", kHistogram, "target,stage"},
      {"order_stage_component_seconds_total", kCounter, "target,stage,component"},
      {"order_stage_started_total", kCounter, "target,stage"},
      {"order_stage_completed_total", kCounter, "target,stage"},
      {"order_stage_in_flight", kGauge, "target,stage"},
      {"order_stage_unmatched_total", kCounter, "target,stage"},
      {"order_stage_torn_total", kCounter, "target,stage"},
      {"order_stage_abandoned_total", kCounter, "target,stage,cause"},
      // nearzero itself
      {"probe_attached", kGauge, "probe,target"},
      {"probe_tripped", kGauge, "probe,target"},
      {"probe_cost_seconds_total", kCounter, "probe,target"},
      {"probe_cost_ratio", kGauge, "probe,target"},
      {"probe_hit_seconds", kGauge, "kind"},
      {"probe_duty_ratio", kGauge, "probe,target"},
      {"probe_observed_seconds_total", kCounter, "probe,target"},
      {"drops_total", kCounter, "probe,cause"},
      // targets
      {"target_processes", kGauge, "target"},
      {"target_cpu_seconds_total", kCounter, "target,mode"},
      {"target_memory_bytes", kGauge, "target,kind"},
      {"target_page_faults_total", kCounter, "target,kind"},
      {"target_threads", kGauge, "target"},
      {"target_open_files", kGauge, "target,kind"},
      {"target_io_bytes_total", kCounter, "target,direction"},
      {"target_cpu_quota_cores", kGauge, "target"},
      {"target_throttled_seconds_total", kCounter, "target"},
      {"target_throttled_periods_total", kCounter, "target"},
      {"target_quota_periods_total", kCounter, "target"},
      {"target_network_bytes_total", kCounter, "target,direction"},
      {"target_network_packets_total", kCounter, "target,direction"},
      {"target_network_errors_total", kCounter, "target,direction"},
      {"target_network_drops_total", kCounter, "target,direction"},
      {"target_tcp_events_total", kCounter, "target,event"},
      {"target_udp_events_total", kCounter, "target,event"},
      {"target_network_namespaces", kGauge, "target,state"},
      {"target_info", kGauge, "target,service_job,service_instance"},
      // the host
      {"pressure_seconds_total", kCounter, "scope,resource,kind"},
      {"host_cpu_seconds_total", kCounter, "cpu,mode"},
      {"host_cpus", kGauge, ""},
      {"host_runnable_threads", kGauge, ""},
      {"host_blocked_threads", kGauge, ""},
      {"host_forks_total", kCounter, ""},
      {"host_interrupts_total", kCounter, ""},
      {"host_softirqs_total", kCounter, "kind"},
      {"host_memory_bytes", kGauge, "kind"},
      {"host_vm_events_total", kCounter, "event"},
      {"host_open_files", kGauge, "kind"},
      {"disk_busy_seconds_total", kCounter, "device"},
      {"disk_queue_seconds_total", kCounter, "device"},
      {"disk_in_flight", kGauge, "device"},
      {"disk_operations_total", kCounter, "device,op"},
      {"disk_bytes_total", kCounter, "device,op"},
      {"filesystem_bytes", kGauge, "mount,device,kind"},
      {"filesystem_inodes", kGauge, "mount,device,kind"},
      {"network_bytes_total", kCounter, "interface,direction"},
      {"network_packets_total", kCounter, "interface,direction"},
      {"network_errors_total", kCounter, "interface,direction"},
      {"network_drops_total", kCounter, "interface,direction"},
      {"tcp_events_total", kCounter, "event"},
      {"udp_events_total", kCounter, "event"},
      {"resource_errors_total", kCounter, "source"},
      {"resource_summed", kGauge, "source"},
      // the agent
      {"agent_cpu_seconds_total", kCounter, ""},
      {"agent_errors_total", kCounter, ""},
      {"agent_resident_memory_bytes", kGauge, ""},
      {"map_memory_bytes", kGauge, ""},
      {"drain_duration_seconds", kGauge, ""},
      {"drain_delay_seconds", kHistogram, ""},
      {"bottleneck_impact_ratio", kGauge, "target,kind"},
      {"bottlenecks_dropped_total", kCounter, ""},
      {"regressions_open", kGauge, "kind"},
      {"incidents_open", kGauge, ""},
      {"watched_series", kGauge, ""},
      {"watch_dropped_total", kCounter, ""},
      {"baseline_series", kGauge, ""},
      {"baseline_series_left_out", kGauge, ""},
      {"baseline_dropped_total", kCounter, ""},
      {"baseline_errors_total", kCounter, ""},
      {"store_available", kGauge, ""},
      {"store_series", kGauge, ""},
      {"store_bytes", kGauge, "kind"},
      {"store_points_total", kCounter, "level"},
      {"store_oldest_timestamp_seconds", kGauge, "level"},
      {"store_write_seconds", kHistogram, ""},
      {"store_drops_total", kCounter, "cause"},
      {"store_errors_total", kCounter, "kind"},
      {"store_damaged_files_total", kCounter, ""},
      {"store_drains", kGauge, ""},
      {"limits_watched", kGauge, ""},
      {"errand_errors_total", kCounter, ""},
      {"limits_in_sight", kGauge, ""},
      {"limits_dropped_total", kCounter, ""},
      {"limit_forecast_seconds_total", kCounter, ""},
      {"scheduled_reports_total", kCounter, "schedule"},
      {"scheduled_report_timestamp_seconds", kGauge, "schedule"},
      {"report_errors_total", kCounter, "kind"},
      {"history_bytes", kGauge, ""},
      {"history_evicted_points_total", kCounter, ""},
      {"build_info", kGauge, "version,kernel"},
      {"off", kGauge, ""},
      {"http_requests_total", kCounter, ""},
      {"http_connections", kGauge, ""},
      {"http_answer_seconds_total", kCounter, ""},
      {"http_rejected_total", kCounter, "cause"},
      {"http_certificate_expires_seconds", kGauge, ""},
      // alerts
      {"alerts", kGauge, "rule,state,severity"},
      {"alert_rules", kGauge, ""},
      {"alert_rule_errors", kGauge, ""},
      {"alert_rule_no_data", kGauge, "rule"},
      {"alert_silences", kGauge, ""},
      {"alert_dropped_total", kCounter, "cause"},
      {"alert_evaluation_seconds_total", kCounter, ""},
      {"alert_notifications_total", kCounter, "receiver,result"},
      {"alert_queue_length", kGauge, "receiver"},
      {"alert_state_errors_total", kCounter, ""},
      {"alert_step_errors_total", kCounter, ""},
  };
  return all;
}

std::vector<std::string> CatalogEntry::label_names() const {
  std::vector<std::string> names;
  std::string_view rest = labels;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    names.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return names;
}

bool CatalogEntry::has_label(std::string_view label) const {
  const auto names = label_names();
  return std::find(names.begin(), names.end(), label) != names.end();
}

const CatalogEntry* find_family(std::string_view full_name) {
  if (!full_name.starts_with(kPrefix)) return nullptr;
  full_name.remove_prefix(kPrefix.size());
  const auto found = std::find_if(catalog().begin(), catalog().end(),
                                  [&](const CatalogEntry& e) { return e.name == full_name; });
  return found == catalog().end() ? nullptr : &*found;
}

std::string nearest_family(std::string_view full_name) {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : catalog()) names.push_back(entry.full_name());
  // Most of a name is the prefix that all have: a name without it is a misspelling, too.
  std::string name(full_name);
  if (!name.starts_with(kPrefix)) name.insert(0, kPrefix);
  return config::nearest_key(name, names);
}

}  // namespace nz::alerts
