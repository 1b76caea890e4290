"""Holds Grafana's provisioning to what there is: data sources, metrics, and queries that parse."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import compose
import yaml

PROVISIONING = compose.STACK.parent / "grafana-provisioning"
DASHBOARDS = sorted((PROVISIONING / "dashboards").glob("*.json"))
TELEMETRY = (compose.STACK.parent / "docs/telemetry.md").read_text()
# Metrics that Prometheus makes itself.
OTHERS = {"up"}


def datasources():
    text = (PROVISIONING / "datasources/jarvis.yaml").read_text()
    return {it["uid"]: it for it in yaml.safe_load(text)["datasources"]}


def panels():
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            yield file.name, panel


def promql():
    for file, panel in panels():
        for target in panel["targets"]:
            if target["datasource"]["uid"] == "prometheus":
                expression = target["expr"].replace("$__rate_interval", "1m").replace("$path", "scrape")
                yield f"{file}: {panel['title']}", expression


class Dashboards(unittest.TestCase):
    def test_there_are_some(self):
        self.assertIn("overview.json", [it.name for it in DASHBOARDS])

    def test_uids_are_stable_and_unique(self):
        uids = [json.loads(it.read_text())["uid"] for it in DASHBOARDS]
        self.assertEqual(len(set(uids)), len(uids))
        for uid in uids:
            self.assertRegex(uid, "^jarvis-[a-z-]+$")

    def test_every_panel_says_what_it_shows_and_what_is_normal(self):
        for file, panel in panels():
            name = f"{file}: {panel.get('title')}"
            self.assertTrue(panel["title"], name)
            self.assertIn("Normal:", panel["description"], name)
            self.assertIn(panel["datasource"]["uid"], datasources(), name)
            if panel["type"] != "logs":
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], name)

    def test_panels_do_not_overlap(self):
        for file in DASHBOARDS:
            taken = set()
            for panel in json.loads(file.read_text())["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(taken & cells, f"{file.name}: {panel['title']}")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells

    def test_every_metric_is_one_that_is_documented(self):
        for name, expression in promql():
            metrics = set(re.findall(r"\b([a-z_]+)(?=\{)", expression)) | ({"up"} & set(expression.split("(")[-1:]))
            self.assertTrue(metrics or "(up)" in expression, name)
            for metric in metrics - OTHERS:
                family = re.sub(r"_(bucket|sum|count)$", "", metric)
                self.assertIn(f"`{family}`", TELEMETRY, name)

    def test_every_query_parses(self):
        program = compose._program("prometheus/promtool")[0]
        if not os.access(program, os.X_OK):
            self.skipTest(f"{program} is not built")
        rules = [{"record": f"panel:{i}", "expr": expression} for i, (_, expression) in enumerate(promql())]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rules.yml"
            file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
            result = subprocess.run([program, "check", "rules", file], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class DataSources(unittest.TestCase):
    def test_each_leads_to_the_others(self):
        sources = datasources()
        self.assertEqual(set(sources), {"prometheus", "loki", "jaeger"})
        to_trace = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"][0]
        self.assertEqual((to_trace["name"], to_trace["datasourceUid"]), ("trace_id", "jaeger"))
        field = sources["loki"]["jsonData"]["derivedFields"][0]
        self.assertEqual((field["matcherType"], field["matcherRegex"]), ("label", "trace_id"))
        self.assertEqual((field["url"], field["datasourceUid"]), ("$${__value.raw}", "jaeger"))
        self.assertEqual(sources["jaeger"]["jsonData"]["tracesToLogsV2"]["datasourceUid"], "loki")
        self.assertEqual(sources["jaeger"]["jsonData"]["tracesToMetrics"]["datasourceUid"], "prometheus")

    def test_urls_are_composes_services(self):
        services = compose.load()["services"]
        for source in datasources().values():
            host, port = re.match(r"http://([\w-]+):(\d+)$", source["url"]).groups()
            self.assertIn(host, services)
            self.assertTrue(any(it.endswith(f":{port}") for it in services[host]["ports"]), source["url"])


if __name__ == "__main__":
    unittest.main()
