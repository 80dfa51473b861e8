"""scripts/bench cli: from Enter to attached, and from Ctrl-C to gone, `nearzero trace` beside bpftrace.

Rounds interleave the tools; figures are medians, in seconds. Attached: nearzero says "Tracing" on standard
error once its last link stands; bpftrace runs BEGIN then. The large binary is the largest file with
symbols that this machine has (--large names another)."""

import argparse
import os
import signal
import subprocess
import sys
import time

import children
from stats import median


def timed(command, marker, stream):
    """(seconds to the marker, seconds from SIGINT to the end)."""
    begun = time.monotonic()
    process = children.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pipe = getattr(process, stream)
    text = b""
    while marker not in text:
        chunk = pipe.read1(4096)
        if not chunk:
            raise RuntimeError(f"{command}: ended: {text.decode()}")
        text += chunk
    attached = time.monotonic() - begun
    time.sleep(0.5)
    stopped = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return attached, time.monotonic() - stopped


def nearzero(agent, *arguments):
    return lambda: timed([agent, "trace", "--yes", *arguments], b"Tracing", "stderr")


def bpftrace(program):
    return lambda: timed(["bpftrace", "-e", 'BEGIN { printf("attached\\n"); } ' + program], b"attached\n", "stdout")


def largest_with_symbols():
    best = (0, None)
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/bin", "/usr/lib/llvm-14/lib"):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    if f.read(4) == b"\x7fELF":
                        best = max(best, (os.path.getsize(path), path))
    return best[1]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench cli", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="examples:\n  scripts/bench cli\n  scripts/bench cli --rounds 9")
    parser.add_argument("--build", default="build/release", help="folder of the release build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", help="binary for the symbol glob")
    parser.add_argument("--glob", default="*Error*Message*", help="pattern of functions there")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench needs root")
    agent = os.path.abspath(os.path.join(options.build, "nearzero"))
    large = options.large or largest_with_symbols()
    megabytes = os.path.getsize(large) / 1e6
    sqlite = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"
    cases = {
        "runq": {"nearzero": nearzero(agent, "runq"),
                 "bpftrace": bpftrace("tracepoint:sched:sched_wakeup { @q[args->pid] = nsecs; } "
                                      "tracepoint:sched:sched_switch { @ = hist(nsecs - @q[args->next_pid]); }")},
        "sqlite": {"nearzero": nearzero(agent, "sqlite"),
                   "bpftrace": bpftrace(f"uprobe:{sqlite}:sqlite3_step {{ @s[tid] = nsecs; }} "
                                        f"uretprobe:{sqlite}:sqlite3_step {{ @ = hist(nsecs - @s[tid]); }}")},
        f"glob {options.glob} in {os.path.basename(large)}, {megabytes:.0f} MB":
            {"nearzero": nearzero(agent, f"func:{large}:{options.glob}"),
             "bpftrace": bpftrace(f"uprobe:{large}:{options.glob} {{ @[probe] = count(); }}")},
        "100 functions of libc": {"nearzero": nearzero(agent, "func:libc.so.6:*mem*", "func:libc.so.6:*str*"),
                                  "bpftrace": bpftrace("uprobe:/lib/x86_64-linux-gnu/libc.so.6:*mem* { @ = count(); } "
                                                       "uprobe:/lib/x86_64-linux-gnu/libc.so.6:*str* { @ = count(); }")},
    }
    print("| case | tool | attached after, s | gone after, s |\n|---|---|---:|---:|")
    for case, tools in cases.items():
        results = {tool: [] for tool in tools}
        for r in range(options.rounds):
            for tool in list(tools)[:: 1 if r % 2 == 0 else -1]:
                try:
                    results[tool].append(tools[tool]())
                except RuntimeError as e:
                    print(f"{case}, {tool}: {e}", file=sys.stderr)
        for tool, values in results.items():
            if values:
                print(f"| {case} | {tool} | {median([a for a, _ in values]):.2f} | {median([g for _, g in values]):.2f} |",
                      flush=True)
            else:
                print(f"| {case} | {tool} | did not attach | |", flush=True)


if __name__ == "__main__":
    main()
