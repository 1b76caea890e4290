"""Enforces the rules for data sources and dashboards that grafana-provisioning/README.md lists."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.parse import unquote

import compose
import yaml
from promql import metrics_of

PROVISIONING = compose.STACK.parent / "grafana-provisioning"
DASHBOARDS = {it.name: json.loads(it.read_text()) for it in sorted((PROVISIONING / "dashboards").glob("*.json"))}
RULES = sorted((compose.STACK / "prometheus/rules").glob("*.yml"))
# Series that Prometheus itself creates.
BUILT_IN = {"ALERTS"}


def datasources():
    text = (PROVISIONING / "datasources/jarvis.yaml").read_text()
    return {it["uid"]: it for it in yaml.safe_load(text)["datasources"]}


def panels():
    for file, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                yield f"{file}: {panel.get('title')}", panel


def promql_queries():
    """(where, expression, target) of every query to Prometheus, annotations and variables with them."""
    for name, panel in panels():
        for target in panel["targets"]:
            if target["datasource"]["uid"] == "prometheus":
                yield name, target["expr"], target
    for file, dashboard in DASHBOARDS.items():
        for it in dashboard["annotations"]["list"]:
            yield f"{file}: annotation {it['name']}", it["expr"], it
        for it in dashboard["templating"]["list"]:
            yield f"{file}: variable {it['name']}", re.match(r"label_values\((.+), \w+\)$", it["definition"])[1], it


def recorded():
    rules = [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    return {it["record"] for it in rules if "record" in it}


class Dashboards(unittest.TestCase):
    def test_the_four_specified_dashboards(self):
        self.assertEqual(
            {it["uid"]: it["title"] for it in DASHBOARDS.values()},
            {
                "jarvis-overview": "Overview",
                "jarvis-api": "API Performance",
                "jarvis-llm": "LLM Usage",
                "jarvis-database": "Database",
            },
        )

    def test_they_are_what_their_source_generates(self):
        source = PROVISIONING / "source"
        sys.path.insert(0, str(source))
        try:
            spec = importlib.util.spec_from_file_location("generate", source / "generate.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(str(source))
        made = module.files()
        interval = yaml.safe_load((compose.STACK / "prometheus/prometheus.yml").read_text())["global"]["evaluation_interval"]
        self.assertEqual(interval, f"{module.panels.EVALUATION_SECONDS}s")
        self.assertEqual(set(made), set(DASHBOARDS))
        for name, text in made.items():
            self.assertEqual((PROVISIONING / "dashboards" / name).read_text(), text, f"{name}: run `make generate`")

    def test_every_panel_describes_what_it_shows_and_what_is_normal(self):
        for name, panel in panels():
            self.assertTrue(panel["title"], name)
            self.assertIn(" Normal: ", panel["description"], name)
            self.assertIn(panel["datasource"]["uid"], datasources(), name)
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], name)
            for target in panel["targets"]:
                self.assertIn(target["datasource"]["uid"], datasources(), name)
            if panel["type"] == "grafana-clock-panel":
                self.assertIn(panel["type"], compose.load()["services"]["grafana"]["environment"]["GF_INSTALL_PLUGINS"])
            else:
                self.assertTrue(panel["targets"], name)

    def test_titles_and_ids_are_unique_in_a_dashboard(self):
        for file, dashboard in DASHBOARDS.items():
            for key in ("title", "id"):
                values = [it[key] for it in dashboard["panels"]]
                self.assertEqual(len(set(values)), len(values), f"{file}: {key}")

    def test_panels_do_not_overlap(self):
        for file, dashboard in DASHBOARDS.items():
            taken = set()
            for panel in dashboard["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(taken & cells, f"{file}: {panel['title']}")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells

    def test_queries_read_recording_rules(self):
        known = recorded() | BUILT_IN
        for name, expression, target in promql_queries():
            metrics = metrics_of(expression)
            self.assertTrue(metrics, name)
            if target.get("exemplar"):
                # recorded series carry no exemplars, so these read raw buckets of one path
                for metric in metrics:
                    self.assertRegex(metric, "_bucket$", name)
                    self.assertIn(f'{metric}{{telemetry_path="scrape"', expression, name)
            else:
                self.assertLessEqual(metrics, known, f"{name}: reads a series that is not recorded")

    def test_every_recorded_series_is_read(self):
        read = {metric for _, expression, _ in promql_queries() for metric in metrics_of(expression)}
        for file in RULES:
            for group in yaml.safe_load(file.read_text())["groups"]:
                for rule in group["rules"]:
                    read |= metrics_of(rule["expr"])
        self.assertEqual(recorded() - read, {"documents_processed"}, "recorded but never read")

    def test_variables_in_logql_are_in_double_quotes(self):
        # Grafana escapes their values for a string in double quotes
        for name, panel in panels():
            for target in panel["targets"]:
                if target["datasource"]["uid"] == "loki":
                    for text in re.findall(r"`([^`]*)`", target["expr"]):
                        self.assertNotIn("$", text, name)

    def test_queries_of_logs_name_packages_that_exist(self):
        sources = PROVISIONING.parent / "service/src/main/java"
        for name, panel in panels():
            for target in panel["targets"]:
                for parent, packages in re.findall(r"scope_name=~`([\w.]+)\.\(([\w|]+)\)", target["expr"]):
                    for package in packages.split("|"):
                        self.assertTrue((sources / parent.replace(".", "/") / package).is_dir(), f"{name}: {parent}.{package}")

    def test_runbooks_name_dashboards_and_panels_that_exist(self):
        titles = {it["title"] for dashboard in DASHBOARDS.values() for it in (dashboard, *dashboard["panels"])}
        for file in sorted((PROVISIONING.parent / "docs/runbooks").glob("*.md")):
            # from "Grafana, *Overview*" to the end of the item
            for item in re.findall(r"Grafana, (\*.+?)(?=\n\d+\. |\n\n|\n *```|\n#|\Z)", file.read_text(), re.S):
                for title in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", item):
                    with self.subTest(file.name, title=title):
                        self.assertIn(" ".join(title.split()), titles)

    def test_variables_links_and_annotations(self):
        for file, dashboard in DASHBOARDS.items():
            names = [it["name"] for it in dashboard["templating"]["list"]]
            self.assertEqual(names[0], "environment", file)
            text = json.dumps(dashboard["panels"])
            for name in names:
                self.assertIn(f"${name}", text, f"{file}: no panel uses the variable {name}")
            self.assertTrue(all(it["includeVars"] and it["keepTime"] for it in dashboard["links"]), file)
            self.assertEqual([it["name"] for it in dashboard["annotations"]["list"]], ["Deployments", "Alerts"], file)
        chosen = {name for it in DASHBOARDS.values() for name in [v["name"] for v in it["templating"]["list"]]}
        self.assertEqual(chosen, {"environment", "route", "model", "provider"})

    def test_no_state_is_shown_by_red_and_green_alone(self):
        for file, dashboard in DASHBOARDS.items():
            self.assertNotIn("green", json.dumps(dashboard), file)
        for name, panel in panels():
            defaults = panel["fieldConfig"]["defaults"]
            colours = {it["color"] for it in defaults.get("thresholds", {}).get("steps", [])} - {"text"}
            if len(colours) > 1 and panel["type"] in ("stat", "state-timeline"):
                words = [option["text"] for it in defaults.get("mappings", []) for option in it["options"].values()]
                shown = panel["options"].get("textMode", "auto") in ("auto", "value", "value_and_name")
                self.assertTrue(words or shown, name)
            if panel["type"] == "state-timeline":
                self.assertTrue(defaults["mappings"], name)

    def test_every_graph_links_to_logs_or_traces_of_its_time_range(self):
        for name, panel in panels():
            links = panel["fieldConfig"]["defaults"].get("links", [])
            if panel["type"] == "timeseries":
                self.assertTrue(links, name)
            for override in panel["fieldConfig"]["overrides"]:
                links = links + [link for it in override["properties"] if it["id"] == "links" for link in it["value"]]
            for link in links:
                path, query = link["url"].split("?", 1)
                self.assertEqual(path, "/explore", name)
                pane = json.loads(unquote(dict(it.split("=", 1) for it in query.split("&"))["panes"]))["a"]
                self.assertIn(pane["datasource"], ("loki", "jaeger"), name)
                self.assertEqual(pane["range"], {"from": "${__from}", "to": "${__to}"}, name)
                for field in re.findall(r"\$\{__field\.labels\.(\w+)\}", link["url"]):
                    self.assertTrue(
                        any(re.search(rf"\b{field}\b", re.sub(r"\{[^}]*\}", "", it["expr"]) + it["legendFormat"]) for it in panel["targets"]),
                        f"{name}: its series have no label {field}",
                    )

    def test_every_query_parses(self):
        program = compose.program("prometheus/promtool")
        if not os.access(program, os.X_OK):
            self.skipTest(f"{program} is not built")
        rules = []
        for i, (_, expression, _) in enumerate(promql_queries()):
            for variable, value in (("$__rate_interval", "1m"), ("$__range_s", "3600"), ("$__range", "1h")):
                expression = expression.replace(variable, value)
            rules.append({"record": f"panel:{i}", "expr": expression})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rules.yml"
            file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
            result = subprocess.run([program, "check", "rules", file], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class DataSources(unittest.TestCase):
    def test_each_links_to_the_others(self):
        sources = datasources()
        self.assertEqual(set(sources), {"prometheus", "loki", "jaeger"})
        to_trace = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
        self.assertEqual({(it["name"], it["datasourceUid"]) for it in to_trace}, {("trace_id", "jaeger")})
        field = sources["loki"]["jsonData"]["derivedFields"][0]
        self.assertEqual((field["matcherType"], field["matcherRegex"]), ("label", "trace_id"))
        self.assertEqual((field["url"], field["datasourceUid"]), ("$${__value.raw}", "jaeger"))
        self.assertEqual(sources["jaeger"]["jsonData"]["tracesToLogsV2"]["datasourceUid"], "loki")
        self.assertEqual(sources["jaeger"]["jsonData"]["tracesToMetrics"]["datasourceUid"], "prometheus")

    def test_the_queries_of_a_trace_read_recording_rules(self):
        for query in datasources()["jaeger"]["jsonData"]["tracesToMetrics"]["queries"]:
            self.assertIn("$$__tags", query["query"])
            self.assertLessEqual(metrics_of(query["query"].replace("$$", "$")), recorded(), query["name"])

    def test_urls_are_services_of_compose(self):
        services = compose.load()["services"]
        for source in datasources().values():
            host, port = re.match(r"http://([\w-]+):(\d+)$", source["url"]).groups()
            self.assertIn(host, services)
            self.assertTrue(any(it.endswith(f":{port}") for it in services[host]["ports"]), source["url"])


if __name__ == "__main__":
    unittest.main()
