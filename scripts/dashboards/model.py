"""The parts of a Grafana dashboard (schema of Grafana 9 and later), with nearzero's habits.

Every panel has a unit and a description. Nothing names a data source, a host or a target: they are
variables, so that the same file can be imported anywhere.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SECONDS, RATIO, PER_SECOND, COUNT = "s", "percentunit", "ops", "short"
BYTES, BYTES_PER_SECOND, CORES = "bytes", "Bps", "none"

# Green until the first limit; a panel without limits stays uncoloured.
COLORS = ("yellow", "red")


def query(expr, legend="", instant=False):
    """One query of a panel; legend: `{{label}}` patterns."""
    return {"expr": expr, "legend": legend, "instant": instant}


class Row:
    def __init__(self, title):
        self.title = title


class Panel:
    """kind: timeseries, stat, table or heatmap. limits: where it turns yellow, then red."""

    def __init__(self, title, unit, description, *queries, kind="timeseries", width=12, height=8,
                 limits=(), stack=False, lowest=0, highest=None):
        self.title, self.unit, self.description, self.queries = title, unit, description, queries
        self.kind, self.width, self.height = kind, width, height
        self.limits, self.stack, self.lowest, self.highest = limits, stack, lowest, highest

    def targets(self):
        out = []
        for letter, q in zip("ABCDEFGH", self.queries):
            out.append({
                "datasource": DATASOURCE,
                "refId": letter,
                "expr": q["expr"],
                "legendFormat": q["legend"] or "__auto",
                "range": not q["instant"],
                "instant": q["instant"],
                "format": {"table": "table", "heatmap": "heatmap"}.get(self.kind, "time_series"),
            })
        return out

    def field_config(self):
        steps = [{"color": "green" if self.limits else "text", "value": None}]
        steps += [{"color": c, "value": v} for c, v in zip(COLORS, self.limits)]
        defaults = {
            "unit": self.unit,
            "color": {"mode": "thresholds" if self.kind == "stat" else "palette-classic"},
            "thresholds": {"mode": "absolute", "steps": steps},
        }
        if self.lowest is not None:
            defaults["min"] = self.lowest
        if self.highest is not None:
            defaults["max"] = self.highest
        if self.kind == "timeseries":
            defaults["custom"] = {
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": 40 if self.stack else 0,
                "showPoints": "never",
                "spanNulls": False,
                "stacking": {"mode": "normal" if self.stack else "none", "group": "A"},
                "thresholdsStyle": {"mode": "dashed" if self.limits else "off"},
            }
        return {"defaults": defaults, "overrides": []}

    def options(self):
        if self.kind == "timeseries":
            return {
                "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True,
                           "calcs": ["lastNotNull", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        if self.kind == "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                    "colorMode": "value", "graphMode": "area", "textMode": "auto"}
        if self.kind == "heatmap":
            return {"calculate": False, "yAxis": {"unit": self.unit}, "cellGap": 0,
                    "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
                    "filterValues": {"le": 1e-9}, "tooltip": {"show": True, "yHistogram": True}}
        return {"showHeader": True, "cellHeight": "sm"}

    def json(self, number, x, y):
        out = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": self.targets(),
            "fieldConfig": self.field_config(),
            "options": self.options(),
        }
        if self.kind == "table":
            # One row a series, without the columns that say nothing.
            out["transformations"] = [
                {"id": "merge", "options": {}},
                {"id": "organize", "options": {"excludeByName": {"Time": True}}},
            ]
        return out


def variable(name, label, family, of, where="", multi=True):
    """A choice among the values of label `of` that `family` has."""
    definition = f"label_values({family}{{{where}}}, {of})" if where else f"label_values({family}, {of})"
    return {
        "type": "query", "name": name, "label": label, "datasource": DATASOURCE,
        "definition": definition, "query": {"query": definition, "refId": f"variable-{name}"},
        "refresh": 2, "sort": 1, "multi": multi, "includeAll": multi,
        "allValue": None,  # "All" is the list of values: of targets, without the scheduler's `host`
        "current": {"text": "All", "value": "$__all"} if multi else {}, "options": [], "hide": 0,
    }


INSTANCE_VARIABLE = variable("instance", "Agent", "nearzero_build_info", "instance")
TARGET_VARIABLE = variable("target", "Target", "nearzero_target_processes", "target",
                           'instance=~"$instance"')


def dashboard(uid, title, description, items, variables=(INSTANCE_VARIABLE, TARGET_VARIABLE)):
    """Panels flow from left to right; a Row begins a new line with its title."""
    panels, x, y, tallest = [], 0, 0, 0
    for number, item in enumerate(items, start=1):
        wide = 24 if isinstance(item, Row) else item.width
        if x + wide > 24 or isinstance(item, Row):
            x, y, tallest = 0, y + tallest, 0
        if isinstance(item, Row):
            panels.append({"id": number, "type": "row", "title": item.title, "collapsed": False,
                           "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []})
            y += 1
            continue
        panels.append(item.json(number, x, y))
        x, tallest = x + wide, max(tallest, item.height)
    datasource = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus",
                  "refresh": 1, "current": {}, "options": [], "hide": 0, "regex": "", "multi": False,
                  "includeAll": False}
    return {
        "uid": uid,
        "title": f"nearzero / {title}",
        "description": description,
        "tags": ["nearzero"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,  # one crosshair over all panels
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "",
        "links": [{"type": "dashboards", "title": "nearzero", "tags": ["nearzero"], "asDropdown": True,
                   "includeVars": True, "keepTime": True, "icon": "external link", "targetBlank": False,
                   "tooltip": "", "url": ""}],
        "annotations": {"list": []},
        "templating": {"list": [datasource, *variables]},
        "panels": panels,
    }
