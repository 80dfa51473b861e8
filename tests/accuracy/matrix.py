"""scripts/bench faults: whether the agent names the fault that was injected.

Each run starts a service under load and the agent with its shipped settings, lets both be for a while,
injects one fault or two of random magnitude, and asks GET /performance/bottlenecks what limits the service.
A run is right when, within 30 s of the onset, the fault's kind is on top (of two: both are named) and still
is at the next judgement, and nothing was found before. Healthy runs vary the load alone; they are
right when nothing is found. A seed draws the same runs again. --further runs, by the same procedure, each fault
once that the matrix does not draw."""

import argparse
import contextlib
import datetime
import json
import os
import random
import signal
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/overhead"))

import children  # noqa: E402
import storage  # noqa: E402
from faults import FAULTS, PAIRS  # noqa: E402
from further import FURTHER  # noqa: E402
from observers import Nearzero  # noqa: E402
from services import Demo, Ordermatch  # noqa: E402

DEADLINE = 30  # seconds from the onset
SKIPPED = 77   # exit code for ctest: cannot run here
STABLE = 6     # seconds for which it stays right: one more judgement
SERVICES = {"demo": (Demo, (150, 600)), "ordermatch": (Ordermatch, (200, 800))}


def plan(seed, runs, healthy):
    """What each run injects: every fault in turn on every service that knows it, then pairs, shuffled."""
    rng = random.Random(seed)
    single = [(service, (name,)) for name, cls in FAULTS.items() for service in cls.services]
    pairs = [("demo", pair) for pair in PAIRS]
    rng.shuffle(single)
    rng.shuffle(pairs)
    rows = []
    while len(rows) < runs:  # one in five has two faults
        rows.append(pairs[len(rows) // 5 % len(pairs)] if len(rows) % 5 == 4
                    else single[(len(rows) - len(rows) // 5) % len(single)])
    rows += [(rng.choice(list(SERVICES)) if i % 4 == 3 else "demo", ()) for i in range(healthy)]
    return [{"run": i, "seed": rng.randrange(1 << 30), "service": s, "faults": f} for i, (s, f) in enumerate(rows)]


def further_plan(seed):
    """Every fault that the matrix does not draw, once a service; each by itself draws what it does among all."""
    single = [(service, name) for name, cls in FURTHER.items() for service in cls.services]
    return [{"run": i, "seed": random.Random(f"{seed} {name} {service}").randrange(1 << 30), "service": service,
             "faults": (name,), "further": True} for i, (service, name) in enumerate(single)]


def chosen(options):
    rows = further_plan(options.seed) if options.further else plan(options.seed, options.runs, options.healthy)
    if options.only:
        rows += [] if options.further else further_plan(options.seed)
        rows = [r for r in rows if options.only in r["faults"] or (options.only == "healthy" and not r["faults"])]
    if options.row is not None:
        rows = [r for r in rows if r["run"] == options.row]
    return rows


def brief(finding):
    return {key: finding[key] for key in ("kind", "target", "where", "impact", "state")}


@contextlib.contextmanager
def undisturbed():
    """A signal that is to end us waits until this is done."""
    told = []
    handlers = {number: signal.signal(number, lambda n, _: told.append(n)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if told:
            sys.exit(128 + told[0])


class Run:
    def __init__(self, row, build, settle):
        self.row, self.settle = row, settle
        rng = random.Random(row["seed"])
        make, rates = SERVICES[row["service"]]
        self.service = make(ROOT, build, rng.randint(*rates))
        self.rng, self.build = rng, build
        known = FURTHER if row.get("further") else FAULTS
        self.faults = [known[name](rng, self.service) for name in row["faults"]]
        self.agent = None

    def findings(self):
        answer = json.loads(self.agent.get("/performance/bottlenecks?state=open,ongoing&limit=50"))
        return answer["bottlenecks"]

    def run(self):
        prepared, begun = [], []
        try:
            for fault in self.faults:
                prepared.append(fault)
                with undisturbed():  # between a mount and the note of it nothing would undo it
                    fault.prepare()
            self.service.start()
            self.agent = Nearzero(os.path.join(self.build, "nearzero"), self.service.targets(), overhead="")
            self.agent.start(self.service.pid)
            early = self.watch(self.settle)
            for fault in self.faults:
                fault.measure()
            onset = time.monotonic()
            for fault in self.faults:
                begun.append(fault)
                fault.begin()
            result = self.detect(onset) if self.faults else {"right": True}
            result["early"] = early
            result["right"] = result["right"] and not early
        finally:
            with undisturbed():
                for clean in ([fault.end for fault in begun] + ([self.agent.stop] if self.agent else []) +
                              [self.service.stop] + [fault.undo for fault in prepared]):
                    try:
                        clean()
                    except Exception as e:  # the rest must be undone all the same
                        print(f"  not undone: {clean.__qualname__}: {e}", file=sys.stderr)
        magnitudes = {fault.name: fault.magnitude for fault in self.faults}
        return {**self.row, "rate": self.service.rate, "magnitudes": magnitudes, **result}

    def watch(self, seconds):
        """What is found although nothing is wrong."""
        seen, end = {}, time.monotonic() + seconds
        while time.monotonic() < end:
            for finding in self.findings():
                seen.setdefault(finding["kind"], finding)
            time.sleep(1)
        return list(seen.values())

    def is_right(self, found):
        if not found:
            return False
        kinds = [f["kind"] for f in found]
        wanted = [any(k in fault.expected for k in kinds) for fault in self.faults]
        return all(wanted) and any(kinds[0] in fault.expected for fault in self.faults)

    def detect(self, onset):
        first, tops, found = None, [], []
        while time.monotonic() - onset < DEADLINE or (first and time.monotonic() - onset < first + STABLE):
            found = self.findings()
            if found and (not tops or tops[-1][1] != found[0]["kind"]):
                tops.append((round(time.monotonic() - onset, 1), found[0]["kind"]))
            elapsed = time.monotonic() - onset
            if not self.is_right(found):
                first = None
            elif first is None:
                first = elapsed
            elif elapsed >= first + STABLE:
                break
            time.sleep(0.5)
        return {"right": first is not None, "seconds": first and round(first, 1), "tops": tops, "found": found}


def run(row, options):
    try:
        return Run(row, options.build, options.settle if row["faults"] else options.settle + DEADLINE).run()
    except Exception as e:
        if not row.get("further"):
            raise
        # A host may lack what one of them needs, a loop device say: the others do not need it.
        return {**row, "rate": None, "magnitudes": {}, "right": False, "early": [], "error": str(e)}


def line(result):
    magnitudes = result["magnitudes"]
    what = " + ".join(f"{name} {magnitudes.get(name) or ''}".strip() for name in result["faults"]) or "healthy"
    verdict = "right" if result["right"] else f"NOT RUN ({result['error']})" if "error" in result else "WRONG"
    when = f" after {result['seconds']:.1f} s" if result.get("seconds") else ""
    kinds = ", ".join(f"{f['kind']} {f['impact'] * 100:.0f} %" for f in result.get("found", []))
    early = "; found early: " + ", ".join(f["kind"] for f in result["early"]) if result["early"] else ""
    return f"{result['run']:3d} {result['service']:10s} {what}: {verdict}{when} [{kinds}]{early}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--runs", type=int, default=60, help="runs with faults (%(default)s)")
    parser.add_argument("--healthy", type=int, default=20, help="runs without (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--today", action="store_true", help="the day is the seed")
    parser.add_argument("--least-right", type=int, help="runs that must be right (95 %% of them)")
    parser.add_argument("--settle", type=float, default=32, help="healthy seconds before the onset (%(default)s)")
    parser.add_argument("--further", action="store_true", help="the faults that the matrix does not draw, each once")
    parser.add_argument("--only", choices=dict.fromkeys([*FAULTS, *FURTHER, "healthy"]), metavar="FAULT",
                        help="only this fault, of the matrix or of --further, or `healthy`")
    parser.add_argument("--row", type=int, help="only the run of this number")
    parser.add_argument("--json", metavar="FILE", help="a line for each run, as it ends; the table: bench fault-table")
    parser.add_argument("--lock", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    if os.geteuid() != 0:
        print("scripts/bench faults needs root: it loads BPF programs and makes cgroups and network namespaces")
        sys.exit(SKIPPED)
    if options.today:
        options.seed = datetime.date.today().toordinal()
    children.refuse_other_observers()
    for end in (signal.SIGTERM, signal.SIGINT):  # undoes what the run has made
        signal.signal(end, lambda number, frame: sys.exit(128 + number))
    rows = chosen(options)
    right = 0
    for row in rows:
        if options.lock:
            import fcntl
            held = open(options.lock)
            fcntl.flock(held, fcntl.LOCK_EX)
        with undisturbed():  # not before we hold the lock: another one's run may be under way
            storage.sweep()
        result = run(row, options)
        if options.lock:
            held.close()
        right += result["right"]
        print(line(result), flush=True)
        if options.json:
            with open(options.json, "a") as f:
                f.write(json.dumps(result) + "\n")
    print(f"{right} of {len(rows)} right (seed {options.seed})")
    least = options.least_right if options.least_right is not None else 0.95 * len(rows)
    sys.exit(0 if right >= least else 1)


if __name__ == "__main__":
    main()
