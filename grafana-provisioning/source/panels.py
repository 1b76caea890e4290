"""The building blocks of dashboards. A panel has a title, a description of what it shows and what is normal, a unit and queries.

Queries read recorded series, for which the path of the metrics is already chosen. Only panels with exemplars read raw
buckets, as scraped, because recorded series carry no exemplars.
"""

import json
import re
from urllib.parse import quote

PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
LOKI = {"type": "loki", "uid": "loki"}
JAEGER = {"type": "jaeger", "uid": "jaeger"}

EVALUATION_SECONDS = 15  # prometheus.yml's evaluation_interval

ENVIRONMENT = 'environment=~"$environment"'
LOGS = '{service_name="jarvis-api", deployment_environment_name=~"$environment"}'

# Blue, orange and red can be distinguished by colour-blind people; a value or a word always accompanies them.
GOOD, WARN, BAD, PLAIN = "blue", "orange", "red", "text"


def prom(expr, legend="", **more):
    """A query over the time range; `instant=True` for the value at its end."""
    instant = more.pop("instant", False)
    return {
        "datasource": PROMETHEUS,
        "expr": expr,
        "legendFormat": legend,
        "range": not instant,
        "instant": instant,
        **more,
    }


def exemplars(expr, legend="", **more):
    return prom(expr, legend, exemplar=True, **more)


def lines(expr):
    return {"datasource": LOKI, "expr": expr, "queryType": "range", "maxLines": 200}


# --- links


def explore(title, datasource, query):
    """A link to Explore with the panel's time range; Grafana fills in ${…} in the query."""
    pane = {
        "datasource": datasource["uid"],
        "queries": [{"refId": "A", "datasource": datasource, **query}],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    encoded = quote(json.dumps({"a": pane}, separators=(",", ":")), safe="")
    # Grafana does not recognise encoded variables
    encoded = re.sub(r"%24%7B([\w.]+)%7D", r"${\1}", encoded)
    return {"title": title, "url": f"/explore?schemaVersion=1&orgId=1&panes={encoded}", "targetBlank": False}


def to_logs(filter_=""):
    """The log lines of the same time range."""
    expr = f'{{service_name="jarvis-api"}}{" | " + filter_ if filter_ else ""}'
    return explore("Logs of this window", LOKI, {"expr": expr, "queryType": "range"})


def to_traces(operation="${__field.labels.span_name}"):
    return explore("Traces of this window", JAEGER, {"queryType": "search", "service": "jarvis-api", "operation": operation})


# --- fields


def steps(*pairs):
    """(from, colour) pairs; the first one begins at minus infinity."""
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": value if i else None} for i, (value, colour) in enumerate(pairs)],
    }


def states(**words):
    """Shows a word for each value: states(DOWN=0, up=1)."""
    colours = {"DOWN": BAD, "up": GOOD}
    options = {str(v): {"text": word, "color": colours[word], "index": v} for word, v in words.items()}
    return [{"type": "value", "options": options}]


UP = {"mappings": states(DOWN=0, up=1), "thresholds": steps((None, BAD), (1, GOOD))}


def panel(kind, title, description, targets, unit=None, w=8, h=8, *, options=None, custom=None, links=None, **defaults):
    overrides = defaults.pop("overrides", [])
    transformations = defaults.pop("transformations", None)
    data_links = defaults.pop("data_links", None)
    fields = {"unit": unit or "none", **defaults}
    if custom:
        fields["custom"] = custom
    if data_links:
        fields["links"] = data_links
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": targets[0]["datasource"] if targets else PROMETHEUS,
        "gridPos": {"w": w, "h": h, "x": 0, "y": 0},
        "targets": [{"refId": chr(ord("A") + i), **it} for i, it in enumerate(targets)],
        "fieldConfig": {"defaults": fields, "overrides": overrides},
        "options": options or {},
    }
    if links:
        made["links"] = links
    if transformations:
        made["transformations"] = transformations
    return made


def stat(title, description, targets, unit, w=4, h=4, *, text="auto", graph="area", colour="value", **more):
    options = {
        "colorMode": colour,
        "graphMode": graph,
        "justifyMode": "auto",
        "textMode": text,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    more.setdefault("thresholds", steps((None, PLAIN)))
    return panel("stat", title, description, targets, unit, w, h, options=options, **more)


def graph(title, description, targets, unit, w=8, h=8, *, stacked=False, limit=None, table=False, **more):
    """Lines over time; `limit` draws a dashed line at the limit that the description gives."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 20 if stacked else 8,
        "showPoints": "never",
        "spanNulls": False,
        "axisSoftMin": 0,
    }
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
        more["thresholds"] = steps((None, PLAIN), (limit, WARN))
    options = {
        "legend": {
            "displayMode": "table" if table else "list",
            "placement": "right" if table else "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull", "max"] if table else [],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    more.setdefault("data_links", [to_logs()])
    return panel("timeseries", title, description, targets, unit, w, h, options=options, custom=custom, **more)


def heatmap(title, description, expr, w=12, h=9):
    """A cell per bucket and step; exemplars are dots that link to their traces."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "mode": "scheme",
            "scheme": "Blues",
            "exponent": 0.5,
            "steps": 64,
            "reverse": False,
            "fill": "dark-blue",
            "scale": "exponential",
        },
        "exemplars": {"color": "rgba(255,120,0,0.9)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "unit": "s"},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
    }
    target = exemplars(expr, "{{le}}", format="heatmap")
    return panel("heatmap", title, description, [target], "s", w, h, options=options)


def table(title, description, targets, unit, w=12, h=8, *, columns, sort=None, **more):
    """Instant queries joined by their labels. columns: field -> name shown."""
    targets = [{**it, "format": "table", "range": False, "instant": True} for it in targets]
    organize = {
        "id": "organize",
        "options": {"renameByName": columns, "includeByName": {it: True for it in columns}, "indexByName": {}},
    }
    options = {"showHeader": True, "cellHeight": "sm"}
    if sort:
        options["sortBy"] = [{"displayName": sort, "desc": True}]
    transformations = [{"id": "merge", "options": {}}, organize]
    return panel("table", title, description, targets, unit, w, h, options=options, transformations=transformations, **more)


def column(name, **properties):
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def timeline(title, description, targets, w=12, h=5, **more):
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("state-timeline", title, description, targets, None, w, h, options=options, **UP, **more)


def log_lines(title, description, expr, w=24, h=10):
    options = {
        "showTime": True,
        "wrapLogMessage": True,
        "enableLogDetails": True,
        "sortOrder": "Descending",
        "dedupStrategy": "none",
        "prettifyLogMessage": False,
        "showLabels": False,
        "showCommonLabels": False,
    }
    return panel("logs", title, description, [lines(expr)], None, w, h, options=options)


# --- dashboards


def row(title, *panels):
    return {"row": title, "panels": panels}


def placed(rows):
    """Places panels from left to right; one that does not fit starts a new line."""
    y, made = 0, []
    for it in rows:
        made.append({"type": "row", "title": it["row"], "collapsed": False, "gridPos": at(0, y, 24, 1), "panels": []})
        y, x, height = y + 1, 0, 0
        for one in it["panels"]:
            size = one["gridPos"]
            if x + size["w"] > 24:
                y, x, height = y + height, 0, 0
            made.append({**one, "gridPos": at(x, y, size["w"], size["h"])})
            x, height = x + size["w"], max(height, size["h"])
        y += height
    return [{"id": i, **it} for i, it in enumerate(made, 1)]


def with_row(dashboard, more):
    """The dashboard with this row at its end, unless the row is empty."""
    if not more["panels"]:
        return dashboard
    bottom = max(it["gridPos"]["y"] + it["gridPos"]["h"] for it in dashboard["panels"])
    below = [
        {**it, "id": len(dashboard["panels"]) + it["id"], "gridPos": {**it["gridPos"], "y": bottom + it["gridPos"]["y"]}}
        for it in placed([more])
    ]
    return {**dashboard, "panels": [*dashboard["panels"], *below]}


def at(x, y, w, h):
    return {"x": x, "y": y, "w": w, "h": h}


def variable(name, label, description, source):
    """The values of a label of a recorded series. Several can be selected; all are by default."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "description": description,
        "datasource": PROMETHEUS,
        "definition": f"label_values({source}, {name})",
        "query": {"query": f"label_values({source}, {name})", "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all", "selected": True},
        "options": [],
        "hide": 0,
    }


VARIABLES = {
    "environment": ("Environment", "The installation", "environment_job:up:min"),
    "route": ("Route", "The path template", f"environment_route:http_requests:rate5m{{{ENVIRONMENT}}}"),
    "model": ("Model", "The model's name at its provider", f"environment_model_provider:llm_requests_judged:rate5m{{{ENVIRONMENT}}}"),
    "provider": ("Provider", "The provider that runs the model", f"environment_model_provider:llm_requests_judged:rate5m{{{ENVIRONMENT}}}"),
}


def annotation(name, colour, expr, title, text):
    return {
        "name": name,
        "datasource": PROMETHEUS,
        "enable": True,
        "iconColor": colour,
        "expr": expr,
        "step": "60s",
        "titleFormat": title,
        "textFormat": text,
    }


VERSIONS = f"environment_version:jarvis_instances:count{{{ENVIRONMENT}}}"
ANNOTATIONS = [
    annotation("Deployments", "purple", f"{VERSIONS} unless {VERSIONS} offset 2m", "Version {{version}}", "{{environment}}"),
    annotation(
        "Alerts",
        "orange",
        'ALERTS{alertstate="firing", severity=~"critical|warning", environment=~"$environment|"}',
        "{{alertname}}",
        "{{severity}} {{environment}} {{instance}} {{model}} {{job}}",
    ),
]


def dashboard(uid, title, description, variables, *rows, since="now-1h"):
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["jarvis"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 41,
        "version": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "weekStart": "",
        "templating": {"list": [variable(it, *VARIABLES[it]) for it in variables]},
        "annotations": {"list": ANNOTATIONS},
        "links": [
            {
                "type": "dashboards",
                "title": "JARVIS",
                "tags": ["jarvis"],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "The other dashboards, with this time range and these variables",
                "url": "",
            }
        ],
        "panels": placed(rows),
    }
