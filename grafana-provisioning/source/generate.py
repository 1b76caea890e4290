"""Writes ../dashboards/*.json from the modules beside this file. `make generate` runs it."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "grafana-provisioning/dashboards"
sys.path.insert(0, str(ROOT / "stack/prometheus"))  # the catalogue of metrics and the thresholds

import api_performance
import catalogue
import database
import generate_rules
import llm_usage
import other_metrics
import overview
import panels


def files():
    """name -> text"""
    dashboards = {
        "overview": overview.DASHBOARD,
        "api-performance": api_performance.DASHBOARD,
        "llm-usage": llm_usage.DASHBOARD,
        "database": database.DASHBOARD,
    }
    rules = [rule for _, groups in generate_rules.groups().values() for group in groups for rule in group["rules"]]
    read = json.dumps([dashboards, [it["expr"] for it in rules]])
    others = [it for it in catalogue.metrics().values() if it.recorded not in read]
    dashboards["api-performance"] = panels.with_row(dashboards["api-performance"], other_metrics.row_of(others))
    return {f"{name}.json": json.dumps(it, indent=2, ensure_ascii=False) + "\n" for name, it in dashboards.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
