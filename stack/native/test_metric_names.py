"""Compares every use of a metric, of a recorded series or of their labels with the catalogue.

A metric or a label that is removed or renamed must fail here wherever it is still used: in rules, alerts, dashboards,
tests and documents.
"""

import re
import sys
import unittest

import compose
import promql
import test_grafana
import test_live
import test_rules
import yaml

sys.path.insert(0, str(compose.STACK / "prometheus"))

import catalogue
import thresholds

ROOT = compose.STACK.parent
METRICS = catalogue.metrics()
SERIES = {series: metric for metric in METRICS.values() for series in metric.series()}
# The metrics of libraries, exporters, the collector and Prometheus itself.
FOREIGN = re.compile(
    r"(up|target_info|ALERTS)$|(pg|redis|otelcol|otel_sdk|traces_span_metrics|hikaricp|memory|thread|gc|cpu|jvm|classloader|loki|vl|alertmanager|prometheus)_"
)
# Names in documents and tests that look like a metric's.
NO_METRICS = {
    "llm_requests": "a table of the database",
    "llm_requests_default": "a partition of it",
    "ledger_entries": "a table",
    "ledger_attempts": "a table",
    "ledger_totals": "a table",
    "budget_holds": "a table",
    "identity_version": "a table",
    "budget_unknown": "an error code",
    "limit_usd": "a field of budgets",
    "ledger_entries_default": "a partition",
    "ledger_attempts_default": "a partition",
    "ledger_full": "an error code",
    "uptime_seconds": "a field of /health",
    "object_store_unavailable": "an error code",
    "documents_reindexed": "an event of the log",
    "admin_action": "an event of the log, and an object of the API",
    "admin_audit": "a table",
    "authentication_error": "a type of errors",
    "grace_seconds": "a field of a request",
    "documents_reindexing": "an event of the log",
    "http_version_not_supported": "an error code",
    "identity_unavailable": "an error code",
}
# A name that ends as metrics do or, in documents, begins as ours do.
ENDING = r"[a-z][a-z0-9_]*_(?:total|seconds|bytes|bucket|sum|count)"
BEGINNING = rf"(?:{'|'.join(sorted({it.split('_')[0] for it in METRICS}))})_[a-z0-9_]+\*?"
RECORDED_NAME = re.compile(r"\b(?:environment(?:_\w+)?|slo):[a-zA-Z]\w*:\w+")


def rules():
    for file in test_grafana.RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def recorded_labels():
    """recorded series -> its labels"""
    names = {}
    words = {label for it in METRICS.values() for label in it.labels} | catalogue_words()
    for rule in rules():
        if "record" in rule:
            names.setdefault(rule["record"], set()).update(rule.get("labels", {}), level_labels(rule["record"], words))
    processed = METRICS["documents_processed_total"]
    names["documents_processed"] = {*processed.labels, *catalogue.TARGET_LABELS}
    return names


def catalogue_words():
    """The labels that rules add, and those of foreign metrics."""
    grouped = {label for rule in rules() for label in promql.grouping_labels(rule["expr"])}
    return grouped | {label for rule in rules() for label in rule.get("labels", {})} | {"quantile"}


def level_labels(recorded, words):
    """The labels that a recorded series' name begins with: environment_model_provider:…"""
    level = recorded.split(":")[0]
    if level == "slo":
        return {"environment", "slo"}
    found = set()
    while level:
        word = max((it for it in words if level == it or level.startswith(it + "_")), key=len, default=None)
        if word is None:
            return set()
        found.add(word)
        level = level[len(word) + 1 :]
    return found


RECORDED = recorded_labels()


def labels_of(series):
    """The labels of a series; None if it is foreign, so that they are unknown."""
    if series in SERIES:
        metric = SERIES[series]
        return {*metric.labels, *catalogue.TARGET_LABELS, *(["le"] if series.endswith("_bucket") else [])}
    if series in RECORDED:
        return RECORDED[series]
    if FOREIGN.match(series):
        return None
    raise LookupError(f"no such metric: {series}")


def problems(expression, also_used=()):
    """What an expression, and the labels that its reader uses besides, relies on although it does not exist."""
    found, known = [], set()
    for series in sorted(promql.metrics_of(expression)):
        try:
            labels = labels_of(series)
        except LookupError as error:
            found.append(str(error))
            labels = None
        known = None if labels is None or known is None else known | labels
    for series, matchers in promql.selectors(expression):
        try:
            labels = labels_of(series)
        except LookupError:
            continue
        if labels is not None:
            found += [f"{series} has no label {it}" for it in sorted(promql.matched_labels(matchers) - labels)]
    if known is not None:
        used = promql.grouping_labels(expression) | set(also_used)
        found += [f"none of its series has a label {it}" for it in sorted(used - known)]
    return found


def documents():
    folders = {"target", "node_modules", ".git"}
    for file in sorted(ROOT.rglob("*.md")):
        # the change log may name what is gone
        if not folders & set(file.relative_to(ROOT).parts) and file.name != "CHANGELOG.md":
            yield file


def unknown_names(text, name_pattern=ENDING):
    for name in sorted(set(RECORDED_NAME.findall(text))):
        if name not in RECORDED:
            yield name
    rest = RECORDED_NAME.sub("", text)
    labels = {label for it in METRICS.values() for label in it.labels}
    for name in sorted(set(re.findall(rf"(?<![\w./$-])({name_pattern})(?![\w(:/=.])", rest))):
        if name.endswith("*"):
            if not any(it.startswith(name[:-1]) for it in METRICS):
                yield name
        elif name not in SERIES and name not in METRICS and name not in labels and name not in NO_METRICS:
            if not FOREIGN.match(name) and name not in RECORDED:
                yield name


class Uses(unittest.TestCase):
    def test_of_rules_and_alerts(self):
        for rule in rules():
            notes = " ".join(rule.get("annotations", {}).values())
            used = re.findall(r"\$labels\.(\w+)", notes)
            self.assertEqual(problems(rule["expr"], used), [], rule.get("record") or rule["alert"])

    def test_of_dashboards(self):
        for name, expression, target in test_grafana.promql_queries():
            legend = re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
            self.assertEqual(problems(expression.replace("$__rate_interval", "5m"), legend), [], name)

    def test_of_links_from_traces(self):
        for query in test_grafana.datasources()["jaeger"]["jsonData"]["tracesToMetrics"]["queries"]:
            self.assertEqual(problems(query["query"].replace("$$__tags", "")), [], query["name"])

    def test_of_the_series_that_rules_are_tested_with(self):
        for _, cases, _ in test_rules.SUITES.values():
            given = {it["series"] for case in cases() for it in case.world.input}
            for series in sorted(given):
                self.assertEqual(problems(series), [], series)

    def test_of_tests_and_scripts(self):
        for file in sorted([*compose.STACK.glob("native/*.py"), *ROOT.glob("grafana-provisioning/source/*.py")]):
            if file.name != "test_metric_names.py":
                with self.subTest(file.name):
                    self.assertEqual(list(unknown_names(file.read_text())), [])

    def test_of_documents(self):
        for file in documents():
            with self.subTest(file.relative_to(ROOT)):
                self.assertEqual(list(unknown_names(file.read_text(), f"{BEGINNING}|{ENDING}")), [])

    def test_of_queries_in_documents(self):
        for file in documents():
            for block in re.findall(r"```promql\n(.*?)```", file.read_text(), re.S):
                with self.subTest(file.relative_to(ROOT), query=block):
                    queries = re.sub(r"#.*", "", block).replace("\n", "\n;")  # a block may hold several
                    self.assertEqual(problems(queries), [])

    def test_of_the_live_tests_exceptions(self):
        for name in test_live.EXPECTED_EMPTY:
            if ":" in name:
                self.assertIn(name, RECORDED)
        self.assertFalse(set(test_live.NOT_RECORDED) & set(METRICS), "every metric of the service is recorded")


class Names(unittest.TestCase):
    """The checks above find what they are for."""

    def test_an_unknown_metric_is_found(self):
        self.assertEqual(problems("rate(llm_gone_total[5m])"), ["no such metric: llm_gone_total"])
        self.assertEqual(list(unknown_names("llm_gone_total, llm_requests_total")), ["llm_gone_total"])
        self.assertEqual(list(unknown_names("`llm_gone`, `ollama_*`", BEGINNING)), ["llm_gone"])
        self.assertEqual(list(unknown_names("environment:gone:max")), ["environment:gone:max"])

    def test_an_unknown_label_is_found(self):
        recorded = METRICS["http_requests_total"].recorded
        self.assertEqual(problems('http_requests_total{gone="1"}'), ["http_requests_total has no label gone"])
        self.assertEqual(problems(f'{recorded}{{gone="1"}}'), [f"{recorded} has no label gone"])
        self.assertEqual(problems(f"sum by (gone) ({recorded})"), ["none of its series has a label gone"])
        self.assertEqual(problems(recorded, ["gone"]), ["none of its series has a label gone"])

    def test_every_recorded_series_names_its_labels(self):
        for name, labels in RECORDED.items():
            self.assertIn("environment", labels, name)


class Thresholds(unittest.TestCase):
    def test_the_limit_of_the_first_token_is_the_bound_of_a_bucket(self):
        self.assertIn(thresholds.FIRST_TOKEN_SECONDS, METRICS["llm_time_to_first_token_seconds"].buckets)


if __name__ == "__main__":
    unittest.main()
