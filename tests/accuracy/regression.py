"""scripts/bench regression-alert: from a missing index to an alert at a real Alertmanager, and its end.

The demo runs healthy until its series are known, loses the index of its risk limits, and gets it back. Within
two minutes of the loss Alertmanager must have an alert that names the stage, one that names the statement, and
when it began; after the cure both must be resolved. Takes some 12 minutes: a step is told from the minutes
before it. Nothing may fire before the loss."""

import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime

from matrix import ROOT
import children
from faults import FAULTS
from observers import Nearzero
from services import Demo

DEADLINE = 120   # seconds from the loss of the index until both alerts are there
RESOLVED = 300   # ... and from the cure until both are resolved
TOLERANCE = 30   # seconds that the told beginning may be off
RULES = ("OrderPathRegression", "StatementRegression")


class Alertmanager:
    """Debian's, on a free port, without a receiver of its own: what it holds is asked for."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nearzero-alertmanager.")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        config = os.path.join(self.folder.name, "alertmanager.yml")
        with open(config, "w") as f:
            f.write("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        self.process = children.start(
            ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={self.folder.name}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="],
            stdout=open(os.devnull, "w"), stderr=open(os.devnull, "w"))
        for _ in range(200):
            try:
                self.alerts()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("Alertmanager does not answer")

    def alerts(self):
        """Those that are not resolved."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=5) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def regressions(manager):
    return [a for a in manager.alerts() if a["labels"]["alertname"] in RULES]


def rules_file(folder, port):
    """The shipped rules, with a receiver."""
    with open(os.path.join(ROOT, "configs/alerts.yaml")) as f:
        text = f.read()
    receiver = f'receivers:\n  - name: test\n    alertmanager: {{urls: ["http://127.0.0.1:{port}"]}}\n'
    text, count = re.subn(r"^receivers: \[\]\n", receiver, text, flags=re.M)
    assert count == 1, "configs/alerts.yaml has receivers"
    path = os.path.join(folder, "alerts.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def describe(alert):
    return f"{alert['labels']['alertname']} {alert['startsAt']}: {alert['annotations'].get('summary', '')}"


def starts_at(alert):
    return datetime.fromisoformat(alert["startsAt"].replace("Z", "+00:00")).timestamp()


def names_all(alert, onset):
    """One alert has to name stage, statement and start: who reads it may not see the others."""
    stage = alert["labels"].get("stage") == "risk"  # the statement's table is named risk_limits
    return stage and "SELECT" in json.dumps(alert) and abs(starts_at(alert) - onset) <= TOLERANCE


def write_report(options, port, seconds):
    """Of the incident, with a minute before it."""
    os.makedirs(options.report, exist_ok=True)
    for form in ("html", "md", "json"):
        subprocess.run([os.path.join(options.build, "nearzero"), "report", "--url", f"http://127.0.0.1:{port}",
                        "--from", f"-{seconds + 60:.0f}s", "-o", os.path.join(options.report, f"report.{form}")],
                       check=True)


def run(options, say):
    """What went wrong; nothing: all is well."""
    problems = []
    rng = random.Random(options.seed)
    service = Demo(ROOT, options.build, options.rate)
    fault = FAULTS["missing_index"](rng, service)
    fault.prepare()
    manager, agent = Alertmanager(), None
    folder = tempfile.TemporaryDirectory(prefix="nearzero-alerts.")
    try:
        service.start()
        rules = rules_file(folder.name, manager.port)
        yaml = service.targets() + f"\nalerts: {{rules: [{rules}], state: {folder.name}/alerts.json}}\n"
        agent = Nearzero(os.path.join(options.build, "nearzero"), yaml, overhead="")
        agent.start(service.pid)
        say(f"healthy for {options.settle} s")
        end = time.monotonic() + options.settle
        while time.monotonic() < end:
            for alert in regressions(manager):
                problems.append("before the loss: " + describe(alert))
            if problems:
                return problems
            time.sleep(2)
        onset, told = time.time(), {}
        fault.begin()
        say("the index is gone")
        seen, whole = set(), False  # of one rule several stages may be told, the whole order before its part
        while time.time() - onset < DEADLINE and not (whole and len(told) == len(RULES)):
            for alert in regressions(manager):
                if alert["fingerprint"] in seen:
                    continue
                seen.add(alert["fingerprint"])
                told.setdefault(alert["labels"]["alertname"], alert)
                whole = whole or names_all(alert, onset)
                say(f"after {time.time() - onset:.0f} s: {describe(alert)}")
                for name, text in alert["annotations"].items():
                    print(f"           {name}: {text}", flush=True)
            time.sleep(1)
        for rule in RULES:
            if rule not in told:
                problems.append(f"no {rule} within {DEADLINE} s")
                continue
            since = starts_at(told[rule])
            if abs(since - onset) > TOLERANCE:
                problems.append(f"{rule} begins {since - onset:+.0f} s from the loss")
        if not whole:
            problems.append("no single alert names the stage, the statement and the start")
        if problems:
            return problems
        time.sleep(options.settle / 4)
        if options.report:
            write_report(options, agent.port, time.time() - onset)
        cure = time.time()
        fault.end()
        say("the index is back")
        while time.time() - cure < RESOLVED and regressions(manager):
            time.sleep(1)
        left = regressions(manager)
        if left:
            problems += [f"not resolved {RESOLVED} s after the cure: {describe(a)}" for a in left]
        else:
            say(f"all resolved {time.time() - cure:.0f} s after the cure")
        return problems
    finally:
        for clean in ([agent.stop] if agent else []) + [service.stop, manager.stop, folder.cleanup]:
            try:
                clean()
            except Exception as e:  # the rest must be undone all the same
                print(f"  not undone: {clean.__qualname__}: {e}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--rate", type=int, default=300, help="orders a second (%(default)s)")
    parser.add_argument("--settle", type=float, default=420, help="healthy seconds before the loss (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", metavar="FOLDER", help="keep a report of the incident, made before the cure")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench regression-alert needs root: it loads BPF programs")
    children.refuse_other_observers()
    for end in (signal.SIGTERM, signal.SIGINT):  # undoes what the run has made
        signal.signal(end, lambda number, frame: sys.exit(128 + number))
    begun = time.monotonic()
    problems = run(options, lambda text: print(f"[{time.monotonic() - begun:6.0f} s] {text}", flush=True))
    for problem in problems:
        print("WRONG: " + problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
