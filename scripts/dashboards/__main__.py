#!/usr/bin/env python3
"""Writes configs/grafana/*.json from the Python files beside this one.

    python3 scripts/dashboards            write them
    python3 scripts/dashboards --check    exit 1 when one of them is not what would be written

The JSON is what users import; a change is made here, so that the same query stands in one place.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import host
import itself
import order_path
import overview
import scheduler
import sqlite

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "grafana"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    for module in (overview, order_path, sqlite, scheduler, host, itself):
        dashboard = module.make()
        path = FOLDER / (dashboard["uid"].removeprefix("nearzero-") + ".json")
        text = json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"
        if check and (not path.exists() or path.read_text() != text):
            stale.append(path.name)
        elif not check:
            path.write_text(text)
    if stale:
        print(f"{', '.join(stale)}: not what scripts/dashboards makes; run it", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
