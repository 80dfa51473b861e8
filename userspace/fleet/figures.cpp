#include "userspace/fleet/figures.h"

#include <tuple>

namespace nz::fleet {
namespace {

using report::Worse;

// Factors below 1.4 are no outlier (e^(3.5 x 0.1)), however alike all others are.
constexpr OutlierOptions kLatency{true, 0.1, 3.5};
// Ten points of a share.
constexpr OutlierOptions kShare{false, 0.03, 3.5};
constexpr OutlierOptions kFewShare{false, 0.003, 3.5};

// Native histograms first: the side that is not stored is empty.
std::string quantile(const std::string& q, const std::string& family, const std::string& by,
                     const std::string& matchers = "") {
  return "histogram_quantile(" + q + ", sum by (" + by + ") (rate(" + family + matchers +
         "[5m]))) or histogram_quantile(" + q + ", sum by (" + by + ", le) (rate(" + family +
         "_bucket" + matchers + "[5m])))";
}

// Of a service's stages the longest: the whole path, where one is configured.
std::string longest(const std::string& of) { return "max by (job, instance, target) (" + of + ")"; }

std::vector<FigureKind> make() {
  const std::string stage = "nearzero_order_stage_duration_seconds";
  const std::string by_stage = "job, instance, target, stage";
  const std::string host_cpu = "nearzero_host_cpu_seconds_total";
  std::vector<FigureKind> all;
  for (const auto& [id, title, q] : {std::tuple{"order_p99", "p99 of an order", "0.99"},
                                     std::tuple{"order_p50", "median of an order", "0.5"}}) {
    all.push_back({id, title, "seconds", Worse::more, kLatency, true, true,
                   longest("instance_target_stage:" + stage +
                           (std::string(q) == "0.5" ? ":p50_rate5m" : ":p99_rate5m")),
                   longest(quantile(q, stage, by_stage))});
  }
  all.push_back(
      {"orders",
       "orders",
       "per second",
       Worse::neither,
       {true, 0.2, 3.5},
       true,
       true,
       longest("instance_target_stage:nearzero_order_stage_completed:rate5m"),
       longest("sum by (job, instance, target, stage) "
               "(increase(nearzero_order_stage_completed_total[5m])) / on (job, instance, "
               "target) group_left () sum by (job, instance, target) "
               "(increase(nearzero_probe_observed_seconds_total{probe=\"stages\"}[5m]))")});
  const std::string own = "{target!=\"host\"}";
  all.push_back(
      {"runqueue_p99", "p99 of the wait for a CPU", "seconds", Worse::more, kLatency, false, true,
       "instance_target:nearzero_runqueue_latency_seconds:p99_rate5m" + own,
       quantile("0.99", "nearzero_runqueue_latency_seconds", "job, instance, target", own)});
  const std::string sync = "{kind=\"sync\"}";
  all.push_back({"sync_p99", "p99 of SQLite's wait for a sync", "seconds", Worse::more, kLatency,
                 false, true,
                 longest("instance_target_kind:nearzero_sqlite_wait_seconds:p99_rate5m" + sync),
                 quantile("0.99", "nearzero_sqlite_wait_seconds", "job, instance, target", sync)});
  all.push_back({"cpu_busy", "CPUs busy", "ratio", Worse::more, kShare, false, false,
                 "instance:nearzero_host_cpu_busy:ratio_rate5m",
                 "1 - sum by (job, instance) (rate(" + host_cpu +
                     "{mode=~\"idle|iowait\"}[5m])) / sum by (job, instance) (rate(" + host_cpu +
                     "[5m]))"});
  all.push_back({"cpu_steal",
                 "CPU time stolen",
                 "ratio",
                 Worse::more,
                 {false, 0.01, 3.5},
                 false,
                 false,
                 "instance:nearzero_host_cpu_steal:ratio_rate5m",
                 "sum by (job, instance) (rate(" + host_cpu +
                     "{mode=\"steal\"}[5m])) / sum by (job, instance) (rate(" + host_cpu +
                     "[5m]))"});
  all.push_back({"disk_busy", "busiest disk", "ratio", Worse::more, kShare, false, false,
                 "max by (job, instance) (instance_device:nearzero_disk_busy:ratio_rate5m)",
                 "max by (job, instance) (sum by (job, instance, device) "
                 "(rate(nearzero_disk_busy_seconds_total[5m])))"});
  all.push_back({"memory_used", "memory in use", "ratio", Worse::more, kShare, false, false,
                 "1 - instance:nearzero_host_memory_available:ratio",
                 "1 - sum by (job, instance) (nearzero_host_memory_bytes{kind=\"available\"}) / "
                 "sum by (job, instance) (nearzero_host_memory_bytes{kind=\"total\"})"});
  all.push_back({"retransmits", "TCP segments sent again", "ratio", Worse::more, kFewShare, false,
                 false, "instance:nearzero_tcp_retransmits:ratio_rate5m",
                 "sum by (job, instance) (rate(nearzero_tcp_events_total{event=\"retransmits\"}"
                 "[5m])) / sum by (job, instance) "
                 "(rate(nearzero_tcp_events_total{event=\"segments_out\"}[5m]))"});
  all.push_back({"own_cost",
                 "nearzero's own cost, of a core",
                 "ratio",
                 Worse::more,
                 {false, 0.01, 3.5},
                 false,
                 false,
                 "instance:nearzero_cost:cores_rate5m",
                 "sum by (job, instance) (rate(nearzero_probe_cost_seconds_total[5m])) + sum by "
                 "(job, instance) (rate(nearzero_agent_cpu_seconds_total[5m]))"});
  all.push_back({"drops",
                 "events not recorded",
                 "per second",
                 Worse::more,
                 {false, 1, 3.5},
                 false,
                 false,
                 "sum by (job, instance) (instance_probe_cause:nearzero_drops:rate5m)",
                 "sum by (job, instance) (rate(nearzero_drops_total[5m]))"});
  return all;
}

}  // namespace

const std::vector<FigureKind>& figure_kinds() {
  static const std::vector<FigureKind> kAll = make();
  return kAll;
}

}  // namespace nz::fleet
