#include "userspace/alerts/resource.h"

#include <algorithm>

namespace nz::alerts {
namespace {

using Kind = Statistic::Kind;

struct Resource {
  const char* name;
  const char* of;
  const char* to;
  Kind of_statistic, to_statistic;
  bool complement;
  const char* by;  ///< the label that limits are kept apart by; empty: there is one
};

const std::vector<Resource>& resources() {
  static const std::vector<Resource> all = {
      {"file_descriptors", "nearzero_target_open_files{kind=\"used\"}",
       "nearzero_target_open_files{kind=\"limit\"}", Kind::value, Kind::value, false, "target"},
      {"host_file_descriptors", "nearzero_host_open_files{kind=\"used\"}",
       "nearzero_host_open_files{kind=\"limit\"}", Kind::value, Kind::value, false, ""},
      {"disk_space", "nearzero_filesystem_bytes{kind=\"available\"}",
       "nearzero_filesystem_bytes{kind=\"size\"}", Kind::value, Kind::value, true, "mount"},
      {"inodes", "nearzero_filesystem_inodes{kind=\"available\"}",
       "nearzero_filesystem_inodes{kind=\"size\"}", Kind::value, Kind::value, true, "mount"},
      {"memory", "nearzero_target_memory_bytes{kind=\"cgroup\"}",
       "nearzero_target_memory_bytes{kind=\"limit\"}", Kind::value, Kind::value, false, "target"},
      {"host_memory", "nearzero_host_memory_bytes{kind=\"available\"}",
       "nearzero_host_memory_bytes{kind=\"total\"}", Kind::value, Kind::value, true, ""},
      {"swap", "nearzero_host_memory_bytes{kind=\"swap_free\"}",
       "nearzero_host_memory_bytes{kind=\"swap_total\"}", Kind::value, Kind::value, true, ""},
      {"cpu_quota", "nearzero_target_cpu_seconds_total", "nearzero_target_cpu_quota_cores",
       Kind::rate, Kind::value, false, "target"},
      {"cpu_throttled", "nearzero_target_throttled_periods_total",
       "nearzero_target_quota_periods_total", Kind::increase, Kind::increase, false, "target"},
      {"host_cpu", "nearzero_host_cpu_seconds_total{mode=~\"idle|iowait\"}",
       "nearzero_host_cpu_seconds_total", Kind::increase, Kind::increase, true, ""},
      {"cpu_steal", "nearzero_host_cpu_seconds_total{mode=\"steal\"}",
       "nearzero_host_cpu_seconds_total", Kind::increase, Kind::increase, false, ""},
  };
  return all;
}

Measure measure_of(const char* selector, Kind statistic, const char* by) {
  Measure measure;
  measure.series = *parse_selector(selector);  // ours, and tested
  measure.statistic = {statistic, 0};
  measure.each = false;
  if (*by != '\0') measure.by = {by};
  return measure;
}

}  // namespace

const std::vector<std::string>& resource_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Resource& resource : resources()) all.emplace_back(resource.name);
    return all;
  }();
  return names;
}

const std::vector<std::string>& forecast_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Resource& resource : resources()) {
      if (resource.of_statistic == Kind::value) all.emplace_back(resource.name);
    }
    return all;
  }();
  return names;
}

std::optional<Ratio> resource_ratio(std::string_view name) {
  const auto found = std::find_if(resources().begin(), resources().end(),
                                  [&](const Resource& r) { return r.name == name; });
  if (found == resources().end()) return std::nullopt;
  Ratio ratio;
  ratio.of = measure_of(found->of, found->of_statistic, found->by);
  ratio.to = measure_of(found->to, found->to_statistic, found->by);
  ratio.complement = found->complement;
  return ratio;
}

}  // namespace nz::alerts
