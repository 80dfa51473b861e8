#!/usr/bin/env python3
"""Draws a dashboard as SVG from a running Prometheus, for the documentation: no Grafana needed.

    python3 scripts/dashboards/preview.py URL configs/grafana/overview.json MINUTES >docs/overview.svg

Timeseries and stats only; a panel without data says so. Variables are "All".
"""

import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request
from html import escape

CELL_W, CELL_H, PAD = 50, 30, 6  # one unit of the grid, in pixels
COLORS = ("#3274d9", "#e0752d", "#56a64b", "#8f3bb8", "#e02f44", "#f2cc0c", "#37872d", "#806eb7")
PREFIXES = ((1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def get(url, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=20) as answer:
        return json.load(answer)["data"]


def with_variables(url, dashboard):
    """Each variable of the dashboard as the list of all its values, which is what "All" means."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            family, label = re.match(r"label_values\((\w+).*, (\w+)\)$", variable["definition"]).groups()
            values = "|".join(get(url, f"label/{label}/values", **{"match[]": family}))
            for panel in dashboard["panels"]:
                for target in panel.get("targets", []):
                    target["expr"] = target["expr"].replace("$" + variable["name"], f"({values})")
    return dashboard


def ask(url, expr, start, end, step):
    expr = expr.replace("$__rate_interval", "15s")
    return get(url, "query_range", query=expr, start=start, end=end, step=step)["result"]


def human(value, unit):
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and 0 < abs(value) < 1:
        for factor, prefix in PREFIXES:
            if abs(value) >= factor:
                return f"{value / factor:.3g} {prefix}s"
    if unit in ("bytes", "Bps") and abs(value) >= 1e6:
        return f"{value / 1e6:.3g} M{unit[0].upper()}"
    return f"{value:.3g}" + {"s": " s", "ops": "/s", "Bps": " B/s", "bytes": " B"}.get(unit, "")


def legend(pattern, labels):
    if pattern == "__auto":
        return ""
    return re.sub(r"\{\{(\w+)\}\}", lambda m: labels.get(m.group(1), ""), pattern)[:46]


def series_of(panel, url, span):
    found = []
    for target in panel["targets"]:
        for s in ask(url, target["expr"], *span):
            points = [(t, float(v)) for t, v in s.get("values", []) if math.isfinite(float(v))]
            if points:
                found.append((legend(target["legendFormat"], s["metric"]), points))
    return sorted(found, key=lambda s: -s[1][-1][1])[:len(COLORS)]


def draw_lines(found, unit, box, span):
    x, y, w, h = box
    rows = min(len(found), 5)
    w_plot, h_plot = w - 66, h - 20 - 13 * rows
    top = max(v for _, points in found for _, v in points) * 1.05 or 1
    out = []
    for k in range(3):
        at = y + h_plot - h_plot * k / 2
        out.append(f'<line x1="{x + 60}" x2="{x + w}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
                   f'<text x="{x + 56}" y="{at + 4:.1f}" text-anchor="end">{human(top * k / 2, unit)}</text>')
    for i, (name, points) in enumerate(found):
        path = " ".join(f"{x + 60 + w_plot * (t - span[0]) / (span[1] - span[0]):.1f},"
                        f"{y + h_plot - h_plot * max(v, 0) / top:.1f}" for t, v in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLORS[i]}" stroke-width="1.4"/>')
        if i < rows:
            at = y + h_plot + 18 + 13 * i
            out.append(f'<rect x="{x + 60}" y="{at - 8}" width="10" height="4" fill="{COLORS[i]}"/>'
                       f'<text x="{x + 74}" y="{at}">{escape(name)}: {human(points[-1][1], unit)}</text>')
    return out


def draw(panel, url, span):
    at = panel["gridPos"]
    x, y, w, h = at["x"] * CELL_W, at["y"] * CELL_H, at["w"] * CELL_W, at["h"] * CELL_H
    if panel["type"] == "row":
        return [f'<text x="{x + PAD}" y="{y + 20}" class="row">{escape(panel["title"])}</text>']
    out = [f'<rect x="{x + 2}" y="{y + 2}" width="{w - 4}" height="{h - 4}" fill="#fff" stroke="#ccc"/>',
           f'<text x="{x + PAD}" y="{y + 17}" class="title">{escape(panel["title"])}</text>']
    unit = panel["fieldConfig"]["defaults"]["unit"]
    found = series_of(panel, url, span) if panel["type"] in ("timeseries", "stat") else []
    if not found:
        return out + [f'<text x="{x + w / 2}" y="{y + h / 2 + 8}" text-anchor="middle">no data</text>']
    if panel["type"] == "stat":
        return out + [f'<text x="{x + w / 2}" y="{y + h / 2 + 18}" text-anchor="middle" class="stat">'
                      f'{human(found[0][1][-1][1], unit)}</text>']
    return out + draw_lines(found, unit, (x + PAD, y + 26, w - 3 * PAD, h - 34), span)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    url, file, minutes = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with open(file, encoding="utf-8") as f:
        dashboard = with_variables(url, json.load(f))
    end = time.time()
    span = (end - minutes * 60, end, max(1, round(minutes)))
    height = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in dashboard["panels"]) * CELL_H
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * CELL_W} {height}" font-size="11" '
          'font-family="sans-serif" fill="#333"><style>.title{font-weight:bold}.row{font-size:15px}'
          '.stat{font-size:30px;fill:#37872d}</style>'
          f'<rect width="{24 * CELL_W}" height="{height}" fill="#f4f5f5"/>')
    for panel in dashboard["panels"]:
        print("\n".join(draw(panel, url, span)))
    print("</svg>")
    return 0


if __name__ == "__main__":
    sys.exit(main())
