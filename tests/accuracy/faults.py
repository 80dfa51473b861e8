"""The faults: each draws its magnitude, prepares the service before it starts, begins and ends.

`expected` are the kinds of which one must be on top. Everything that a fault made is undone by end() and
undo(), which are called however the run goes, unless it is killed."""

import mmap
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import children

DEMO, ORDERMATCH = "demo", "ordermatch"
FAULTS = {}


def fault(cls):
    FAULTS[cls.name] = cls
    return cls


class Fault:
    name, expected, services = "", (), (DEMO,)

    def __init__(self, random, service):
        self.service, self.processes = service, []
        self.magnitude = self.draw(random)

    def draw(self, random):
        return None

    def prepare(self):
        """Before the service starts."""

    def measure(self):
        """Of the healthy service, before the onset."""

    def begin(self):
        raise NotImplementedError

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def undo(self):
        """After the service has ended."""

    def run(self, *command, **options):
        self.processes.append(children.start(list(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                             **options))


class DemoFault(Fault):
    """One that the demo itself switches on."""

    def prepare(self):
        self.service.faults.append(self.text())

    def begin(self):
        self.service.switch_faults(True)

    def end(self):
        self.service.switch_faults(False)


SPIN = "while :; do :; done"


@fault
class CpuHog(Fault):
    """Others compute on the core that the service is bound to."""

    name, expected, services = "cpu_hog", ("cpu_saturation",), (DEMO, ORDERMATCH)

    def draw(self, random):
        return random.randint(1, 3)

    def prepare(self):
        self.service.prefix += ["taskset", "-c", "0"]

    def begin(self):
        for _ in range(self.magnitude):
            self.run("taskset", "-c", "0", "sh", "-c", SPIN)


@fault
class NoisyNeighbour(Fault):
    """Others compute on all cores."""

    name, expected, services = "noisy_neighbour", ("noisy_neighbour",), (DEMO, ORDERMATCH)

    def draw(self, random):
        return random.randint(os.cpu_count(), 3 * os.cpu_count())

    def begin(self):
        for _ in range(self.magnitude):
            self.run("sh", "-c", SPIN)


def control_group(controller, knob):
    """A group of our own with this controller, and whether it is of version 1, which has `knob`; else 2."""
    root = f"/sys/fs/cgroup/{controller}"
    v1 = os.path.exists(f"{root}/{knob}")
    if not v1:
        root = "/sys/fs/cgroup"
        with open(f"{root}/cgroup.subtree_control", "w") as f:
            f.write(f"+{controller}")
    group = f"{root}/nearzero-accuracy-{os.getpid()}"
    os.makedirs(group, exist_ok=True)
    return group, v1


@fault
class CpuQuota(Fault):
    """The service's cgroup gets less CPU time than it uses."""

    name, expected, services = "cpu_quota", ("cpu_quota",), (DEMO, ORDERMATCH)

    def draw(self, random):
        return round(random.uniform(0.3, 0.8), 2)  # of what it uses

    def prepare(self):
        self.group, self.v1 = control_group("cpu", "cpu.cfs_quota_us")
        self.service.prefix += ["sh", "-c", f'echo $$ > {self.group}/cgroup.procs; exec "$@"', "sh"]

    def _used(self):
        with open(f"/proc/{self.service.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measure(self):
        before = self._used()
        time.sleep(2)
        self.cores = (self._used() - before) / 2

    def _write(self, quota):
        """Microseconds of each 100 ms; None: all."""
        with open(f"{self.group}/{'cpu.cfs_quota_us' if self.v1 else 'cpu.max'}", "w") as f:
            if self.v1:
                f.write(str(-1 if quota is None else quota))
            else:
                f.write(f"{'max' if quota is None else quota} 100000")

    def begin(self):
        self._write(max(1000, int(self.cores * self.magnitude * 100_000)))

    def end(self):
        self._write(None)

    def undo(self):
        os.rmdir(self.group)


@fault
class LockConvoy(DemoFault):
    name, expected = "lock_convoy", ("lock_contention",)

    def draw(self, random):
        return round(random.uniform(2, 6), 1)  # ms of every 10

    def text(self):
        return f"lock-convoy={self.magnitude}"


@fault
class SlowFsync(DemoFault):
    name, expected = "slow_fsync", ("slow_sync",)

    def draw(self, random):
        return round(random.uniform(3, 30), 1)  # ms each

    def prepare(self):
        super().prepare()
        self.service.rate = min(self.service.rate, 20)  # one writer at a time: 33/s at 30 ms
        self.service.arguments += ["--synchronous", "FULL"]

    def text(self):
        return f"slow-fsync={self.magnitude}"


@fault
class MissingIndex(DemoFault):
    """Its index is gone: a scan of 20,000 rows for each order."""

    name, expected = "missing_index", ("slow_statement",)

    def draw(self, random):
        return random.randint(50, 400)  # orders per second

    def prepare(self):
        super().prepare()
        self.service.rate = self.magnitude

    def text(self):
        return "missing-index"


@fault
class SecondWriter(Fault):
    """Another process holds the write lock of the database for a part of the time."""

    name, expected = "second_writer", ("sqlite_writer_contention",)

    def draw(self, random):
        return round(random.uniform(5, 30), 1)  # ms of every 50

    def begin(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self):
        connection = sqlite3.connect(self.service.database, timeout=5, isolation_level=None)
        held = self.magnitude / 1e3
        while not self.stop.is_set():
            try:
                connection.execute("BEGIN IMMEDIATE")
                time.sleep(held)
                connection.execute("COMMIT")
            except sqlite3.OperationalError:
                pass
            time.sleep(0.05 - held)
        connection.close()

    def end(self):
        self.stop.set()
        self.thread.join()


@fault
class PageFaults(DemoFault):
    """The service returns its memory after each order and faults it in again."""

    name, expected = "page_faults", ("page_faults",)

    def draw(self, random):
        return random.randint(600, 4000)  # KB per order

    def text(self):
        return f"page-faults={self.magnitude}"


@fault
class HostPageFaults(Fault):
    """Other processes fault pages in all the time."""

    name, expected, services = "host_page_faults", ("page_faults",), (ORDERMATCH,)

    def draw(self, random):
        return random.randint(2, 4)  # processes

    def begin(self):
        for _ in range(self.magnitude):
            self.run("python3", "-c",
                     "import mmap\n"
                     "while True:\n"
                     "    m = mmap.mmap(-1, 64 << 20)\n"
                     "    m.madvise(mmap.MADV_NOHUGEPAGE)\n"
                     "    m.madvise(23)\n"  # MADV_POPULATE_WRITE
                     "    for i in range(0, 64 << 20, 4096): m[i] = 1\n"
                     "    m.close()\n")


@fault
class DiskSaturated(Fault):
    """Others write at random to the disk of the database."""

    name, expected = "disk_saturated", ("disk_saturation",)

    def draw(self, random):
        return random.randint(8, 32)  # requests at a time

    def prepare(self):
        self.service.arguments += ["--synchronous", "FULL"]
        self.service.rate = min(self.service.rate, 100)

    def begin(self):
        self.stop = threading.Event()
        self.path = os.path.join(self.service.folder, "noise")
        with open(self.path, "wb") as f:
            f.truncate(256 << 20)
        self.file = os.open(self.path, os.O_RDWR | os.O_DIRECT)
        self.threads = [threading.Thread(target=self._write, args=(i,), daemon=True) for i in range(self.magnitude)]
        for thread in self.threads:
            thread.start()

    def _write(self, number):
        block = mmap.mmap(-1, 256 << 10)  # page-aligned, as O_DIRECT asks
        blocks, at = (256 << 20) // len(block), number
        while not self.stop.is_set():
            at = (at * 6364136223 + 1442695041) % blocks
            os.pwrite(self.file, block, at * len(block))

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        os.close(self.file)
        os.unlink(self.path)


@fault
class MemoryPressure(Fault):
    """The memory of the service's cgroup does not hold the reference data that its orders read."""

    name, expected = "memory_pressure", ("memory_pressure",)

    def draw(self, random):
        return round(random.uniform(0.5, 0.8), 2)  # of what it uses

    def prepare(self):
        self.group, self.v1 = control_group("memory", "memory.limit_in_bytes")
        self.service.prefix += ["sh", "-c", f'echo $$ > {self.group}/cgroup.procs; exec "$@"', "sh"]
        self.service.arguments += ["--reference-data", "256"]

    def _write(self, value):
        """Bytes; None: no limit."""
        with open(f"{self.group}/{'memory.limit_in_bytes' if self.v1 else 'memory.max'}", "w") as f:
            f.write(str(value) if value is not None else "-1" if self.v1 else "max")

    def begin(self):
        with open(f"{self.group}/{'memory.usage_in_bytes' if self.v1 else 'memory.current'}") as f:
            used = int(f.read())
        for _ in range(20):  # EBUSY until enough was reclaimed
            try:
                return self._write(int(used * self.magnitude))
            except OSError:
                time.sleep(0.1)

    def end(self):
        self._write(None)

    def undo(self):
        for _ in range(50):
            try:
                return os.rmdir(self.group)
            except OSError:
                time.sleep(0.1)


@fault
class PacketLoss(Fault):
    """Segments of the service's connections are dropped, in a network namespace of its own."""

    name, expected, services = "packet_loss", ("network_loss",), (DEMO, ORDERMATCH)

    def draw(self, random):
        return random.randint(2, 8)  # percent

    def prepare(self):
        self.namespace = f"nz-accuracy-{os.getpid()}"
        self.ip("netns", "add", self.namespace)
        self.ip("-n", self.namespace, "link", "set", "lo", "up")
        self.service.prefix = ["ip", "netns", "exec", self.namespace, *self.service.prefix]

    @staticmethod
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    def nft(self, text):
        subprocess.run(["ip", "netns", "exec", self.namespace, "nft", text], check=True)

    def begin(self):
        self.nft("add table ip loss")
        self.nft("add chain ip loss input { type filter hook input priority 0 ; }")
        self.nft(f"add rule ip loss input meta l4proto tcp numgen random mod 100 < {self.magnitude} drop")

    def end(self):
        self.nft("delete table ip loss")

    def undo(self):
        self.ip("netns", "delete", self.namespace)


@fault
class FdExhaustion(Fault):
    """No file descriptor is left."""

    name, expected, services = "fd_exhaustion", ("fd_exhaustion",), (DEMO, ORDERMATCH)

    def draw(self, random):
        return random.randint(0, 2)  # left

    def begin(self):
        self.before = resource.prlimit(self.service.pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{self.service.pid}/fd"))
        if used < 20:
            self.magnitude = 0  # one left of twelve is 92 %
        resource.prlimit(self.service.pid, resource.RLIMIT_NOFILE, (used + self.magnitude, self.before[1]))

    def end(self):
        resource.prlimit(self.service.pid, resource.RLIMIT_NOFILE, self.before)


@fault
class ForkStorm(Fault):
    name, expected, services = "fork_storm", ("fork_storm",), (DEMO, ORDERMATCH)

    def draw(self, random):
        return random.randint(1, 4)  # shells

    def begin(self):
        for _ in range(self.magnitude):
            self.run("sh", "-c", "while :; do /bin/true; done", start_new_session=True)

    def end(self):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
        super().end()


# Two that can be told apart: neither is the other's natural consequence.
PAIRS = [("lock_convoy", "missing_index"), ("lock_convoy", "packet_loss"), ("missing_index", "packet_loss"),
         ("missing_index", "fd_exhaustion"), ("lock_convoy", "fd_exhaustion"), ("page_faults", "lock_convoy"),
         ("second_writer", "missing_index"), ("second_writer", "packet_loss")]
