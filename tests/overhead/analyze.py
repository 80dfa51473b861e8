"""scripts/bench analyze: how long `nearzero analyze` takes for a large file, and how much memory.

Writes a file of --rows points each 10 s (a daily season, noise, a step in the middle), runs each of the three analyses on it,
and prints wall time, CPU time and the largest resident size of each."""

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def write(path, rows):
    generator = random.Random(1)
    day = [100 + 10 * math.sin(2 * math.pi * i / 8640) for i in range(8640)]
    with open(path, "w") as f:
        f.write("timestamp,value\n")
        for begin in range(0, rows, 100000):
            f.write("".join(f"{1700000000 + 10 * i},{day[i % 8640] * (1.3 if i > rows // 2 else 1) + generator.gauss(0, 5):.3f}\n"
                            for i in range(begin, min(begin + 100000, rows))))


def measure(command):
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench analyze", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--nearzero", default=os.path.join(ROOT, "build", "release", "nearzero"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nearzero-bench.") as folder:
        path = os.path.join(folder, "series.csv")
        write(path, options.rows)
        size = os.path.getsize(path)
        print(f"{options.rows:,} rows, {size / 1e6:.0f} MB\n")
        print("| analysis | wall s | CPU s | largest resident MB |\n|---|---:|---:|---:|")
        for what in ("anomalies", "changes", "trend"):
            wall, cpu, resident = measure([options.nearzero, "analyze", what, path, "-f", "json"])
            print(f"| {what} | {wall:.1f} | {cpu:.1f} | {resident:.0f} |", flush=True)


if __name__ == "__main__":
    main()
