"""scripts/bench rest: how the interface answers at a fixed rate, and whether the drain notices.

The agent observes the demo service with its shipped configuration. Phases in which nobody asks take turns with
phases in which nz-http-load sends requests at fixed times, in one run; each answer is charged from when its
request was due. A drain's delay, from when it was due until its numbers could be read, is the agent's own
nearzero_drain_delay_seconds; its tail is told by the bucket (9 % wide)."""

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import children
from observers import Nearzero
from run import Standing
from stats import median

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOKEN = "0123456789abcdef" * 4
DELAY = "nearzero_drain_delay_seconds"
COST = "nearzero_probe_cost_seconds_total"
BUDGET = 0.01 * os.cpu_count()  # cores: overhead.host as shipped, all targets and the host together


class Secured(Nearzero):
    """The same agent behind TLS and a token. What is read between phases goes the same way."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.secrets = tempfile.TemporaryDirectory(prefix="nearzero-bench.")
        place = self.secrets.name
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", f"{place}/key", "-out", f"{place}/certificate"], check=True, capture_output=True)
        with open(f"{place}/tokens", "w") as f:
            f.write(TOKEN + "\n")
        for name in ("key", "tokens"):
            os.chmod(f"{place}/{name}", 0o600)
        self.target_yaml += (f"\nhttp:\n  tls: {{certificate: {place}/certificate, key: {place}/key}}\n"
                             f"  token_file: {place}/tokens\n")
        self.open_with(f"{place}/certificate", TOKEN)


def delays(observer):
    """Buckets of all drains so far: upper bound in seconds -> how many."""
    sample = json.loads(observer.get("/live.json"))[DELAY][0]
    buckets = {2 ** (-24 + (index + 1) / 8): count for index, count in sample["buckets"]}
    buckets[2.0 ** 8] = buckets.get(2.0 ** 8, 0) + sample["overflow"]
    return buckets


def observing(observer):
    """Seconds that the probes have cost so far, by the agent's account: no answer is in it."""
    return sum(sample["value"] for sample in json.loads(observer.get("/live.json"))[COST])


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1e3


def set_nice_of_answers(pid, nice):
    """Of the thread that answers; returns what it was."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as f:
            if f.read().strip() != "nz-http":
                continue
        before = os.getpriority(os.PRIO_PROCESS, int(task))
        os.setpriority(os.PRIO_PROCESS, int(task), nice)
        return before
    raise RuntimeError("the agent has no thread nz-http")


def phase(observer, seconds, load):
    """One phase; what the load generator says, and what became of the agent meanwhile."""
    before, cost, cpu, begun = delays(observer), observing(observer), observer.cpu_seconds(), time.monotonic()
    result = {}
    if load:
        result = json.loads(subprocess.run(load, check=True, capture_output=True, text=True).stdout)
    else:
        time.sleep(seconds)
    took = time.monotonic() - begun
    result["cpu"] = (observer.cpu_seconds() - cpu) / took
    result["observing"] = (observing(observer) - cost) / took
    after = delays(observer)
    result["delays"] = {bound: n - before.get(bound, 0) for bound, n in after.items() if n > before.get(bound, 0)}
    result["resident_mb"] = resident_mb(observer.process.pid)
    return result


def use_congestion_control(name):
    """In a network of our own: BBR, the default of some hosts, paces the segments of an answer that is larger than
    one, on loopback, too, and its pauses of 16 ms would be taken for the agent's."""
    clone_newnet = 0x40000000
    if ctypes.CDLL(None, use_errno=True).unshare(clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/sys/net/ipv4/tcp_congestion_control", "w") as f:
        f.write(name)


def quantile(buckets, q):
    rank, total = q * sum(buckets.values()), 0
    for bound in sorted(buckets):
        total += buckets[bound]
        if total >= rank:
            return bound
    return max(buckets, default=0)


def late(phases):
    """The delays of all drains in these phases, by bucket."""
    together = {}
    for p in phases:
        for bound, n in p["delays"].items():
            together[bound] = together.get(bound, 0) + n
    return together


def told(name, phases):
    together = late(phases)
    ms = [quantile(together, q) * 1e3 for q in (0.5, 0.9, 0.99, 1)]
    print(f"{name}: {sum(together.values())} drains, late by p50 {ms[0]:.1f} ms, p90 {ms[1]:.1f} ms, p99 {ms[2]:.1f} ms, "
          f"at most {ms[3]:.1f} ms; the agent took {median([p['cpu'] for p in phases]):.1%} of a core and "
          f"{max(p['resident_mb'] for p in phases):.1f} MB; observing: "
          f"{median([p['observing'] for p in phases]):.2%} of a core")
    if "p50_ms" in phases[0]:
        print("  answers, medians of the rounds: " +
              ", ".join(f"{text} {median([p[key] for p in phases]):.2f} ms"
                        for text, key in (("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"))) +
              f", at most {max(p['max_ms'] for p in phases):.2f} ms")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench rest", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="examples:\n  scripts/bench rest\n  scripts/bench rest --tls\n"
                                            "  scripts/bench rest --rate 2000 --path '/performance/bottlenecks'")
    parser.add_argument("--build", default="build/release", help="folder of the release build")
    parser.add_argument("--agent", help="another executable of the agent; default: the build's")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=15, help="of each phase")
    parser.add_argument("--rounds", type=int, default=4, help="of a quiet and a busy phase each")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--congestion-control", metavar="NAME", default="reno",
                        help="of TCP, in a network of our own; 'host': the host's, in the host's network; default reno")
    parser.add_argument("--nice", type=int, help="in each round one more busy phase, with answers at this nice value")
    parser.add_argument("--hogs", type=int, default=0, help="so many processes that only compute, all the time")
    parser.add_argument("--tls", action="store_true", help="over TLS, with a token")
    parser.add_argument("--path", action="append", help="asked for in turn; default /performance/metrics")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench needs root")
    if options.congestion_control != "host":
        use_congestion_control(options.congestion_control)
    workloads = os.path.join(options.build, "tests/workloads")
    with open(os.path.join(ROOT, "configs/demo.yaml")) as f:
        yaml = f.read().replace("comm: nz-demo", "pid: @PID@")
    duration = options.rounds * (3 * options.seconds + 5) + 30
    demo = Standing(workloads, ["nz-demo", "--rate", "500", "--duration", str(duration)], -1)
    agent = os.path.abspath(options.agent or os.path.join(options.build, "nearzero"))
    observer = (Secured if options.tls else Nearzero)(agent, yaml, overhead="")
    hogs = [children.start(["sh", "-c", "while :; do :; done"]) for _ in range(options.hogs)]
    quiet, busy, other = [], [], []
    try:
        observer.start(demo.pid)
        os.kill(demo.pid, 12)  # SIGUSR2: begin
        time.sleep(5)
        load = [os.path.join(workloads, "nz-http-load"), *(["--tls", TOKEN] if options.tls else []), str(observer.port),
                str(options.rate), str(options.seconds), str(options.connections),
                *(options.path or ["/performance/metrics"])]
        for _ in range(options.rounds):
            quiet.append(phase(observer, options.seconds, None))
            busy.append(phase(observer, options.seconds, load))
            if options.nice is not None:
                shipped = set_nice_of_answers(observer.process.pid, options.nice)
                other.append(phase(observer, options.seconds, load))
                set_nice_of_answers(observer.process.pid, shipped)
        observer.stop()
    finally:
        demo.end()
        for hog in hogs:
            hog.kill()
            hog.wait()
    statuses = sorted({s for p in busy for s in p["statuses"]})
    print(f"{sum(p['requests'] for p in busy)} requests{' over TLS' if options.tls else ''}, "
          f"{median([p['per_second'] for p in busy]):.0f}/s, {busy[-1]['bytes']} bytes each, statuses {', '.join(statuses)}; "
          f"{options.rounds} rounds of {options.seconds} s; TCP: {options.congestion_control}; {options.hogs} hogs")
    told("quiet", quiet)
    told("under load", busy)
    if other:
        told(f"under load, answers at nice {options.nice}", other)
    if statuses != ["200"] or median([p["p99_ms"] for p in busy]) >= 20:
        sys.exit("missed: p99 under 20 ms, every answer a 200")
    if options.hogs:
        return  # who waits for a CPU is late, load or not
    if quantile(late(busy), 0.9) > 1.25 * quantile(late(quiet), 0.9):
        sys.exit("missed: the p90 of a drain's delay is at most a quarter above that of the quiet phases")
    if median([p["observing"] for p in busy]) > BUDGET:
        sys.exit(f"missed: observing takes at most {BUDGET:.1%} of a core while requests are answered")


if __name__ == "__main__":
    main()
