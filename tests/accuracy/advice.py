"""scripts/bench advice: does what the agent recommends gain what it claimed?

The demo loses the index of its risk limits. The agent names the statement, what it costs (impact) and the
index that is missing; that CREATE INDEX, taken out of the recommendation, is run as it stands. The gain is
how much shorter the mean order then is, from the stage's own sum and count; gain / impact must be within a
factor of 1.5."""

import argparse
import json
import os
import random
import re
import sqlite3
import sys
import time

from matrix import ROOT, Run

FACTOR = 1.5
INDEX = re.compile(r"CREATE INDEX (?!ON )\S+ ON [^;]*?\)")  # not the advice to make some index
WINDOW = 15  # seconds over which the mean order is taken


class Advice(Run):
    def order(self):
        """Sum in seconds and count of the whole order so far."""
        text = self.agent.get("/metrics").decode()
        value = lambda kind: float(re.search(
            r'^nearzero_order_stage_duration_seconds_%s\{[^}]*stage="order"[^}]*\} (\S+)' % kind, text, re.M)[1])
        return value("sum"), value("count")

    def mean_order(self):
        begun = self.order()
        time.sleep(WINDOW)
        ended = self.order()
        return (ended[0] - begun[0]) / (ended[1] - begun[1])

    def detect(self, onset):
        finding = None
        while time.monotonic() - onset < 60 and finding is None:
            for f in self.findings():
                if f["kind"] == "slow_statement" and INDEX.search(f["recommendation"]):
                    finding = f
            time.sleep(0.5)
        if finding is None:
            return {"right": False, "why": "no index was recommended", "found": self.findings()}
        # The window that the impact is of must lie in the fault as a whole.
        while time.monotonic() - onset < 45:
            for f in self.findings():
                finding = f if f["id"] == finding["id"] else finding
            time.sleep(0.5)
        before = self.mean_order()
        statement = INDEX.search(finding["recommendation"])[0]
        database = sqlite3.connect(self.service.database, timeout=10, isolation_level=None)
        database.execute(statement)
        database.close()
        time.sleep(2)
        after = self.mean_order()
        gain = 1 - after / before
        ratio = gain / finding["impact"] if finding["impact"] > 0 else 0
        return {"right": 1 / FACTOR <= ratio <= FACTOR, "statement": statement, "claimed": round(finding["impact"], 3),
                "before_us": round(before * 1e6, 1), "after_us": round(after * 1e6, 1), "gain": round(gain, 3),
                "ratio": round(ratio, 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, right = random.Random(options.seed), 0
    for i in range(options.runs):
        row = {"run": i, "seed": rng.randrange(1 << 30), "service": "demo", "faults": ("missing_index",)}
        result = Advice(row, options.build, settle=32).run()
        right += result["right"]
        print(json.dumps({k: v for k, v in result.items() if k not in ("faults", "service")}), flush=True)
    print(f"{right} of {options.runs} within a factor of {FACTOR}")
    sys.exit(0 if right == options.runs else 1)


if __name__ == "__main__":
    main()
