#include "userspace/loader/cpu_clock.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace nz::loader {

Result<Fd> open_cpu_clock(int program_fd, uint32_t cpu, uint64_t period_ns) {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.size = sizeof(attr);
  attr.config = PERF_COUNT_SW_CPU_CLOCK;
  // A period, no frequency: the same for this clock, and not refused where the kernel has lowered
  // kernel.perf_event_max_sample_rate.
  attr.sample_period = period_ns;
  attr.exclude_idle = 1;
  attr.disabled = 1;
  const auto cpu_arg = static_cast<int>(cpu);
  Fd event(
      static_cast<int>(syscall(SYS_perf_event_open, &attr, -1, cpu_arg, -1, PERF_FLAG_FD_CLOEXEC)));
  const std::string what = "a perf event of CPU " + std::to_string(cpu);
  if (event.get() < 0)
    return fail_errno("open " + what, errno,
                      "the agent needs CAP_PERFMON or CAP_SYS_ADMIN; see "
                      "kernel.perf_event_paranoid");
  if (ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program_fd) != 0)
    return fail_errno("give a program to " + what, errno);
  if (ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return fail_errno("enable " + what, errno);
  return event;
}

}  // namespace nz::loader
