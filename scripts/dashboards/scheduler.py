"""Who waits for a CPU, for how long, and what threads are blocked on."""

from model import (COUNT, PER_SECOND, RATIO, SECONDS, Panel, Row, dashboard, query)
from promql import (INSTANCE, gauge, heatmap, histogram_rate, histogram_seconds, quantile, rate, share, top)

# The scheduler also knows `host`, which is no target: everything else that runs.
ALL = INSTANCE + ', target=~"$target|host"'
RUNQ, SLICE, OFF = "nearzero_runqueue_latency_seconds", "nearzero_oncpu_slice_seconds", "nearzero_offcpu_seconds"


def make():
    return dashboard(
        "nearzero-scheduler", "Scheduler",
        "Run-queue wait, time on CPU and time off CPU by reason, for targets and for the whole host.",
        [
            Row("Waiting for a CPU"),
            Panel("Run-queue wait, p99", SECONDS, "From runnable to running. after=preemption: others "
                  "took the CPU; after=wakeup: none was free.",
                  query(quantile(0.99, RUNQ, "target, after", ALL), "{{target}} after {{after}}")),
            Panel("Threads waiting on average", COUNT, "Seconds waited per second: above 1, a whole thread "
                  "always waits for a CPU.",
                  query(histogram_seconds(RUNQ, "target", ALL), "{{target}}")),
            Panel("Run-queue wait, distribution", SECONDS, "Waits of the chosen targets. A band at the "
                  "scheduler's tick or slice length is preemption.",
                  query(heatmap(RUNQ), "{{le}}"), kind="heatmap", lowest=None),
            Panel("Waits per second", PER_SECOND, "How often a thread became runnable and waited.",
                  query(histogram_rate(RUNQ, "target, after", ALL), "{{target}} after {{after}}")),
            Row("On the CPU"),
            Panel("Slice, median and p99", SECONDS, "Time between two context switches. Short slices with many "
                  "preemptions: too many threads for the CPUs.",
                  query(quantile(0.5, SLICE, "target", ALL), "{{target}} median"),
                  query(quantile(0.99, SLICE, "target", ALL), "{{target}} p99"), width=8),
            Panel("CPUs in use", COUNT, "Seconds on CPU per second, from slices.",
                  query(histogram_seconds(SLICE, "target", ALL), "{{target}}"), width=8),
            Panel("Context switches", PER_SECOND, "Of the whole host.",
                  query(rate("nearzero_context_switches_total", "instance", INSTANCE), "{{instance}}"), width=8),
            Panel("Hottest functions", RATIO, "Share of a target's samples on CPU in which the function itself ran, from "
                  "the profile. Functions that never took 5 % of a window are 'other'.",
                  query(top(10, share(rate("nearzero_hot_function_samples_total", "target, function"),
                                      rate("nearzero_profile_samples_total", "target"), "target")),
                        "{{target}} {{function}}"), width=24, highest=1),
            Row("Off the CPU"),
            Panel("Blocked threads by reason", COUNT, "Seconds blocked per second. idle is a thread that "
                  "waits for work; lock, disk and network are what an order waits for.",
                  query(histogram_seconds(OFF, "target, reason"), "{{target}} {{reason}}"), stack=True),
            Panel("Blocked time, p99 by reason", SECONDS, "One block in a hundred takes longer.",
                  query(quantile(0.99, OFF, "target, reason", also='reason!="idle"'), "{{target}} {{reason}}")),
            Panel("System calls that block, most time", COUNT, "Seconds blocked per second in each system "
                  "call, read at the context switch: nothing is traced for it.",
                  query(top(10, rate("nearzero_blocked_syscall_seconds_total", "target, syscall")),
                        "{{target}} {{syscall}}")),
            Panel("System calls that block, most often", PER_SECOND, "Blocks per second.",
                  query(top(10, rate("nearzero_blocked_syscalls_total", "target, syscall")),
                        "{{target}} {{syscall}}")),
            Row("System calls (targets with syscalls: true)"),
            Panel("Duration, p99", SECONDS, "The ten slowest.",
                  query(top(10, quantile(0.99, "nearzero_syscall_duration_seconds", "target, syscall")),
                        "{{target}} {{syscall}}"), width=8),
            Panel("Calls per second", PER_SECOND, "The ten most frequent, as observed (see the duty cycle).",
                  query(top(10, histogram_rate("nearzero_syscall_duration_seconds", "target, syscall")),
                        "{{target}} {{syscall}}"), width=8),
            Panel("Errors", PER_SECOND, "By errno. EAGAIN on non-blocking sockets is normal.",
                  query(top(10, rate("nearzero_syscall_errors_total", "target, syscall, errno")),
                        "{{target}} {{syscall}} {{errno}}"), width=8),
        ])
