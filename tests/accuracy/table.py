"""scripts/bench fault-table [--examples] FILE...: the lines of `scripts/bench faults --json` as Markdown.

With --examples, what was told of real faults in place of the table: of each kind that was on top of right
runs, the finding whose impact is in the middle, as docs/bottlenecks.md shows findings. Of a kind that the matrix
has, the runs of --further are not asked."""

import json
import statistics
import sys
from collections import defaultdict


def row(cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def spread(values):
    numbers = [v for v in values if v is not None]
    return f"{min(numbers)} to {max(numbers)}" if numbers and min(numbers) != max(numbers) else (numbers or ["–"])[0]


def wrong(result):
    if "error" in result:
        return f"run {result['run']}: not run, {result['error']}"
    seen = ", ".join(f"{f['kind']} {f['impact'] * 100:.0f} %" for f in result.get("found", [])) or "nothing"
    early = ", ".join(f["kind"] for f in result["early"])
    return f"run {result['run']}: {seen}" + (f"; before the onset {early}" if early else "")


def digits(value):
    """Three of them, as analysis/text.cpp writes numbers."""
    size = abs(value)
    text = f"{value:.{0 if size >= 99.95 or size == 0 else 1 if size >= 9.995 else 2}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds_text(seconds):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= 0.9995 * scale or (seconds == 0 and unit == "us"):
            return f"{digits(seconds / scale)} {unit}"
    return f"{digits(seconds * 1e9)} ns"


def example(result):
    f = result["found"][0]
    injected = ", ".join(f"{name} {result['magnitudes'][name] or ''}".strip() for name in result["faults"])
    lines = [f["title"],
             f"{f['severity']}, impact {digits(f['impact'] * 100)} % ({seconds_text(f['impact_seconds'])} per order), "
             f"confidence {digits(f['confidence'] * 100)} %, where: {f['where']}"]
    lines += [f"  {e['text']}" + (f"  <- {e['series']}" if e["series"] else "") for e in f["evidence"]]
    lines.append(f"=> {f['recommendation']}")
    run = "A run of its own" if result.get("further") else f"Run {result['run']}"
    about = f"{run}: {injected} at {result['service']}, {result['rate']} orders/s."
    return "\n".join([f"#### `{f['kind']}`", "", about, ""] + ["    " + line for line in lines])


def examples(results):
    kinds = defaultdict(list)
    for r in results:
        if r["right"] and r["faults"] and r.get("found"):
            kinds[r["found"][0]["kind"]].append(r)
    for kind in sorted(kinds):
        drawn = [r for r in kinds[kind] if not r.get("further")]
        runs = sorted(drawn or kinds[kind], key=lambda r: (r["found"][0]["impact"], r["run"]))
        print(example(runs[(len(runs) - 1) // 2]), end="\n\n")


def main():
    files = [a for a in sys.argv[1:] if a != "--examples"]
    if not files or any(a.startswith("-") for a in files):
        sys.exit(__doc__)
    results = []
    for path in files:
        with open(path) as f:
            results += [json.loads(line) for line in f]
    if "--examples" in sys.argv[1:]:
        examples(results)
        return
    groups = defaultdict(list)
    for r in results:
        groups[(" + ".join(r["faults"]) or "none (healthy)", r["service"], r.get("further", False))].append(r)
    print(row(["fault", "service", "runs", "right", "magnitudes", "seconds to detect, median (worst)", "wrong ones found"]))
    print(row(["---"] * 7))
    for (name, service, _), runs in sorted(groups.items(), key=lambda g: (len(g[1][0]["faults"]) or 9, g[0])):
        seconds = [r["seconds"] for r in runs if r["right"] and r.get("seconds")]
        when = f"{statistics.median(seconds):.0f} ({max(seconds):.0f})" if seconds else "–"
        magnitude = ", ".join(str(spread([r["magnitudes"].get(f) for r in runs])) for f in runs[0]["faults"])
        print(row([name, service, len(runs), sum(r["right"] for r in runs), magnitude or "–", when,
                   "; ".join(wrong(r) for r in runs if not r["right"]) or "–"]))
    for kind, chosen in (("with faults", [r for r in results if r["faults"] and not r.get("further")]),
                         ("of faults that the matrix does not draw", [r for r in results if r.get("further")]),
                         ("healthy", [r for r in results if not r["faults"]])):
        if chosen:
            right = sum(r["right"] for r in chosen)
            print(f"\n{right} of {len(chosen)} runs {kind} right ({right / len(chosen) * 100:.0f} %).")


if __name__ == "__main__":
    main()
