"""Faults for the kinds that the matrix does not draw: each is run once by `scripts/bench faults --further`.

Not in the matrix, because what they need (mounts, loop devices, a fixed rate) or what they take leaves little
to draw at random, and because its seeds shall draw what they drew. `cpu_steal` has none: a guest cannot take
time from itself in the hypervisor's name."""

import contextlib
import os
import signal
import socket
import sqlite3
import threading
import time

from faults import DemoFault, Fault
from services import free_port
from storage import FileSystems, fill

FURTHER = {}


def further(cls):
    FURTHER[cls.name] = cls
    return cls


@further
class OwnCode(DemoFault):
    """One function of the service does several times its work."""

    name, expected = "own_code", ("own_code",)

    def draw(self, random):
        return random.randint(4, 6)  # times

    def text(self):
        return f"slow-signal={self.magnitude}"


@further
class CheckpointStall(DemoFault):
    """Every few commits copy the WAL into the database, and sync it."""

    name, expected = "checkpoint_stall", ("checkpoint_stall",)

    def draw(self, random):
        return random.randint(8, 16)  # pages of WAL

    def prepare(self):
        super().prepare()
        self.service.rate = 300  # before: a checkpoint each few seconds; then, what one thread does
        # With a second worker, it would wait for the lock while the first one syncs the WAL's new header.
        self.service.arguments += ["--threads", "1"]

    def text(self):
        return f"small-checkpoints={self.magnitude}"


@further
class WalGrowth(Fault):
    """Another process keeps a read transaction open: no checkpoint gets past its snapshot."""

    name, expected = "wal_growth", ("wal_growth",)

    def draw(self, random):
        return random.randint(1000, 1500)  # orders per second, of a page of 4 KiB each: 64 MiB in 11 to 17 s

    def prepare(self):
        self.service.rate = self.magnitude
        self.reader = None

    def begin(self):
        self.reader = sqlite3.connect(self.service.database, timeout=5, isolation_level=None)
        self.reader.execute("BEGIN")
        self.reader.execute("SELECT count(*) FROM risk_limits").fetchall()

    def end(self):
        if self.reader is not None:
            self.reader.close()


@further
class LongTransaction(DemoFault):
    """A thread of the service works on the first row of a SELECT for seconds."""

    name, expected = "long_transaction", ("long_transaction",)

    def draw(self, random):
        return round(random.uniform(9, 12), 1)  # s: it is seen from the next checkpoint on, once a second

    def text(self):
        return f"open-cursor={self.magnitude}"


@further
class SqliteOpens(DemoFault):
    """A connection is opened for each order, and closed."""

    name, expected = "sqlite_opens", ("sqlite_opens",)

    def prepare(self):
        super().prepare()
        self.service.rate = 150  # the memory of more connections is a storm of page faults, too

    def text(self):
        return "open-per-order"


@further
class FilesystemFull(Fault):
    """Somebody's file takes nearly all space of the database's file system. It is a tmpfs, which is told like a
    disk's: one on a loop device is taken for an image, full by nature (analysis/bottlenecks/filesystem_full.cpp)."""

    name, expected = "filesystem_full", ("filesystem_full",)

    def draw(self, random):
        return round(random.uniform(0.955, 0.975), 3)  # of its space

    def prepare(self):
        self.made = FileSystems()
        self.folder = self.made.tmpfs(128 << 20)
        self.service.database = os.path.join(self.folder, "orders.db")

    def begin(self):
        fill(os.path.join(self.folder, "other"), self.magnitude)

    def end(self):
        os.unlink(os.path.join(self.folder, "other"))

    def undo(self):
        self.made.close()


@further
class DiskErrors(Fault):
    """The database's disk fails writes: a loop device whose sparse file lies in a file system that is full."""

    name, expected = "disk_errors", ("disk_errors",)

    def prepare(self):
        self.made = FileSystems()
        # Below /run nobody asks whether a tmpfs is full: that would be a finding of its own.
        self.below = self.made.tmpfs(64 << 20, parent="/run")
        folder = self.made.ext4_in(os.path.join(self.below, "disk"), 256 << 20)
        self.service.database = os.path.join(folder, "orders.db")
        # Each commit asks the disk; two workers would wait for each other while one syncs.
        self.service.arguments += ["--synchronous", "FULL", "--threads", "1"]
        self.service.rate = max(self.service.rate, 300)  # soon beyond the blocks that it has

    def begin(self):
        fill(os.path.join(self.below, "other"))

    def end(self):
        os.unlink(os.path.join(self.below, "other"))

    def undo(self):
        self.made.close()


@further
class ListenOverflow(DemoFault):
    """The service no longer accepts at a port where others connect all the time."""

    name, expected = "listen_overflow", ("listen_overflow",)
    PATIENCE = 0.5  # seconds: below the 1 s after which a SYN is sent again

    def draw(self, random):
        return random.randint(20, 60)  # connections per second

    def prepare(self):
        super().prepare()
        self.port = free_port()
        self.service.arguments += ["--status-port", str(self.port)]
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._connect, daemon=True)
        self.thread.start()

    def text(self):
        return "stop-accepting"

    def _connect(self):
        clients = []
        while not self.stop.wait(1 / self.magnitude):
            client = socket.socket()
            client.setblocking(False)
            with contextlib.suppress(OSError):  # in progress; or the service is not there yet
                client.connect(("127.0.0.1", self.port))
            clients.append((time.monotonic(), client))
            while time.monotonic() - clients[0][0] > self.PATIENCE:
                clients.pop(0)[1].close()
        for _, client in clients:
            client.close()

    def undo(self):
        self.stop.set()
        self.thread.join()


@further
class SlowDependency(Fault):
    """The credit service that each risk check asks answers late."""

    name, expected = "slow_dependency", ("slow_dependency",)

    def draw(self, random):
        return round(random.uniform(3, 10), 1)  # ms

    def prepare(self):
        self.service.rate = 150  # two workers wait for one answer each: 200/s at 10 ms
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "credit.py")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.service.arguments += ["--credit-port", str(listener.getsockname()[1])]
            self.run("python3", program, str(listener.fileno()), str(self.magnitude), pass_fds=[listener.fileno()])

    def _toggle(self):
        self.processes[0].send_signal(signal.SIGUSR1)

    def begin(self):
        self._toggle()

    def end(self):
        self._toggle()

    def undo(self):
        super().end()
