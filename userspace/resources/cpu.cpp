#include "userspace/resources/cpu.h"

#include <unistd.h>

#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

// A CPU's idle and iowait may fall when another CPU's accounting takes them back: seconds at most.
constexpr uint64_t kJitterSeconds = 10;
constexpr uint64_t kMostCpus = 8192;  // NR_CPUS of the largest configuration

template <size_t N>
bool read_numbers(Words& words, std::array<uint64_t, N>& values) {
  for (uint64_t& value : values) {
    const auto number = words.number();
    if (!number) return false;
    value = *number;
  }
  return true;
}

bool read_number(Words& words, uint64_t& value) {
  const auto number = words.number();
  if (number) value = *number;
  return number.has_value();
}

}  // namespace

std::optional<CpuStat> parse_cpu_stat(std::string_view text) {
  CpuStat stat;
  unsigned seen = 0;
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(*line);
    const std::string_view key = words.next();
    bool good = true;
    if (key.starts_with("cpu") && key.size() > 3) {
      const auto number = number_of(key.substr(3));
      CpuStat::Core core;
      good = number && *number < kMostCpus && read_numbers(words, core.ticks);
      if (!good) return std::nullopt;
      core.number = *number;
      stat.cores.push_back(core);
    } else if (key == "intr") {
      seen |= 1U;
      good = read_number(words, stat.interrupts);  // the sum; a number for each line follows
    } else if (key == "processes") {
      seen |= 2U;
      good = read_number(words, stat.forks);
    } else if (key == "procs_running") {
      seen |= 4U;
      good = read_number(words, stat.runnable);
    } else if (key == "procs_blocked") {
      seen |= 8U;
      good = read_number(words, stat.blocked);
    } else if (key == "softirq") {
      seen |= 16U;
      good = read_numbers(words.skip(1), stat.softirqs);
    }
    if (!good) return std::nullopt;
  }
  if (lines.torn() || stat.cores.empty() || seen != 31U) return std::nullopt;
  return stat;
}

void Cpu::collect(Context& context) {
  const auto text = stat_.read(context.buffer);
  const auto stat = text ? parse_cpu_stat(*text) : std::nullopt;
  if (!stat) {
    context.errors.count(Source::cpu);
    return;
  }
  times(context, *stat);
  const auto one = [&](const char* name, const char* help, metrics::Type type, uint64_t value) {
    Rows(context, name, help, type).add({}, static_cast<double>(value));
  };
  one("nearzero_host_cpus", "CPUs online.", kGauge, stat->cores.size());
  one("nearzero_host_forks_total", "Processes and threads created since boot.", kCounter,
      stat->forks);
  one("nearzero_host_interrupts_total", "Interrupts served since boot.", kCounter,
      stat->interrupts);
  one("nearzero_host_runnable_threads", "Threads that run or wait for a CPU, now.", kGauge,
      stat->runnable);
  one("nearzero_host_blocked_threads", "Threads that wait for a disk, now.", kGauge, stat->blocked);
  Rows softirqs(context, "nearzero_host_softirqs_total", "Soft interrupts served since boot.",
                kCounter);
  for (size_t i = 0; i < kSoftirqs.size(); i++) {
    softirqs.add({{"kind", kSoftirqs[i]}}, static_cast<double>(stat->softirqs[i]));
  }
}

void Cpu::times(Context& context, const CpuStat& stat) {
  static const auto kHz = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  const auto seconds = [](double ticks) { return ticks / static_cast<double>(kHz); };
  Rows rows(context, "nearzero_host_cpu_seconds_total", "Seconds of each CPU by what it did.",
            kCounter);
  bool others = false;
  for (const CpuStat::Core& core : stat.cores) {
    if (core.number >= cores_.size()) cores_.resize(core.number + 1);
    const bool named = core.number < kNamed;
    const std::string cpu = std::to_string(core.number);
    for (size_t m = 0; m < kCpuModes.size(); m++) {
      Growth& growth = cores_[core.number][m];
      const uint64_t grown = growth.see(core.ticks[m], kJitterSeconds * kHz);
      if (named) {
        rows.add({{"cpu", cpu}, {"mode", kCpuModes[m]}}, seconds(growth.total()));
      } else {
        other_ticks_[m] += grown;
      }
    }
    others = others || !named;
  }
  if (!others) return;
  for (size_t m = 0; m < kCpuModes.size(); m++) {
    rows.add({{"cpu", "other"}, {"mode", kCpuModes[m]}},
             seconds(static_cast<double>(other_ticks_[m])));
  }
}

}  // namespace nz::resources
