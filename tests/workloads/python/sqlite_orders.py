#!/usr/bin/python3
"""Inserts and selects orders through Python's sqlite3 and prints exact counts as one JSON line.

Run it with Debian's /usr/bin/python3: that one uses the shared libsqlite3, so this is a target
whose SQLite is a library and whose order path is not native code.

    /usr/bin/python3 sqlite_orders.py --count 1000
    /usr/bin/python3 sqlite_orders.py --wait --linger 2 --mode mixed
"""

import argparse
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=["insert", "select", "mixed"], default="mixed")
    parser.add_argument("--count", type=int, default=1000, help="operations of each kind")
    parser.add_argument("--db", help="default: in a temporary directory, removed at exit")
    parser.add_argument("--wait", action="store_true",
                        help='print "ready pid=N" to stderr and wait for SIGUSR2')
    parser.add_argument("--linger", type=float, default=0, help="seconds to stay alive afterwards")
    return parser.parse_args()


def run(args, path):
    # isolation_level=None: autocommit, so that Python adds no BEGIN and COMMIT of its own.
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute(
        "CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, symbol TEXT, quantity INTEGER)")
    connection.execute("INSERT OR IGNORE INTO orders VALUES(1, 'NZ', 100)")
    if args.wait:
        print(f"ready pid={os.getpid()}", file=sys.stderr, flush=True)
        signal.sigwait({signal.SIGUSR2})

    inserts = selects = rows = 0
    begin = time.monotonic_ns()
    for number in range(args.count):
        if args.mode != "select":
            connection.execute("INSERT INTO orders(symbol, quantity) VALUES(?, ?)", ("NZ", number))
            inserts += 1
        if args.mode != "insert":
            # fetchall() steps to the end: two sqlite3_step calls for the one row.
            rows += len(connection.execute("SELECT quantity FROM orders WHERE id = ?",
                                           (1,)).fetchall())
            selects += 1
    wall_ns = time.monotonic_ns() - begin
    connection.close()
    return {
        "program": "sqlite_orders.py", "mode": args.mode, "pid": os.getpid(),
        "sqlite": sqlite3.sqlite_version, "inserts": inserts, "selects": selects,
        "statements": inserts + selects, "rows": rows, "closes": 1, "wall_ns": wall_ns,
        "ns_per_op": wall_ns / max(1, inserts + selects)}


def main():
    args = parse()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    with tempfile.TemporaryDirectory(prefix="nz-python-") as directory:
        report = run(args, args.db or os.path.join(directory, "orders.db"))
    print(json.dumps(report), flush=True)
    time.sleep(args.linger)


if __name__ == "__main__":
    main()
