"""Child processes that end with the benchmark, however it ends: what a broken run left behind would be
measured by the next one."""

import ctypes
import json
import signal
import subprocess
import sys
import time

_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start(command, **options):
    """subprocess.Popen of a child that the kernel kills when we are gone."""
    return subprocess.Popen(command, preexec_fn=_die_with_parent, **options)


def _probes():
    """Loaded BPF programs of ours: name -> the processes that hold it, as far as bpftool can tell."""
    run = subprocess.run(["bpftool", "--json", "prog", "list"], capture_output=True, text=True, check=False)
    return {program["name"]: [f"{holder['comm']} {holder['pid']}" for holder in program.get("pids", [])]
            for program in json.loads(run.stdout or "[]") if program.get("name", "").startswith("nz_")}


def refuse_other_observers(seconds=20):
    """Exits when another nearzero observes this host: it would be measured, too. The kernel frees the
    programs of a process that is gone a little later, so they get some time to go."""
    end = time.monotonic() + seconds
    while found := _probes():
        if time.monotonic() > end:
            holders = sorted({holder for holders in found.values() for holder in holders}) or ["no process"]
            sys.exit(f"another nearzero observes this host ({', '.join(sorted(found)[:3])}, ...; held by "
                     f"{', '.join(holders)}): end it, or it is measured, too")
        time.sleep(0.5)
