#include "analysis/watch/quantities.h"

#include <array>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "analysis/bottlenecks/window_index.h"

namespace nz::analysis {
namespace {

enum class How {
  latency,     // p50 and p99
  tail,        // p99 alone: its median is that of nothing happening
  rate,        // of a counter, or of a histogram's values
  throughput,  // of a histogram's values beside its latency
  level        // a gauge
};

struct Watched {
  std::string_view family;
  How how;
  std::string_view unit;
  std::string_view probe = {};              // whose duty cycle its counts have
  std::string_view label = {}, value = {};  // only these series, where given
};

constexpr std::array kWatched = {
    Watched{"nearzero_order_stage_duration_seconds", How::latency, "seconds"},
    Watched{"nearzero_order_stage_duration_seconds", How::throughput, "per second", "stages"},
    Watched{"nearzero_sqlite_statement_duration_seconds", How::latency, "seconds"},
    Watched{"nearzero_sqlite_statements_total", How::rate, "per second", "sqlite"},
    Watched{"nearzero_sqlite_statement_errors_total", How::rate, "per second", "sqlite"},
    Watched{"nearzero_sqlite_wait_seconds", How::tail, "seconds"},
    Watched{"nearzero_sqlite_database_bytes", How::level, "bytes"},
    Watched{"nearzero_runqueue_latency_seconds", How::tail, "seconds"},
    Watched{"nearzero_syscall_duration_seconds", How::latency, "seconds"},
    Watched{"nearzero_syscall_errors_total", How::rate, "per second", "syscalls"},
    Watched{"nearzero_block_io_duration_seconds", How::latency, "seconds"},
    Watched{"nearzero_block_io_queue_seconds", How::tail, "seconds"},
    Watched{"nearzero_disk_busy_seconds_total", How::rate, "ratio"},
    Watched{"nearzero_tcp_round_trip_seconds", How::latency, "seconds"},
    Watched{"nearzero_tcp_connect_duration_seconds", How::tail, "seconds"},
    Watched{"nearzero_tcp_retransmits_total", How::rate, "per second"},
    Watched{"nearzero_network_drops_total", How::rate, "per second"},
    Watched{"nearzero_target_network_drops_total", How::rate, "per second"},
    Watched{"nearzero_reclaim_stall_seconds", How::tail, "seconds"},
    Watched{"nearzero_target_cpu_seconds_total", How::rate, "cores"},
    Watched{"nearzero_target_page_faults_total", How::rate, "per second"},
    Watched{"nearzero_target_throttled_seconds_total", How::rate, "ratio"},
    Watched{"nearzero_target_memory_bytes", How::level, "bytes", {}, "kind", "resident"},
    Watched{"nearzero_target_open_files", How::level, "", {}, "kind", "used"},
    Watched{"nearzero_target_threads", How::level, ""},
    Watched{"nearzero_pressure_seconds_total", How::rate, "ratio"},
    Watched{"nearzero_host_forks_total", How::rate, "per second"},
    Watched{"nearzero_host_memory_bytes", How::level, "bytes", {}, "kind", "available"},
    Watched{"nearzero_filesystem_bytes", How::level, "bytes", {}, "kind", "available"},
};

// A p99 of fewer is the maximum.
constexpr std::uint64_t kLeastForMedian = 10, kLeastForTail = 100;

void add_quantile(const WindowSeries& series, double q, const char* name, std::uint64_t least,
                  std::vector<Measured>& out) {
  if (!series.histogram || series.histogram->count() < least) return;
  // The interpolated one moves with the values; the other jumps from bucket to bucket.
  const double value = series.histogram->quantile_interpolated(q);
  if (std::isfinite(value)) out.push_back({{series.name, series.labels, name, "seconds"}, value});
}

std::string target_of(const Labels& labels) {
  for (const auto& [key, value] : labels) {
    if (key == "target") return value;
  }
  return {};
}

void add(const Watched& watched, const WindowSeries& series, const WindowIndex& index,
         std::vector<Measured>& out) {
  const auto add_value = [&](const char* statistic, double value) {
    if (std::isfinite(value))
      out.push_back({{series.name, series.labels, statistic, std::string(watched.unit)}, value});
  };
  switch (watched.how) {
    case How::latency:
      add_quantile(series, 0.5, "p50", kLeastForMedian, out);
      [[fallthrough]];
    case How::tail:
      add_quantile(series, 0.99, "p99", kLeastForTail, out);
      return;
    case How::level:
      add_value("value", series.value);
      return;
    case How::rate:
    case How::throughput: {
      const double seconds = watched.probe.empty()
                                 ? index.seconds()
                                 : index.observed(watched.probe, target_of(series.labels));
      const double grown =
          series.histogram ? static_cast<double>(series.histogram->count()) : series.change;
      if (seconds > 0) add_value("rate", grown / seconds);
      return;
    }
  }
}

}  // namespace

std::vector<Measured> quantities_of(const Window& window) {
  std::vector<Measured> out;
  if (window.seconds() <= 0) return out;
  const WindowIndex index(window);
  for (const Watched& watched : kWatched) {
    Labels only;
    if (!watched.label.empty()) only = {{std::string(watched.label), std::string(watched.value)}};
    for (const WindowSeries* series : index.find(watched.family, only))
      add(watched, *series, index, out);
  }
  return out;
}

}  // namespace nz::analysis
