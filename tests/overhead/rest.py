"""scripts/bench rest: how the REST interface answers at a fixed rate, and whether the drain notices.

The agent observes the demo service with its shipped configuration. First nobody asks, but for ten small
requests a second that tell when each drain was; then nz-http-load sends its requests at fixed times, and
each answer is charged from when its request was due. A drain's delay is how much later than the interval it
came after the one before."""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

import children
from observers import Nearzero
from run import Standing
from stats import median

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Drains(threading.Thread):
    """When each drain was, from the times that answers are of."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{port}/performance/metrics?family=nearzero_drain_duration_seconds"
        self.done, self.drains = False, {}

    def run(self):
        while not self.done:
            answer = json.load(urllib.request.urlopen(self.url, timeout=10))
            self.drains[answer["range"]["to"]] = answer["metrics"][0]["value"]
            time.sleep(0.1)

    def stop(self, interval):
        self.done = True
        self.join()
        times = [float(t[17:23]) for t in sorted(self.drains)]
        gaps = [(b - a) % 60 - interval for a, b in zip(times, times[1:])]
        return {"drains": len(times), "worst_delay_ms": max(gaps) * 1e3,
                "drain_ms": median(list(self.drains.values())) * 1e3}


def phase(observer, seconds, load=None):
    drains = Drains(observer.port)
    cpu, begun = observer.cpu_seconds(), time.monotonic()
    drains.start()
    result = {}
    if load:
        out = subprocess.run(load, check=True, capture_output=True, text=True).stdout
        result = json.loads(out)
    else:
        time.sleep(seconds)
    result.update(drains.stop(1.0))
    result["agent_cpu_percent"] = (observer.cpu_seconds() - cpu) / (time.monotonic() - begun) * 100
    return result


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench rest", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="examples:\n  scripts/bench rest\n"
                                            "  scripts/bench rest --rate 2000 --path '/performance/bottlenecks'")
    parser.add_argument("--build", default="build/release", help="folder of the release build")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--path", action="append", help="asked for in turn; default /performance/metrics")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench needs root")
    workloads = os.path.join(options.build, "tests/workloads")
    with open(os.path.join(ROOT, "configs/demo.yaml")) as f:
        yaml = f.read().replace("comm: nz-demo", "pid: @PID@")
    demo = Standing(workloads, ["nz-demo", "--rate", "500", "--duration", str(options.seconds + 25)], -1)
    observer = Nearzero(os.path.abspath(os.path.join(options.build, "nearzero")), yaml, overhead="")
    try:
        observer.start(demo.pid)
        os.kill(demo.pid, 12)  # SIGUSR2: begin
        time.sleep(5)
        quiet = phase(observer, 10)
        busy = phase(observer, options.seconds,
                     [os.path.join(workloads, "nz-http-load"), str(observer.port), str(options.rate),
                      str(options.seconds), str(options.connections)] + (options.path or ["/performance/metrics"]))
        observer.stop()
    finally:
        demo.end()
    print(f"{busy['requests']} requests, {busy['per_second']:.0f}/s, {busy['bytes']} bytes each, statuses "
          f"{busy['statuses']}\nanswered after: p50 {busy['p50_ms']:.2f} ms, p90 {busy['p90_ms']:.2f} ms, p99 "
          f"{busy['p99_ms']:.2f} ms, p99.9 {busy['p999_ms']:.2f} ms, at most {busy['max_ms']:.2f} ms")
    for name, p in (("quiet", quiet), ("under load", busy)):
        print(f"{name}: {p['drains']} drains, the latest {p['worst_delay_ms']:.1f} ms behind, {p['drain_ms']:.2f} ms "
              f"each (median); the agent took {p['agent_cpu_percent']:.1f} % of a core")
    if set(busy["statuses"]) != {"200"} or busy["p99_ms"] >= 20:
        sys.exit("missed: p99 under 20 ms, every answer a 200")


if __name__ == "__main__":
    main()
