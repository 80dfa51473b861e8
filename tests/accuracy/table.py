"""scripts/bench fault-table FILE: the lines of `scripts/bench faults --json` as Markdown."""

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
    seen = ", ".join(f"{f['kind']} {f['impact'] * 100:.0f} %" for f in result.get("found", [])) or "nothing"
    early = ", ".join(f["kind"] for f in result["early"])
    return f"run {result['run']}: {seen}" + (f"; before the onset {early}" if early else "")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1]) as f:
        results = [json.loads(line) for line in f]
    groups = defaultdict(list)
    for r in results:
        groups[(" + ".join(r["faults"]) or "none (healthy)", r["service"])].append(r)
    print(row(["fault", "service", "runs", "right", "magnitudes", "seconds to detect, median (worst)", "wrong ones found"]))
    print(row(["---"] * 7))
    for (name, service), runs in sorted(groups.items(), key=lambda g: (len(g[1][0]["faults"]) or 9, g[0])):
        seconds = [r["seconds"] for r in runs if r["right"] and r.get("seconds")]
        when = f"{statistics.median(seconds):.0f} ({max(seconds):.0f})" if seconds else "–"
        magnitude = ", ".join(str(spread([r["magnitudes"][f] for r in runs])) for f in runs[0]["faults"])
        print(row([name, service, len(runs), sum(r["right"] for r in runs), magnitude or "–", when,
                   "; ".join(wrong(r) for r in runs if not r["right"]) or "–"]))
    for kind, chosen in (("with faults", [r for r in results if r["faults"]]),
                         ("healthy", [r for r in results if not r["faults"]])):
        if chosen:
            right = sum(r["right"] for r in chosen)
            print(f"\n{right} of {len(chosen)} runs {kind} right ({right / len(chosen) * 100:.0f} %).")


if __name__ == "__main__":
    main()
