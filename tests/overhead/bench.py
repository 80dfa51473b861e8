"""scripts/bench overhead: what observing costs, nearzero beside its peers in one run.

Each round runs every variant of a case once, in an order drawn anew by a seed; figures are medians
over rounds, ratios are taken within a round (so that drift of the machine cancels) and their medians
are given with a 95 % bootstrap interval."""

import argparse
import datetime
import json
import os
import platform
import random
import sys
import time

import children
import demo
from cases import all_cases
from report import demo_table, summarise, table
from run import measure


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench overhead", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="examples:\n  scripts/bench overhead\n  scripts/bench overhead --quick\n"
                                            "  scripts/bench overhead --case 'SQLite.*' --rounds 11 --json /tmp/o.json")
    parser.add_argument("--build", default="build/release", help="folder of the release build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--case", default=".*", help="regular expression on case names; 'demo' for the demo")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="3 rounds, a demo of 5 s")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench needs root")
    import re
    agent = os.path.abspath(os.path.join(options.build, "nearzero"))
    folder = os.path.abspath(os.path.join(options.build, "tests/workloads"))
    if not os.path.exists(agent):
        sys.exit(f"{agent} is missing: build it first (cmake --preset release && cmake --build --preset release)")
    children.refuse_other_observers()
    rounds = min(3, options.rounds) if options.quick else options.rounds
    rng = random.Random(options.seed)
    begun = time.monotonic()

    def say(text):
        print(f"[{time.monotonic() - begun:6.0f} s] {text}", file=sys.stderr, flush=True)

    results = {}
    for case in all_cases(agent, folder):
        if not re.fullmatch(options.case, case.name):
            continue
        runs = {variant: [] for variant in case.observers}
        for r in range(rounds):
            order = list(case.observers)
            rng.shuffle(order)
            for variant in order:
                runs[variant].append(measure(case, variant, folder))
            say(f"{case.name}, round {r + 1}/{rounds}: " +
                ", ".join(f"{v} {values[-1]:,.0f}" for v, values in runs.items()))
        results[case.name] = summarise(case, runs)
    print(f"nearzero overhead, {datetime.date.today()}, Linux {platform.release()}, {os.cpu_count()} CPUs, "
          f"{rounds} rounds, seed {options.seed}\n")
    if results:
        print(table(results))
    document = {"date": str(datetime.date.today()), "kernel": platform.release(), "cpus": os.cpu_count(),
                "rounds": rounds, "cases": results}
    if re.fullmatch(options.case, "demo"):
        config = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../configs/demo.yaml")
        document["demo"] = demo.run(agent, folder, config, rounds, 5 if options.quick else 20, 2000, say)
        print(demo_table(document["demo"]))
    if options.json:
        with open(options.json, "w") as f:
            json.dump(document, f, indent=2)
    missed = [name for name, r in results.items() for limit in r["limits"] if not limit["met"]]
    if missed:
        print("\nnot met: " + ", ".join(dict.fromkeys(missed)))


if __name__ == "__main__":
    main()
