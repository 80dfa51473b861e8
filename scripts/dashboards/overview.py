"""One page that says how the order path is doing and which resource to look at next."""

from host import CPU
from model import COUNT, PER_SECOND, RATIO, SECONDS, Panel, Row, dashboard, query
from order_path import COMPONENT, DURATION
from promql import (INSTANCE, TARGET, gauge, histogram_seconds, per_observed_second, quantile, rate, share,
                    top)
from scheduler import ALL, OFF, RUNQ
from sqlite import INSIDE


def make():
    return dashboard(
        "nearzero-overview", "Overview",
        "The order path, what holds it up, and whether the measurement is complete.",
        [
            Panel("Slowest stage, p99", SECONDS, "Over all chosen targets.",
                  query(top(1, quantile(0.99, DURATION, "target, stage")), "{{target}} {{stage}}"),
                  kind="stat", width=6, height=4),
            Panel("Wait for a CPU, p99", SECONDS, "Worst target.",
                  query("max(" + quantile(0.99, RUNQ, "target") + ")"), kind="stat", width=6, height=4),
            Panel("Processes", COUNT, "Observed now.",
                  query(f"sum(nearzero_target_processes{{{TARGET}}})"), kind="stat", width=3, height=4),
            Panel("Probes missing", COUNT, "Not attached; /healthz says why.",
                  query(f"count(nearzero_probe_attached{{{INSTANCE}}} == 0) or vector(0)"), kind="stat", width=3,
                  height=4, limits=(1, 3)),
            Panel("Cost of observing", RATIO, "Kernel side and agent, share of one core.",
                  query(f"sum(rate(nearzero_probe_cost_seconds_total{{{INSTANCE}}}[$__rate_interval]))"
                        f" + sum(rate(nearzero_agent_cpu_seconds_total{{{INSTANCE}}}[$__rate_interval]))"),
                  kind="stat", width=3, height=4, limits=(0.05, 0.2)),
            Panel("Drops", PER_SECOND, "Events not recorded, or recorded in a degraded way.",
                  query(f"sum(rate(nearzero_drops_total{{{INSTANCE}}}[$__rate_interval]))"), kind="stat",
                  width=3, height=4),
            Row("Order path"),
            Panel("p99 by stage", SECONDS, "One order in a hundred takes longer.",
                  query(quantile(0.99, DURATION, "target, stage"), "{{target}} {{stage}}"), width=8),
            Panel("Completed per second", PER_SECOND, "By stage, per observed second.",
                  query(per_observed_second("nearzero_order_stage_completed_total", "stages", "target, stage"),
                        "{{target}} {{stage}}"), width=8),
            Panel("What the order path's threads do", RATIO, "Share of all stages' time: running, runnable, or "
                  "blocked by reason. The largest that is not running is what to look at first.",
                  query(share(rate(COMPONENT, "target, component"), rate(COMPONENT, "target"), "target"),
                        "{{target}} {{component}}"), width=8, highest=1),
            Panel("Bottlenecks: share of an order's time", RATIO, "What each open finding costs an order; GET "
                  "/performance/bottlenecks has the evidence and what to do. Empty: nothing limits the services.",
                  query(gauge("nearzero_bottleneck_impact_ratio", "target, kind", ALL, how="max"),
                        "{{target}} {{kind}}"),
                  width=24, highest=1),
            Row("What may hold it up"),
            Panel("Run-queue wait, p99", SECONDS, "Dashboard Scheduler.",
                  query(quantile(0.99, RUNQ, "target"), "{{target}}"), width=8),
            Panel("Blocked threads by reason", COUNT, "Without idle. Dashboard Scheduler.",
                  query(histogram_seconds(OFF, "target, reason", also='reason!="idle"'), "{{target}} {{reason}}"),
                  width=8, stack=True),
            Panel("Statements with the most time", COUNT, "Seconds inside SQLite per second. Dashboard SQLite.",
                  query(top(5, histogram_seconds(INSIDE, "target, digest, statement")), "{{statement}}"),
                  width=8, stack=True),
            Panel("CPU use", RATIO, "Of all CPUs. Dashboard Host.",
                  query("1 - " + share(rate(CPU, "instance", INSTANCE, 'mode=~"idle|iowait"'),
                                       rate(CPU, "instance", INSTANCE), "instance"), "{{instance}}"),
                  width=8, highest=1, limits=(0.8, 0.95)),
            Panel("Pressure", RATIO, "Share of time in which something stood still for want of the resource.",
                  query(rate("nearzero_pressure_seconds_total", "instance, resource", INSTANCE,
                             'scope="host", kind="some"'), "{{instance}} {{resource}}"), width=8),
            Panel("Disk I/O, p99", SECONDS, "By device.",
                  query(quantile(0.99, "nearzero_block_io_duration_seconds", "instance, device", INSTANCE),
                        "{{instance}} {{device}}"), width=8),
        ])
