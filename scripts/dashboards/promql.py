"""PromQL that reads nearzero's families, whichever way Prometheus stores their histograms.

Each function gives one expression. A histogram family is stored natively where Prometheus asks for
that (docs/prometheus.md), else as classic buckets. `native or classic` reads both: the side that is
not stored is empty, and where both are stored the native one wins, whose buckets are finer.
"""

INSTANCE = 'instance=~"$instance"'
TARGET = INSTANCE + ', target=~"$target"'
RANGE = "$__rate_interval"


def _braces(*selectors):
    return "{" + ", ".join(s for s in selectors if s) + "}"


def rate(counter, by, select=TARGET, also="", window=RANGE):
    """Per second, summed over every label but `by`."""
    return f"sum by ({by}) (rate({counter}{_braces(select, also)}[{window}]))"


def gauge(family, by, select=TARGET, also="", how="sum"):
    return f"{how} by ({by}) ({family}{_braces(select, also)})"


def quantile(q, family, by, select=TARGET, also="", window=RANGE):
    where = _braces(select, also)
    return (
        f"histogram_quantile({q}, sum by ({by}) (rate({family}{where}[{window}])))"
        f" or histogram_quantile({q}, sum by ({by}, le) (rate({family}_bucket{where}[{window}])))"
    )


def histogram_rate(family, by, select=TARGET, also="", window=RANGE):
    """Observations per second."""
    where = _braces(select, also)
    return (
        f"histogram_count(sum by ({by}) (rate({family}{where}[{window}])))"
        f" or sum by ({by}) (rate({family}_count{where}[{window}]))"
    )


def histogram_seconds(family, by, select=TARGET, also="", window=RANGE):
    """Seconds observed per second: of threads that wait, how many did on average."""
    where = _braces(select, also)
    return (
        f"histogram_sum(sum by ({by}) (rate({family}{where}[{window}])))"
        f" or sum by ({by}) (rate({family}_sum{where}[{window}]))"
    )


def mean(family, by, select=TARGET, also="", window=RANGE):
    over = (family, by, select, also, window)
    return f"({histogram_seconds(*over)}) / ({histogram_rate(*over)})"


def heatmap(family, select=TARGET, also="", window=RANGE):
    """Whole distributions. Where both kinds are stored the classic ones stay out of the picture."""
    where = _braces(select, also)
    native = f"sum(increase({family}{where}[{window}]))"
    classic = f"sum by (le) (increase({family}_bucket{where}[{window}]))"
    return f"{native} or ({classic} unless on () {native})"


def per_observed_second(counter, probe, by, select=TARGET, also="", window=RANGE):
    """The true rate of what a probe counts that may rest for part of the time (its duty cycle)."""
    observed = (
        f'sum by (instance, target) (increase(nearzero_probe_observed_seconds_total'
        f'{_braces(select, f"probe={chr(34)}{probe}{chr(34)}")}[{window}]))'
    )
    counted = f"sum by (instance, target, {by}) (increase({counter}{_braces(select, also)}[{window}]))"
    return f"sum by ({by}) ({counted} / on (instance, target) group_left () {observed})"


def share(part, whole, on):
    return f"{part} / on ({on}) group_left () {whole}"


def top(k, expression):
    return f"topk({k}, {expression})"
