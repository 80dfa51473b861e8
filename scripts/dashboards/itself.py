"""What nearzero costs, what it does not see, and how it is."""

from model import (BYTES, COUNT, INSTANCE_VARIABLE, PER_SECOND, RATIO, SECONDS, Panel, Row, dashboard, query)
from promql import INSTANCE, gauge, rate

LEGEND = "{{target}} {{probe}}"


def make():
    return dashboard(
        "nearzero-itself", "nearzero itself",
        "What observing costs, whether all probes are in place, and what was not recorded.",
        [
            Row("State"),
            Panel("Agents", COUNT, "Version and kernel of each.",
                  query(f"max by (instance, version, kernel) (nearzero_build_info{{{INSTANCE}}})", instant=True),
                  kind="table", width=8),
            Panel("Probes not attached", COUNT, "0 is good. /healthz of the agent says why one is not.",
                  query(f"count(nearzero_probe_attached{{{INSTANCE}}} == 0) or vector(0)"), kind="stat",
                  width=4, limits=(1, 3)),
            Panel("Probes detached by the breaker", COUNT, "0 is good. `nearzero on` brings them back.",
                  query(f"sum(nearzero_probe_tripped{{{INSTANCE}}})"), kind="stat", width=4, limits=(1, 1)),
            Panel("Switched off", COUNT, "Agents on which `nearzero off` holds.",
                  query(f"sum(nearzero_off{{{INSTANCE}}})"), kind="stat", width=4, limits=(1, 1)),
            Panel("Errors of the agent", PER_SECOND, "Steps that failed and were left out; its log says which.",
                  query(f"sum(rate(nearzero_agent_errors_total{{{INSTANCE}}}[$__rate_interval]))"), kind="stat",
                  width=4, limits=(0.001, 0.1)),
            Panel("Attached", COUNT, "1: in place.",
                  query(gauge("nearzero_probe_attached", "instance, target, probe", INSTANCE, how="min"),
                        "{{instance}} " + LEGEND)),
            Panel("Processes of each target", COUNT, "0: the target does not run, or its match is wrong.",
                  query(gauge("nearzero_target_processes", "instance, target", INSTANCE), "{{instance}} {{target}}")),
            Row("Cost"),
            Panel("Kernel side, share of one core", RATIO, "Hits by calibrated price, by probe and target. The "
                  "budget is overhead.per_target.",
                  query(rate("nearzero_probe_cost_seconds_total", "instance, target, probe", INSTANCE),
                        "{{instance}} " + LEGEND), stack=True, width=8),
            Panel("Kernel side in the last drain interval", RATIO, "The same without averaging: peaks.",
                  query(gauge("nearzero_probe_cost_ratio", "instance, target, probe", INSTANCE, how="max"),
                        "{{instance}} " + LEGEND), width=8),
            Panel("Agent's CPU", RATIO, "Share of one core.",
                  query(rate("nearzero_agent_cpu_seconds_total", "instance", INSTANCE), "{{instance}}"), width=8,
                  limits=(0.05, 0.2)),
            Panel("Duty cycle", RATIO, "Below 1: the probe rests for part of each 5 s to hold the budget. "
                  "Rates are per observed second.",
                  query(gauge("nearzero_probe_duty_ratio", "instance, target, probe", INSTANCE, how="min"),
                        "{{instance}} " + LEGEND), width=8, highest=1),
            Panel("Observed seconds per second", RATIO, "The duty cycle over the window.",
                  query(rate("nearzero_probe_observed_seconds_total", "instance, target, probe", INSTANCE),
                        "{{instance}} " + LEGEND), width=8),
            Panel("Price of one hit", SECONDS, "Measured at start; measured=false is a built-in estimate.",
                  query(gauge("nearzero_probe_hit_seconds", "instance, kind, measured", INSTANCE, how="max"),
                        "{{instance}} {{kind}} {{measured}}"), width=8),
            Panel("Memory", BYTES, "Of the agent's process, and of its maps in the kernel.",
                  query(gauge("nearzero_agent_resident_memory_bytes", "instance", INSTANCE), "{{instance}} resident"),
                  query(gauge("nearzero_map_memory_bytes", "instance", INSTANCE), "{{instance}} maps"), width=8),
            Panel("Drain", SECONDS, "Duration of the last one.",
                  query(gauge("nearzero_drain_duration_seconds", "instance", INSTANCE, how="max"), "{{instance}}"),
                  width=8, limits=(0.1, 0.5)),
            Panel("System calls of others", PER_SECOND, "Not of a target, and taxed a little by the hooks "
                  "while one has syscalls: true.",
                  query(rate("nearzero_syscalls_untargeted_total", "instance", INSTANCE), "{{instance}}"), width=8),
            Row("Completeness"),
            Panel("Not recorded, by cause", PER_SECOND, "docs/metrics.md says what each cause means; zero is "
                  "exported too, so that an absent line is an absent agent.",
                  query(rate("nearzero_drops_total", "instance, probe, cause", INSTANCE),
                        "{{instance}} {{probe}} {{cause}}"), width=24),
            Row("Interface"),
            Panel("Requests", PER_SECOND, "Scrapes and REST.",
                  query(rate("nearzero_http_requests_total", "instance", INSTANCE), "{{instance}}"), width=8),
            Panel("Connections", COUNT, "Open now.",
                  query(gauge("nearzero_http_connections", "instance", INSTANCE), "{{instance}}"), width=8),
            Panel("Time to answer, mean", SECONDS, "Seconds spent in answering by requests answered.",
                  query(rate("nearzero_http_answer_seconds_total", "instance", INSTANCE) + " / "
                        + rate("nearzero_http_requests_total", "instance", INSTANCE), "{{instance}}"), width=8),
        ],
        (INSTANCE_VARIABLE,))
