"""scripts/bench table FILE.json: the figures of `scripts/bench overhead --json FILE.json` as Markdown, for docs/overhead.md."""

import json
import sys


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def cases(results):
    lines = ["| case | variant | ns per event | added ns (95 % interval) |", "|---|---|---:|---:|"]
    for name, result in results.items():
        for variant, row in result["variants"].items():
            low, high = row["added_interval"]
            added = "" if variant == "bare" else f"{number(row['added_ns'])} ({number(low)} .. {number(high)})"
            lines.append(f"| {name} | {variant} | {number(row['ns'])} | {added} |")
            name = ""
    return lines


def promises(results):
    lines = ["| case | ratio | measured (95 % interval) | at most | |", "|---|---|---:|---:|---|"]
    for name, result in results.items():
        for limit in result["limits"]:
            low, high = limit["interval"]
            ours = "" if limit["variant"] == "nearzero" else f" ({limit['variant'].split(', ')[1]})"
            bound = f"1 ± {limit['bound']:g}" if limit["kind"] == "equal" else f"{limit['bound']:.2f}"
            lines.append(f"| {name}{ours} | {limit['ratio']} | {limit['value']:.3f} ({low:.3f} .. {high:.3f}) | "
                         f"{bound} | {'met' if limit['met'] else '**not met**'} |")
    return lines


def demo(figures):
    lines = ["| the demo at 2,000 orders/s | bare, µs | observed, µs | ratio (95 % interval) | observed, of the time | of the "
             "machine | agent, of a core | memory and maps |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for name, v in figures["variants"].items():
        for key in ("p50_us", "p99_us"):
            f = v[key]
            lines.append(f"| {name}, {key.replace('_us', '')} | {number(f['bare'])} | {number(f['observed'])} | {f['ratio']:.3f} "
                         f"({f['interval'][0]:.3f} .. {f['interval'][1]:.3f}) | {v['observed_share_of_time']:.0%} | "
                         f"{v['share_of_machine']:.2%} | {v['agent_share_of_core']:.2%} | {v['memory_mb']:.1f} MB |")
    return lines


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__ + "\nusage: scripts/bench table FILE.json")
    with open(sys.argv[1]) as f:
        document = json.load(f)
    print(f"{document['date']}, Linux {document['kernel']}, {document['cpus']} CPUs, {document['rounds']} rounds.\n")
    print("\n".join(promises(document["cases"]) + [""] + cases(document["cases"])))
    if "demo" in document:
        print("\n" + "\n".join(demo(document["demo"])))


if __name__ == "__main__":
    main()
