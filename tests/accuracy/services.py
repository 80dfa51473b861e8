"""The services that faults are injected into: the demo, and QuickFIX's ordermatch behind a FIX client.

Each is started under a prefix of commands (taskset, ip netns exec) that a fault asks for, with the load of
the run, and is stopped by pid."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import children


def _stop(process, how=signal.SIGTERM):
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _targets_of(path, old, pid):
    """The `targets:` of a shipped configuration, of one process in place of a name."""
    with open(path) as f:
        text = f.read()
    assert old in text, f"{path} has no {old}"
    return "targets:" + text.split("\ntargets:", 1)[1].replace(old, f"pid: {pid}")


def free_port():
    """A port of loopback where nobody listens now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Demo:
    """nz-demo; `faults`: those that SIGUSR1 switches on; `database`: where a fault wants it, else in `folder`."""

    name = "demo"

    def __init__(self, root, build, rate):
        self.root, self.program, self.rate = root, os.path.join(build, "tests/workloads/nz-demo"), rate
        self.prefix, self.arguments, self.faults, self.faulty, self.process = [], [], [], False, None
        self.folder, self.database = "", None

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="nearzero-accuracy.")
        self.database = self.database or os.path.join(self.folder, "orders.db")
        command = [*self.prefix, self.program, "--rate", str(self.rate), "--arrivals", "poisson", "--duration", "0",
                   "--no-truth", "--samples", "1000", "--truth", "/dev/null", "--db", self.database, *self.arguments]
        for fault in self.faults:
            command += ["--fault", fault]
        if self.faults:
            command.append("--fault-manual")
        self.process = children.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)  # the schema
        if self.process.poll() is not None:
            raise RuntimeError(f"the demo ended: {' '.join(command)}")
        self.pid = self.process.pid

    def switch_faults(self, on):
        """All of them at once: one signal toggles what was configured."""
        if on != self.faulty:
            self.process.send_signal(signal.SIGUSR1)
        self.faulty = on

    def targets(self):
        text = _targets_of(os.path.join(self.root, "configs/demo.yaml"), "comm: nz-demo", self.pid)
        return text.replace("    sqlite: true\n", "    sqlite: {enabled: true, explain: true}\n")

    def stop(self):
        _stop(self.process, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Ordermatch:
    """QuickFIX's example order matcher, whose code nobody here wrote."""

    name = "ordermatch"

    def __init__(self, root, build, rate):
        self.root, self.folder_of_programs, self.rate = root, os.path.join(build, "tests/workloads"), rate
        self.prefix, self.process, self.client, self.folder = [], None, None, ""

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="nearzero-accuracy.")
        self.port = free_port()
        client = os.path.join(self.folder_of_programs, "nz-fix-client")
        settings = os.path.join(self.folder, "ordermatch.cfg")
        subprocess.run([client, "--write-config", settings, "--port", str(self.port)], check=True)
        # It reads commands from its input, and spins where that has ended.
        self.process = children.start([*self.prefix, os.path.join(self.folder_of_programs, "nz-ordermatch"), settings],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        if self.process.poll() is not None:
            raise RuntimeError("nz-ordermatch ended")
        namespace = self.prefix[:4] if self.prefix[:2] == ["ip", "netns"] else []
        self.client = children.start([*namespace, client, "--port", str(self.port), "--rate", str(self.rate), "--count",
                                      "100000000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def targets(self):
        return _targets_of(os.path.join(self.root, "configs/quickfix.yaml"), "comm: nz-ordermatch", self.pid)

    def stop(self):
        _stop(self.client, signal.SIGKILL)
        _stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)
