"""Judges the runs and draws the tables."""

from stats import interval, median


def summarise(case, runs):
    """runs: variant -> list of ns per event, one a round, interleaved."""
    bare = runs["bare"]
    rows = {}
    for variant, values in runs.items():
        added = [v - b for v, b in zip(values, bare)]
        rows[variant] = {"ns": median(values), "added_ns": median(added), "added_interval": interval(added)}
    limits = []
    for limit in case.limits:
        ours = runs[limit.ours]
        if limit.kind == "added":
            ratios = [(o - b) / (p - q) for o, p, b, q in zip(ours, runs[limit.peer], runs[limit.over], bare) if p > q]
            text = f"added / {limit.peer}" if limit.over == "bare" else f"over '{limit.over}' / {limit.peer}"
        else:
            ratios = [o / b for o, b in zip(ours, bare)]
            text = "time / bare"
        value, (low, high) = median(ratios), interval(ratios)
        met = (1 - limit.bound <= low and high <= 1 + limit.bound) if limit.kind == "equal" else value <= limit.bound
        limits.append({"variant": limit.ours, "ratio": text, "value": value, "interval": [low, high],
                       "bound": limit.bound, "kind": limit.kind, "met": met})
    return {"event": case.event, "rounds": len(bare), "variants": rows, "limits": limits}


def table(results):
    lines = [f"{'case':<36}{'variant':<28}{'ns/event':>12}{'added ns':>12}  95 % interval"]
    for name, r in results.items():
        for variant, row in r["variants"].items():
            low, high = row["added_interval"]
            span = "" if variant == "bare" else f"{low:,.1f} .. {high:,.1f}"
            added = "" if variant == "bare" else f"{row['added_ns']:,.1f}"
            lines.append(f"{name:<36}{variant:<28}{row['ns']:>12,.1f}{added:>12}  {span}")
            name = ""
    lines += ["", f"{'promise':<36}{'variant':<28}{'ratio':<26}{'measured':>9}{'at most':>9}  95 % interval"]
    for name, r in results.items():
        for limit in r["limits"]:
            low, high = limit["interval"]
            bound = f"±{limit['bound']:.0%}" if limit["kind"] == "equal" else f"{limit['bound']:.2f}"
            lines.append(f"{name:<36}{limit['variant']:<28}{limit['ratio']:<26}{limit['value']:>9.3f}{bound:>9}"
                         f"  {low:.3f} .. {high:.3f}  {'met' if limit['met'] else 'NOT MET'}")
    return "\n".join(lines)


def demo_table(demo):
    lines = ["", f"{'demo, everything on':<36}{'bare':>12}{'observed':>12}{'ratio':>9}  95 % interval"]
    for name, v in demo["variants"].items():
        for key in ("p50_us", "p99_us"):
            d = v[key]
            lines.append(f"{'  ' + name + ', ' + key.replace('_', ' '):<36}{d['bare']:>12,.1f}{d['observed']:>12,.1f}"
                         f"{d['ratio']:>9.3f}  {d['interval'][0]:.3f} .. {d['interval'][1]:.3f}")
        lines.append(f"    observed {v['observed_share_of_time']:.0%} of the time; agent {v['agent_share_of_core']:.2%} of a core, "
                     f"kernel side {v['kernel_share_of_core']:.2%}, together {v['share_of_machine']:.2%} of the machine; "
                     f"agent RSS + maps {v['memory_mb']:.1f} MB")
    return "\n".join(lines)
