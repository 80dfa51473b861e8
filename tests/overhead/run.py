"""Runs one workload under one observer."""

import json
import os
import signal
import subprocess
import tempfile

import children
from observers import Nearzero, Peer


class Standing:
    """A workload that has started, says its process id and stands still until go()."""

    def __init__(self, folder, command, cpu):
        self.errors = tempfile.NamedTemporaryFile(mode="r", prefix="nearzero-bench.", suffix=".err")
        prefix = ["taskset", "-c", str(cpu)] if cpu >= 0 else []
        self.process = children.start(prefix + [os.path.join(folder, command[0])] + command[1:] + ["--wait"],
                                      stdout=subprocess.PIPE, stderr=open(self.errors.name, "w"), text=True)
        while "ready pid=" not in open(self.errors.name).read():
            if self.process.poll() is not None:
                raise RuntimeError(f"{command}: {open(self.errors.name).read()}")
        self.pid = self.process.pid

    def go(self):
        os.kill(self.pid, signal.SIGUSR2)
        out, _ = self.process.communicate(timeout=600)
        if self.process.returncode != 0:
            raise RuntimeError(f"exit {self.process.returncode}: {open(self.errors.name).read()}")
        return json.loads(out.strip().splitlines()[-1])

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def _refuse_detached(agent):
    """What gave up meanwhile has made part of the run cheap. The workload has ended, and the rows of its processes with it:
    what is left is the host's."""
    if lost := [row for row in agent.not_attached() if row["target"] == "host"]:
        raise RuntimeError(f"no longer attached at the end of the run: {lost[0]}")


def measure(case, variant, folder):
    """ns per event of `case` under `variant`."""
    observer = case.observers[variant]()
    command = case.peer_command if case.peer_command and isinstance(observer, Peer) else case.command
    standing = [Standing(folder, command, case.cpu)]
    if case.companion:
        standing.append(Standing(folder, case.companion, 0))
    try:
        observer.start(standing[-1].pid)
        try:
            report = standing[0].go()
            if isinstance(observer, Nearzero):
                _refuse_detached(observer)
        finally:
            observer.stop()
    finally:
        for s in standing:
            s.end()
    return report[case.metric] * case.scale
