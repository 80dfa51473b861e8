"""Where the time of an order goes: stages, their components, and what was left out."""

from model import (COUNT, INSTANCE_VARIABLE, PER_SECOND, RATIO, SECONDS, TARGET_VARIABLE, Panel, Row,
                   dashboard, query, variable)
from promql import (RANGE, TARGET, gauge, heatmap, mean, per_observed_second, quantile, rate, share)

DURATION = "nearzero_order_stage_duration_seconds"
COMPONENT = "nearzero_order_stage_component_seconds_total"
STAGE = 'stage=~"$stage"'
BY = "target, stage"
LEGEND = "{{target}} {{stage}}"


def component_shares(by="target, stage, component", also=STAGE):
    whole = ", ".join(w for w in by.split(", ") if w != "component")
    return share(rate(COMPONENT, by, also=also), rate(COMPONENT, whole, also=also), whole)


def make():
    stage = variable("stage", "Stage", "nearzero_order_stage_completed_total", "stage", TARGET)
    return dashboard(
        "nearzero-order-path", "Order path",
        "Latency of each stage of the order path, and what its threads did meanwhile.",
        [
            Row("Latency"),
            Panel("Median", SECONDS, "Half of the orders pass the stage faster than this.",
                  query(quantile(0.5, DURATION, BY, also=STAGE), LEGEND), width=8),
            Panel("p99", SECONDS, "One order in a hundred takes longer than this. Quantiles come from "
                  "native histograms where Prometheus stores them (at most 9 % off), else from "
                  "classic buckets (at most 41 % off).",
                  query(quantile(0.99, DURATION, BY, also=STAGE), LEGEND), width=8),
            Panel("p99.9", SECONDS, "One order in a thousand takes longer than this.",
                  query(quantile(0.999, DURATION, BY, also=STAGE), LEGEND), width=8),
            Panel("Distribution over time", SECONDS, "All orders of the chosen stages; choose one. Two "
                  "bands mean two kinds of orders, which no single quantile shows.",
                  query(heatmap(DURATION, also=STAGE), "{{le}}"), kind="heatmap", lowest=None),
            Panel("Mean", SECONDS, "Means of stages that follow each other add up; quantiles do not.",
                  query(mean(DURATION, BY, also=STAGE), LEGEND)),
            Row("Where the time goes"),
            Panel("Share of each component", RATIO, "What the stage's thread did: running, runnable (it "
                  "waited for a CPU) or blocked, by reason. Adds up to 1.",
                  query(component_shares(), LEGEND + " {{component}}"), stack=False, highest=1),
            Panel("Seconds per order by component", SECONDS, "The mean, split: what an order gains at most "
                  "when this cause goes away.",
                  query(share(rate(COMPONENT, "target, stage, component", also=STAGE),
                              rate("nearzero_order_stage_completed_total", BY, also=STAGE), BY),
                        LEGEND + " {{component}}")),
            Row("Throughput"),
            Panel("Completed per second", PER_SECOND, "Orders that passed the stage, corrected for a probe "
                  "that rests for part of the time.",
                  query(per_observed_second("nearzero_order_stage_completed_total", "stages", BY,
                                            also=STAGE), LEGEND), width=8),
            Panel("In flight", COUNT, "Begun and not ended. Rises without falling: orders leave the path "
                  "where no stage ends.",
                  query(gauge("nearzero_order_stage_in_flight", BY, also=STAGE), LEGEND), width=8),
            Panel("Seconds spent per second", COUNT, "Threads that were in the stage on average "
                  "(Little's law). Near the number of worker threads the stage is what limits throughput.",
                  query(rate(COMPONENT, BY, also=STAGE), LEGEND), width=8),
            Row("Completeness and the service itself"),
            Panel("Left the path, by cause", PER_SECOND, "restarted: rejected orders and the like; unwound: "
                  "an exception passed; paused: the probe's rest began.",
                  query(rate("nearzero_order_stage_abandoned_total", "target, stage, cause", also=STAGE),
                        LEGEND + " {{cause}}"), width=8),
            Panel("Ends without a begin", PER_SECOND, "unmatched: begun before the probe, or another caller; "
                  "torn: the duration is known and its components are not.",
                  query(rate("nearzero_order_stage_unmatched_total", BY, also=STAGE), LEGEND + " unmatched"),
                  query(rate("nearzero_order_stage_torn_total", BY, also=STAGE), LEGEND + " torn"), width=8),
            Panel("p99 under the service's own labels", SECONDS, "The same quantile beside the job and "
                  "instance that the service's own metrics carry (labels: of the target, docs/prometheus.md).",
                  query("(" + quantile(0.99, DURATION, "instance, target, stage", also=STAGE) + ")"
                        " * on (instance, target) group_left (service_job, service_instance)"
                        " nearzero_target_info{" + TARGET + "}", instant=True),
                  kind="table", width=8),
        ],
        (INSTANCE_VARIABLE, TARGET_VARIABLE, stage))
