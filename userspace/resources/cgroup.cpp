#include "userspace/resources/cgroup.h"

#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

// "No limit" of version 1 is the largest number of whole pages, whatever the size of a page.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

std::string_view first_line(std::string_view text) { return Lines(text).next().value_or(""); }

}  // namespace

std::optional<std::optional<double>> parse_cpu_max(std::string_view max) {
  Words words(first_line(max));
  const std::string_view quota = words.next();
  const auto period = words.number();
  if (!period || *period == 0) return std::nullopt;
  if (quota == "max") return std::optional<double>{};
  const auto number = number_of(quota);
  if (!number) return std::nullopt;
  return std::optional(static_cast<double>(*number) / static_cast<double>(*period));
}

std::optional<std::optional<double>> parse_cfs_quota(std::string_view quota,
                                                     std::string_view period) {
  const std::string_view line = first_line(quota);
  if (line == "-1") return std::optional<double>{};
  const auto number = number_of(line);
  const auto length = number_of(first_line(period));
  if (!number || !length || *length == 0) return std::nullopt;
  return std::optional(static_cast<double>(*number) / static_cast<double>(*length));
}

std::optional<std::optional<uint64_t>> parse_memory_limit(std::string_view text) {
  const std::string_view line = first_line(text);
  if (line == "max") return std::optional<uint64_t>{};
  const auto number = number_of(line);
  if (!number) return std::nullopt;
  return *number >= kNoLimit ? std::optional<uint64_t>{} : number;
}

std::optional<Throttling> parse_cpu_stat_of_cgroup(std::string_view text) {
  const auto periods = value_of(text, "nr_periods");
  const auto throttled = value_of(text, "nr_throttled");
  auto nanoseconds = value_of(text, "throttled_time");
  if (const auto microseconds = value_of(text, "throttled_usec"); microseconds)
    nanoseconds = *microseconds * 1000;
  if (!periods || !throttled || !nanoseconds) return std::nullopt;
  return Throttling{*periods, *throttled, *nanoseconds};
}

Cgroup::Cgroup(const std::string& folder, CgroupKind kind)
    : kind_(kind), stat_(folder + "/cpu.stat") {
  const bool v2 = kind == CgroupKind::unified;
  quota_ = File(folder + (v2 ? "/cpu.max" : "/cpu.cfs_quota_us"));
  period_ = File(folder + "/cpu.cfs_period_us");
  limit_ = File(folder + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
  used_ = File(folder + (v2 ? "/memory.current" : "/memory.usage_in_bytes"));
  for (size_t i = 0; i < pressure_files_.size(); i++) {
    pressure_files_[i] = File(folder + "/" + kPressureResources[i] + ".pressure");
  }
}

std::optional<std::string_view> Cgroup::text_of(Context& context, File& file) {
  const auto text = file.read(context.buffer);
  if (text) return *text;
  context.errors.count(Source::cgroups, text.error());  // a controller that is off has no files
  return std::nullopt;
}

void Cgroup::read(Context& context, bool own) {
  if (kind_ != CgroupKind::memory_v1) read_quota(context);
  if (kind_ != CgroupKind::cpu_v1) read_memory(context, own);
  if (kind_ == CgroupKind::unified && own) read_pressure(context);
}

void Cgroup::read_quota(Context& context) {
  cores_.reset();
  throttling_ = {};
  const auto quota = text_of(context, quota_);
  if (!quota) return;
  std::optional<std::optional<double>> cores;
  if (kind_ == CgroupKind::unified) {
    cores = parse_cpu_max(*quota);
  } else {
    const std::string kept(*quota);  // the buffer is used again
    const auto period = text_of(context, period_);
    if (!period) return;
    cores = parse_cfs_quota(kept, *period);
  }
  if (!cores) {
    context.errors.count(Source::cgroups);
    return;
  }
  cores_ = *cores;
  // Version 2 sums the whole tree below for cpu.stat: not where nothing can be throttled.
  if (!cores_ && kind_ == CgroupKind::unified) return;
  const auto text = text_of(context, stat_);
  if (!text) return;
  const auto now = parse_cpu_stat_of_cgroup(*text);
  if (!now) {
    context.errors.count(Source::cgroups);
    return;
  }
  throttling_ = {periods_.see(now->periods), throttled_.see(now->throttled),
                 nanoseconds_.see(now->nanoseconds)};
}

void Cgroup::read_memory(Context& context, bool own) {
  memory_limit_.reset();
  memory_used_.reset();
  if (const auto text = text_of(context, limit_); text) {
    const auto limit = parse_memory_limit(*text);
    if (!limit) context.errors.count(Source::cgroups);
    memory_limit_ = limit.value_or(std::nullopt);
  }
  if (!own) return;
  if (const auto text = text_of(context, used_); text) {
    memory_used_ = number_of(first_line(*text));
    if (!memory_used_) context.errors.count(Source::cgroups);
  }
}

void Cgroup::read_pressure(Context& context) {
  for (size_t i = 0; i < pressure_files_.size(); i++) {
    pressure_[i].reset();
    const auto text = text_of(context, pressure_files_[i]);
    if (!text) continue;
    const auto now = parse_pressure(*text);
    if (!now) {
      context.errors.count(Source::cgroups);
      continue;
    }
    pressure_[i] = Pressure{some_[i].see(now->some), std::nullopt};
    if (now->full) pressure_[i]->full = full_[i].see(*now->full);
  }
}

}  // namespace nz::resources
