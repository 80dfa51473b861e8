#include "probes/profile/ticks.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace nz::probes::profile {
namespace {

std::string online_cpus() {
  std::ifstream file("/sys/devices/system/cpu/online");
  std::string text;
  std::getline(file, text);
  return text;
}

}  // namespace

std::vector<uint32_t> parse_cpus(const std::string& text) {
  constexpr uint32_t kMost = 8192;  // CONFIG_NR_CPUS at most
  std::vector<uint32_t> cpus;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    uint32_t first = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc{}) return {};
    uint32_t last = first;
    if (read.ptr < end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc{} || last < first || last >= kMost) return {};
    for (uint32_t cpu = first; cpu <= last; cpu++) cpus.push_back(cpu);
    if (read.ptr < end && *read.ptr != ',') return {};
    at = read.ptr + 1;
  }
  return cpus;
}

void Ticks::open(unsigned hz) {
  close();
  hz_ = hz;
  online_ = online_cpus();
  std::vector<uint32_t> cpus = parse_cpus(online_);
  if (cpus.empty()) {  // no /sys: all that there may be, as far as they are there
    for (uint32_t cpu = 0; cpu < loader::possible_cpus(); cpu++) cpus.push_back(cpu);
  }
  for (const uint32_t cpu : cpus) {
    auto event = object_.attach_cpu_clock("nz_profile", cpu, 1'000'000'000 / std::max(1U, hz));
    if (!event) {
      // Gone offline just now: the next look at the CPUs sees that.
      if (event.error().code == ENODEV) continue;
      close();
      failure_ = event.error().text();
      return;
    }
    events_.push_back(std::move(*event));
  }
}

void Ticks::close() {
  events_.clear();
  failure_.clear();
}

void Ticks::follow_cpus() {
  if (on() && online_cpus() != online_) open(hz_);
}

}  // namespace nz::probes::profile
