"""Checks the dashboards against Grafana's own types, and that the checker finds mistakes."""

import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import compose

FOLDER = Path(__file__).resolve().parent / "grafana-schema"
DASHBOARDS = sorted((compose.STACK.parent / "grafana-provisioning/dashboards").glob("*.json"))
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}


def check(*files):
    return subprocess.run([FOLDER / "check", *files], capture_output=True, text=True)


def dashboard():
    """A valid dashboard with a bit of everything."""
    place = {"x": 0, "y": 0, "w": 6, "h": 4}
    target = {"refId": "A", "datasource": PROMETHEUS, "expr": "up", "range": True}
    stat = {
        "id": 1,
        "type": "stat",
        "title": "One",
        "datasource": PROMETHEUS,
        "gridPos": place,
        "targets": [target],
        "fieldConfig": {
            "defaults": {
                "unit": "s",
                "links": [{"title": "Trace", "url": "/explore", "targetBlank": True}],
                "mappings": [{"type": "value", "options": {"1": {"text": "up", "index": 0}}}],
                "thresholds": {"mode": "absolute", "steps": [{"color": "red", "value": None}]},
            },
            "overrides": [],
        },
        "options": {"colorMode": "value", "reduceOptions": {"calcs": ["lastNotNull"]}},
    }
    table = {
        "id": 2,
        "type": "table",
        "title": "Two",
        "gridPos": place,
        "targets": [{"refId": "A", "datasource": {"type": "jaeger", "uid": "jaeger"}, "queryType": "search"}],
        "transformations": [{"id": "organize", "options": {}}],
        "fieldConfig": {
            "defaults": {"custom": {"cellOptions": {"type": "gauge", "mode": "gradient"}}},
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": "a"},
                    "properties": [
                        {"id": "unit", "value": "s"},
                        {"id": "custom.width", "value": 80},
                        {"id": "custom.footer.reducers", "value": ["sum"]},
                    ],
                }
            ],
        },
        "options": {"sortBy": [{"displayName": "a", "desc": True}]},
    }
    return {
        "uid": "a",
        "title": "A",
        "schemaVersion": 41,
        "templating": {"list": [{"type": "query", "name": "model", "query": "label_values(up, job)", "hide": 0}]},
        "annotations": {
            "list": [
                {
                    "name": "Restarts",
                    "enable": True,
                    "iconColor": "red",
                    "datasource": PROMETHEUS,
                    "target": target,
                    "titleFormat": "{{job}}",
                }
            ]
        },
        "panels": [
            stat,
            {"id": 3, "type": "row", "title": "Row", "collapsed": True, "gridPos": place, "panels": [table]},
        ],
    }


# name -> (how to break the dashboard, the place that the error must name, a part of its text)
BROKEN = {
    "option": (
        lambda it: it["panels"][0]["options"].update(optionz=1),
        'panels[0] "One".options.optionz',
        "no such field",
    ),
    "enum": (
        lambda it: it["panels"][0]["options"].update(colorMode="valu"),
        'panels[0] "One".options.colorMode',
        '"valu"',
    ),
    "default": (
        lambda it: it["panels"][0]["fieldConfig"]["defaults"].update(unitt="s"),
        'panels[0] "One".fieldConfig.defaults.unitt',
        "no such field",
    ),
    "number": (lambda it: it["panels"][0]["gridPos"].update(x="0"), 'panels[0] "One".gridPos.x', "'number'"),
    "missing": (lambda it: it["panels"][0]["gridPos"].pop("h"), 'panels[0] "One".gridPos', "'h' is missing"),
    "panel": (lambda it: it["panels"][0].update(type="statt"), 'panels[0] "One"', '"statt" is no type'),
    "custom": (
        lambda it: it["panels"][0]["fieldConfig"]["defaults"].update(custom={"lineWidth": 1}),
        'panels[0] "One".fieldConfig.defaults.custom.lineWidth',
        "'number'",
    ),
    "mapping": (
        lambda it: it["panels"][0]["fieldConfig"]["defaults"]["mappings"][0]["options"]["1"].update(txt="up"),
        'panels[0] "One".fieldConfig.defaults.mappings[0].options.1.txt',
        "no such field",
    ),
    "threshold": (
        lambda it: it["panels"][0]["fieldConfig"]["defaults"]["thresholds"].update(mode="abs"),
        'panels[0] "One".fieldConfig.defaults.thresholds.mode',
        '"abs"',
    ),
    "target": (
        lambda it: it["panels"][0]["targets"][0].update(legend="x"),
        'panels[0] "One".targets[0].legend',
        "no such field",
    ),
    "source": (
        lambda it: it["panels"][0]["targets"][0].update(datasource={"type": "influx"}),
        'panels[0] "One".targets[0]',
        '"influx" is no type',
    ),
    "inside a row": (
        lambda it: it["panels"][1]["panels"][0]["options"]["sortBy"][0].update(dsc=True),
        'panels[1] "Row".panels[0] "Two".options.sortBy[0].dsc',
        "no such field",
    ),
    "override": (
        lambda it: it["panels"][1]["panels"][0]["fieldConfig"]["overrides"][0]["properties"][1].update(id="custom.wid"),
        'panels[1] "Row".panels[0] "Two".fieldConfig.overrides[0].properties[1].id',
        '"custom.wid"',
    ),
    "override's value": (
        lambda it: it["panels"][1]["panels"][0]["fieldConfig"]["overrides"][0]["properties"][1].update(value="80"),
        'panels[1] "Row".panels[0] "Two".fieldConfig.overrides[0].properties[1].value',
        "'number'",
    ),
    "transformation": (
        lambda it: it["panels"][1]["panels"][0]["transformations"][0].update(option={}),
        'panels[1] "Row".panels[0] "Two".transformations[0].option',
        "no such field",
    ),
    "variable": (lambda it: it["templating"]["list"][0].update(hide=9), "templating.list[0].hide", "'9'"),
    "annotation": (
        lambda it: it["annotations"]["list"][0].update(title="x"),
        "annotations.list[0].title",
        "no such field",
    ),
    "dashboard": (lambda it: it.update(refesh="5s"), "refesh", "no such field"),
}


@unittest.skipUnless(shutil.which("npm"), "npm is not installed: dashboards are not held to Grafana's types")
class Schema(unittest.TestCase):
    def test_our_dashboards_fit(self):
        self.assertTrue(DASHBOARDS)
        result = check()
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_one_broken_thing_is_found_and_named(self):
        with tempfile.TemporaryDirectory() as folder:
            files = {name: Path(folder) / f"{name}.json" for name in ["right", *BROKEN]}
            for name, file in files.items():
                broken = json.loads(json.dumps(dashboard()))  # a deep copy
                if name in BROKEN:
                    BROKEN[name][0](broken)
                file.write_text(json.dumps(broken))
            result = check(*files.values())
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        for name, (_, place, text) in BROKEN.items():
            with self.subTest(name):
                errors = [it for it in lines if it.startswith(f"{name}.json: ")]
                self.assertEqual(len(errors), 1, errors)
                self.assertTrue(errors[0].startswith(f"{name}.json: {place}: "), errors[0])
                self.assertIn(text, errors[0])
        self.assertEqual(len(lines), len(BROKEN), result.stdout)


class Packages(unittest.TestCase):
    def test_the_types_have_the_version_of_grafana_in_compose(self):
        image = compose.load()["services"]["grafana"]["image"]
        versions = json.loads((FOLDER / "package.json").read_text())["dependencies"]
        self.assertEqual(versions["@grafana/schema"], re.search(r":-([\d.]+)\}", image)[1])

    def test_the_lock_file_names_no_registry(self):
        self.assertNotIn("://", (FOLDER / "package-lock.json").read_text())


if __name__ == "__main__":
    unittest.main()
