"""The demo at 2,000 orders a second with everything on and the budget as shipped, against the same demo bare.

Quantiles are of the demo's own clock, over the whole run: the agent's first look is in it."""

import json
import os
import subprocess
import tempfile
import time

import children
from observers import Nearzero, Nobody
from stats import interval, median


def one(folder, observer, seconds, rate):
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as truth:
        demo = children.start([os.path.join(folder, "nz-demo"), "--rate", str(rate), "--duration", str(seconds),
                               "--wait", "--truth", truth.name],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        observer.start(demo.pid)
        begun = observer.values() if isinstance(observer, Nearzero) else {}
        cpu = observer.cpu_seconds() if begun else 0
        start = time.monotonic()
        demo.send_signal(12)  # SIGUSR2
        demo.wait(seconds + 60)
        elapsed = time.monotonic() - start
        figures = observer.stop()
        latency = json.load(truth)["orders"]["latency"]
    result = {"p50_us": latency["p50_ns"] / 1e3, "p99_us": latency["p99_ns"] / 1e3}
    if begun:
        grown = lambda name: figures["values"].get(name, 0) - begun.get(name, 0)
        result["agent_share_of_core"] = (figures["cpu_seconds"] - cpu) / elapsed
        result["kernel_share_of_core"] = grown("nearzero_probe_cost_seconds_total") / elapsed
        result["observed_share_of_time"] = grown("nearzero_probe_observed_seconds_total") / 3 / elapsed  # three probes
        result["memory_mb"] = (figures["values"]["nearzero_agent_resident_memory_bytes"] +
                               figures["values"]["nearzero_map_memory_bytes"]) / 1e6
    return result


# The budget as shipped, by a duty cycle; and everything observed all the time, which nobody is promised.
VARIANTS = {"nearzero": "", "all the time": "overhead: {duty_cycle: false, per_target: 100%}\n"}


def run(agent, folder, config, rounds, seconds, rate, say):
    with open(config) as f:
        targets = "targets:" + f.read().split("\ntargets:", 1)[1]
    names = ["bare", *VARIANTS]
    runs = {name: [] for name in names}
    for r in range(rounds):
        for name in names[r % 3:] + names[:r % 3]:
            observer = Nobody() if name == "bare" else Nearzero(agent, targets, overhead=VARIANTS[name])
            runs[name].append(one(folder, observer, seconds, rate))
            say(f"demo round {r + 1}/{rounds} {name}: {runs[name][-1]}")
    result = {"variants": {}}
    for name in VARIANTS:
        v = result["variants"][name] = {}
        for key in ("p50_us", "p99_us"):
            ratios = [n[key] / b[key] for n, b in zip(runs[name], runs["bare"])]
            v[key] = {"bare": median([b[key] for b in runs["bare"]]), "observed": median([n[key] for n in runs[name]]),
                      "ratio": median(ratios), "interval": interval(ratios)}
        for key in ("agent_share_of_core", "kernel_share_of_core", "memory_mb", "observed_share_of_time"):
            v[key] = median([n[key] for n in runs[name]])
        v["share_of_machine"] = (v["agent_share_of_core"] + v["kernel_share_of_core"]) / os.cpu_count()
    return result
