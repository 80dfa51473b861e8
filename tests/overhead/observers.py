"""What watches a workload: nobody, nearzero, or a peer. Each is started against the process id of a
workload that stands still, and is stopped by its own process id."""

import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

import children


def loaded_programs():
    out = subprocess.run(["bpftool", "prog", "show", "--json"], capture_output=True, text=True)
    return {p["id"] for p in json.loads(out.stdout or "[]")}


class Nobody:
    def start(self, pid):
        pass

    def stop(self):
        return {}


class Nearzero:
    """The agent with one target and the given YAML for it."""

    # The duty cycle and the breaker would end a benchmark of millions of hits a second, as they should elsewhere.
    UNBOUND = "overhead: {duty_cycle: false, per_target: 1.0, breaker_factor: 1000, calibrate: false}\n"

    def __init__(self, agent, target_yaml, host=True, overhead=UNBOUND):
        self.agent, self.target_yaml, self.host, self.overhead = agent, target_yaml, host, overhead
        self.bystander = None
        self.tls, self.headers = None, {}

    def open_with(self, certificate, token):
        """Where the YAML asks for TLS and a token: what opens it."""
        self.tls = ssl.create_default_context(cafile=certificate)
        self.headers = {"Authorization": f"Bearer {token}"}

    def start(self, pid):
        self.folder = tempfile.TemporaryDirectory(prefix="nearzero-bench.")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        path = os.path.join(self.folder.name, "nearzero.yaml")
        with open(path, "w") as f:
            f.write(f"listen: 127.0.0.1:{self.port}\nruntime_dir: {self.folder.name}/run\n"
                    f"history: {{path: {self.folder.name}/history.db}}\n"
                    f"host: {'true' if self.host else 'false'}\n"
                    f"{self.overhead}")
            yaml = self.target_yaml.replace("@PID@", str(pid))
            if "@OTHER@" in yaml:
                self.bystander = children.start(["sleep", "600"])
                yaml = yaml.replace("@OTHER@", str(self.bystander.pid))
            f.write(yaml)
        self.process = children.start([self.agent, "agent", "--config", path],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(400):
            if self.process.poll() is not None:
                raise RuntimeError("the agent ended: " + self.process.stderr.read())
            try:
                self._open("/readyz", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError("the agent did not become ready")
        if lost := self.not_attached():
            raise RuntimeError(f"not attached: {lost[0]}")

    def not_attached(self):
        """The rows of /healthz, as of the last drain, of what the agent does not observe."""
        return [probe for probe in json.loads(self.get("/healthz"))["probes"] if not probe["attached"]]

    def _open(self, path, timeout):
        url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"
        return urllib.request.urlopen(urllib.request.Request(url, headers=self.headers), timeout=timeout, context=self.tls)

    def get(self, path):
        try:
            return self._open(path, timeout=5).read()
        except urllib.error.HTTPError as e:
            return e.read()

    def cpu_seconds(self):
        """In nanoseconds' resolution: the agent runs for less than a tick a second. The process' own
        clock (CPUCLOCK_SCHED of its pid, as clock_getcpuclockid makes it): threads that have ended
        are in it."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def values(self):
        """Every counter and gauge, by family, summed over labels."""
        sums = {}
        for family, samples in json.loads(self.get("/live.json")).items():
            numbers = [s["value"] for s in samples if "value" in s]
            if numbers:
                sums[family] = sum(numbers)
        return sums

    def stop(self):
        figures = {"cpu_seconds": self.cpu_seconds(), "values": self.values()}
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.folder.cleanup()
        if self.bystander:
            self.bystander.kill()
            self.bystander.wait()
        return figures


class Recorder:
    """A command that loads no program of its own, such as `perf record`."""

    def __init__(self, *command):
        self.command = command

    def start(self, pid):
        self.process = children.start([c.replace("@PID@", str(pid)) for c in self.command],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended: {self.process.stderr.read()[-500:]}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return {}


class Peer:
    """A command of another tool; @PID@ stands for the workload's process, @OTHER@ for a bystander's."""

    def __init__(self, *command):
        self.command = command

    def start(self, pid):
        before = loaded_programs()
        self.bystander = children.start(["sleep", "600"])
        command = [c.replace("@PID@", str(pid)).replace("@OTHER@", str(self.bystander.pid)) for c in self.command]
        self.process = children.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(300):
            if self.process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {self.process.stderr.read()[-500:]}")
            if loaded_programs() - before:
                break
            time.sleep(0.05)
        time.sleep(0.7)  # from the first program loaded to the last one attached

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.bystander.kill()
        self.bystander.wait()
        return {}
