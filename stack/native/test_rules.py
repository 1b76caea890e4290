"""Tests the recording rules and alerts with `promtool test rules` on invented series.

Each case lists the alerts that fire at its end; no other alert may fire. The series of the service are replayed three
times, by scrape only, by OTLP only and by both, with the same result.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import compose
import yaml

PROMETHEUS = compose.STACK / "prometheus"
sys.path.insert(0, str(PROMETHEUS))

import generate_rules
import objectives

RULES = PROMETHEUS / "rules"
RUNBOOKS = compose.STACK.parent / "docs/runbooks"
DASHBOARDS = compose.STACK.parent / "grafana-provisioning/dashboards"
PROMTOOL = compose.program("prometheus/promtool")
STEP = 15  # seconds
PATHS = {"scrape": ("scrape",), "otlp": ("otlp",), "both": ("scrape", "otlp")}
API = {"environment": "local", "job": "jarvis-api"}
CHAT = {"method": "POST", "route": "/v1/chat/completions"}
MODELS = {"method": "GET", "route": "/v1/models"}
MODEL = {"model": "m", "provider": "ollama"}
JOBS = ("alertmanager", "jaeger", "logs", "otel-collector", "prometheus", "redis")


def alerts():
    for file in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (it for it in group["rules"] if "alert" in it)


def series(name, labels, values):
    return {"series": f"{name}{{{', '.join(f'{k}={json.dumps(v)}' for k, v in labels.items())}}}", "values": values}


def steady(value, minutes):
    return f"{value}x{minutes * 60 // STEP}"


def rising(per_second, minutes):
    return f"0+{per_second * STEP}x{minutes * 60 // STEP}"


class World:
    """The series of a healthy stack, plus those that a case adds."""

    def __init__(self, paths, minutes, instance="api:8000"):
        self.paths, self.minutes, self.instance = paths, minutes, instance
        self.input = []
        up = 1 if "scrape" in paths else 0
        self.other("up", {**API, "instance": instance, "telemetry_path": "scrape"}, steady(up, minutes))
        self.exported("http_active_requests", {}, steady(1, minutes))
        # probes and scrapes, which do not count for alerts
        for route in ("/metrics", "/health"):
            self.requests({"method": "GET", "route": route}, "200", 0.1)

    def rest_of_the_stack(self, without=()):
        for job in JOBS:
            if job not in without:
                self.other("up", {"environment": "local", "job": job, "instance": job}, steady(1, self.minutes))
        if "postgres" not in without:
            self.postgres(steady(1, self.minutes), steady(1, self.minutes))
        return self

    def postgres(self, up, pg_up):
        labels = {"environment": "local", "job": "postgres", "instance": "postgres"}
        self.other("up", labels, up)
        self.other("pg_up", labels, pg_up)
        return self

    def other(self, name, labels, values):
        self.input.append(series(name, labels, values))
        return self

    def exported(self, name, labels, values):
        """Adds a series of the service, on the paths of this world."""
        for path in self.paths:
            labels = {**API, "instance": self.instance, **labels, "telemetry_path": path}
            self.input.append(series(name, labels, values))
        return self

    def requests(self, route, status, per_second):
        return self.exported("http_requests_total", {**route, "status": status}, rising(per_second, self.minutes))

    def durations(self, name, labels, le, per_second, bounds=("1", "2", "2.5", "5", "+Inf")):
        """Adds durations that are all in the bucket with the bound le."""
        for bound in bounds:
            inside = float(bound.replace("+Inf", "inf")) >= float(le)
            self.exported(f"{name}_bucket", {**labels, "le": bound}, rising(per_second if inside else 0, self.minutes))
        return self

    def answers(self, outcome, per_second):
        return self.exported("llm_requests_total", {**MODEL, "outcome": outcome}, rising(per_second, self.minutes))


WATCHDOG = ({"alertname": "Watchdog", "severity": "none"},)
SEVERITIES = {
    "HighErrorRate": "critical",
    "SlowAPI": "warning",
    "DatabaseDown": "critical",
    "SlowFirstToken": "warning",
    "ModelErrors": "critical",
    "DependencyDown": "warning",
    "ModelProviderDown": "warning",
    "ApiAbsent": "critical",
    "MetricPathsDisagree": "warning",
    "CollectorDropping": "warning",
    "CollectorQueueFilling": "warning",
    "MonitoringPartDown": "warning",
    "LedgerEntriesWait": "warning",
    "LedgerRowsLost": "critical",
    "LedgerSpoolDamaged": "warning",
    "LedgerSpoolFailing": "critical",
    "LimitsLocal": "warning",
    "BudgetsNotInRedis": "warning",
    "BudgetDrift": "warning",
    "BudgetsUsedUp": "warning",
    "DocumentsBacklog": "warning",
    "DocumentDeadLetters": "warning",
    "FailedSignIns": "warning",
    "IdentityStale": "critical",
}


def firing(*names, **labels):
    return [{"alertname": it, **{"severity": SEVERITIES[it], **labels}} for it in names]


class Case:
    """expected: the labels of the alerts that fire at the end. values: further (expression, {labels: value}) to check."""

    def __init__(self, name, world, *expected, at=None, values=(), always=WATCHDOG, step=f"{STEP}s"):
        self.name, self.world, self.expected, self.values, self.step = name, world, expected, values, step
        self.minutes = world.minutes if at is None else at
        self.always = always

    def tests(self):
        return [
            firing_test(self.name, "", self.minutes, [*self.expected, *self.always]),
            *(expression_test(self.name, it, self.minutes, samples) for it, samples in self.values),
        ]

    def shareable(self):
        """Whether it can run with other cases, each in its own environment: it does not depend on absent series."""
        jobs = {re.search(r'job="([^"]+)"', it["series"])[1] for it in self.world.input if it["series"].startswith("up{")}
        whole = not self.always or jobs == {*JOBS, "postgres", API["job"]}
        return whole and not self.values and all(it.get("environment") == "local" for it in self.expected)

    def group_key(self):
        """Cases with the same key can share a test group."""
        return self.world.paths, self.world.minutes, self.step

    def own_series(self):
        """Its series, in an environment named like the case."""
        here = f"environment={json.dumps(self.name)}"
        return [{**it, "series": it["series"].replace('environment="local"', here)} for it in self.world.input]

    def own_test(self):
        expected = [{**it, "environment": self.name} for it in self.expected]
        return firing_test(self.name, f"environment={json.dumps(self.name)}", self.minutes, expected)


def firing_test(name, selector, minutes, expected):
    expression = f"count without (alertstate, __name__) (ALERTS{{alertstate=\"firing\", {selector}}})"
    return expression_test(name, expression, minutes, {labels_text(it): 1 for it in expected})


def expression_test(name, expression, minutes, samples):
    return {
        "expr": f"{expression} # {name}",  # promtool prints it if the test fails
        "eval_time": f"{minutes}m",
        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
    }


def groups(cases):
    """The cases as promtool's test groups. As many cases as possible share a group, each in its own environment,
    because most of the time is spent on evaluating each rule at each step, however few series there are.
    """
    alone, shared = {}, {}
    for it in cases:
        if it.shareable():
            shared.setdefault(it.group_key(), []).append(it)
        else:
            alone.setdefault(id(it.world), []).append(it)
    for same in alone.values():
        yield group(same, same[0].world.input, [test for it in same for test in it.tests()])
    for together in shared.values():
        tests = [it.own_test() for it in together]
        for minutes in {it.minutes for it in together}:
            tests.append(firing_test("alerts of no environment", 'environment=""', minutes, together[0].always))
        yield group(together, [series for it in together for series in it.own_series()], tests)


def group(cases, given, tests):
    names = [it.name for it in cases]
    if len(set(names)) < len(names):
        raise ValueError(f"two cases have the same name: {names}")
    name = names[0] if len(names) == 1 else f"{len(names)} cases from {names[0]} to {names[-1]}"
    return {"name": name, "interval": cases[0].step, "input_series": given, "promql_expr_test": tests}


def labels_text(labels):
    return "{" + ", ".join(f"{k}={json.dumps(v)}" for k, v in labels.items()) + "}"


LOCAL = {"environment": "local"}
ONE_MODEL = {**LOCAL, **MODEL}


def api_cases():
    """Alerts on the series of the service, on each path."""
    for path, paths in PATHS.items():
        # these cases last 14 minutes, because the alert on the paths themselves fires after 15
        def world(minutes=14):
            return World(paths, minutes).rest_of_the_stack()

        def errors(bad, good, route=CHAT, minutes=14):
            return world(minutes).requests(route, "503", bad).requests(route, "200", good)

        def named(name):
            return f"{name} ({path})"

        yield Case(named("healthy"), errors(0, 1))
        yield Case(named("no traffic"), errors(0, 0))
        yield Case(named("HighErrorRate"), errors(0.11, 0.89), *firing("HighErrorRate", **LOCAL))
        yield Case(named("HighErrorRate: not yet"), errors(0.5, 0.5), at=4)
        yield Case(named("HighErrorRate: just below"), errors(0.09, 0.91))
        yield Case(named("HighErrorRate: too little traffic"), errors(0.03, 0))
        for route in ("/health", "/health/ready", "/metrics", "_unmatched"):
            labels = {"method": "GET", "route": route}
            yield Case(named(f"HighErrorRate: not of {route}"), errors(1, 0, labels).requests(CHAT, "200", 1))
        yield Case(named("HighErrorRate: 4xx and 499"), world().requests(CHAT, "429", 1).requests(CHAT, "499", 1))

        http, slow = "http_request_duration_seconds", ("2.5", 0.5)
        yield Case(
            named("SlowAPI"),
            world().requests(MODELS, "200", 0.5).durations(http, MODELS, *slow),
            *firing("SlowAPI", **LOCAL),
        )
        yield Case(named("SlowAPI: just below"), world().requests(MODELS, "200", 0.5).durations(http, MODELS, "2", 0.5))
        yield Case(
            named("SlowAPI: no traffic"), world().requests(MODELS, "200", 0).durations(http, MODELS, "2.5", 0)
        )
        yield Case(
            named("SlowAPI: too little traffic"),
            world().requests(MODELS, "200", 0.03).durations(http, MODELS, "2.5", 0.03),
        )
        yield Case(
            named("SlowAPI: not yet"), world().requests(MODELS, "200", 0.5).durations(http, MODELS, *slow), at=9
        )
        yield Case(named("SlowAPI: not of generations"), world().requests(CHAT, "200", 0.5).durations(http, CHAT, *slow))

        first = "llm_time_to_first_token_seconds"
        yield Case(
            named("SlowFirstToken"),
            world().answers("ok", 0.5).durations(first, MODEL, *slow),
            *firing("SlowFirstToken", **ONE_MODEL),
        )
        yield Case(named("SlowFirstToken: just below"), world().answers("ok", 0.5).durations(first, MODEL, "2", 0.5))
        yield Case(named("SlowFirstToken: no traffic"), world().answers("ok", 0).durations(first, MODEL, "2.5", 0))

        yield Case(
            named("ModelErrors"),
            world().answers("error", 0.11).answers("ok", 0.89),
            *firing("ModelErrors", **ONE_MODEL),
        )
        yield Case(named("ModelErrors: just below"), world().answers("error", 0.09).answers("ok", 0.91))
        yield Case(named("ModelErrors: no traffic"), world().answers("error", 0).answers("ok", 0))
        yield Case(
            named("ModelErrors: rejected and aborted do not count"),
            world().answers("error", 0).answers("rejected", 1).answers("aborted", 1),
        )

        def dependency(name, value):
            return world().exported("dependency_up", {"dependency": name}, steady(value, 14))

        for name, severity in (("ollama", "critical"), ("redis", "warning")):
            yield Case(
                named(f"DependencyDown: {name}"),
                dependency(name, 0),
                *firing("DependencyDown", dependency=name, severity=severity, **LOCAL),
            )
            yield Case(named(f"DependencyDown: {name} is up"), dependency(name, 1))
        one_of_two = dependency("ollama", 0)
        other = World(paths, 14, "b:8000").exported("dependency_up", {"dependency": "ollama"}, steady(1, 14))
        one_of_two.input += other.input
        yield Case(
            named("DependencyDown: one replica alone is a warning"),
            one_of_two,
            *firing("DependencyDown", dependency="ollama", **LOCAL),
        )
        yield Case(named("DependencyDown: not yet"), dependency("redis", 0), at=1)

        def providers(down, at_all):
            return (
                dependency("ollama", at_all)
                .exported("llm_provider_up", {"provider": "cloud"}, steady(1 - down, 14))
                .exported("llm_provider_up", {"provider": "gpu"}, steady(at_all, 14))
            )

        yield Case(
            named("ModelProviderDown"),
            providers(1, 1),
            *firing("ModelProviderDown", provider="cloud", **LOCAL),
        )
        yield Case(named("ModelProviderDown: all are up"), providers(0, 1))
        yield Case(named("ModelProviderDown: not yet"), providers(1, 1), at=4)
        yield Case(
            named("ModelProviderDown: none is up"),
            providers(1, 0),
            *firing("DependencyDown", dependency="ollama", severity="critical", **LOCAL),
        )

        def rows(result, per_second):
            return world().exported("ledger_rows_total", {"result": result}, rising(per_second, 14))

        for result in ("error", "dropped"):
            yield Case(
                named(f"LedgerRowsLost: {result}"), rows(result, 0.01), *firing("LedgerRowsLost", result=result, **LOCAL)
            )
            yield Case(named(f"LedgerRowsLost: no {result}"), rows(result, 0))
        yield Case(named("LedgerRowsLost: all written"), rows("ok", 1))

        def spool(metric, value):
            return world().exported(metric, {}, steady(value, 14))

        yield Case(named("LedgerEntriesWait"), spool("ledger_spool_age_seconds", 301), *firing("LedgerEntriesWait", **LOCAL))
        yield Case(named("LedgerEntriesWait: just below"), spool("ledger_spool_age_seconds", 300))
        yield Case(named("LedgerSpoolFailing"), spool("ledger_spool_failing", 1), *firing("LedgerSpoolFailing", **LOCAL))
        yield Case(named("LedgerSpoolFailing: written"), spool("ledger_spool_failing", 0))
        yield Case(
            named("LedgerSpoolDamaged"), spool("ledger_quarantined_segments", 1), *firing("LedgerSpoolDamaged", **LOCAL)
        )
        yield Case(named("LedgerSpoolDamaged: none"), spool("ledger_quarantined_segments", 0))

        def limits(local):
            return world().exported("limits_local", {}, steady(local, 14))

        yield Case(named("LimitsLocal"), limits(1), *firing("LimitsLocal", **LOCAL))
        yield Case(named("LimitsLocal: not yet"), limits(1), at=4)
        yield Case(named("LimitsLocal: counted in Redis"), limits(0))

        def reserving(state):
            return world().exported("budget_state", {"state": state}, steady(1, 14))

        for state in ("database", "blind"):
            yield Case(
                named(f"BudgetsNotInRedis: {state}"), reserving(state), *firing("BudgetsNotInRedis", state=state, **LOCAL)
            )
        yield Case(named("BudgetsNotInRedis: not yet"), reserving("blind"), at=4)
        yield Case(named("BudgetsNotInRedis: in Redis"), reserving("redis"))

        def drift(usd):
            return World(paths, 24).rest_of_the_stack().exported("budget_drift_usd", {}, steady(usd, 24))

        if len(paths) == 2:  # after 15 minutes with one path, MetricPathsDisagree fires
            yield Case(named("BudgetDrift"), drift(0.02), *firing("BudgetDrift", **LOCAL))
            yield Case(named("BudgetDrift: little"), drift(0.01))
        yield Case(named("BudgetDrift: not yet"), drift(0.02), at=14)

        def used_up(number):
            return world().exported("budgets_used_up", {"scope": "team"}, steady(number, 14))

        yield Case(named("BudgetsUsedUp"), used_up(1), *firing("BudgetsUsedUp", scope="team", **LOCAL))
        yield Case(named("BudgetsUsedUp: none"), used_up(0))
        yield Case(named("BudgetsUsedUp: not yet"), used_up(1), at=4)

        def waiting(seconds):
            return world().exported("documents_queue_oldest_age_seconds", {}, steady(seconds, 14))

        yield Case(named("DocumentsBacklog"), waiting(601), *firing("DocumentsBacklog", **LOCAL))
        yield Case(named("DocumentsBacklog: just below"), waiting(600))
        yield Case(named("DocumentsBacklog: not yet"), waiting(601), at=4)

        def dead(number):
            return world().exported("documents_dead_letters", {}, steady(number, 14))

        yield Case(named("DocumentDeadLetters"), dead(2), *firing("DocumentDeadLetters", **LOCAL))
        yield Case(named("DocumentDeadLetters: none"), dead(0))
        yield Case(named("DocumentDeadLetters: not yet"), dead(2), at=0)

        def sign_ins(reason, before, after, minutes=14, hours=0):
            """Failures per second, for hours and then for minutes."""
            steps = hours * 3600 // STEP
            start = f"0+{before * STEP}x{steps} " if hours else ""
            of = World(paths, hours * 60 + minutes).rest_of_the_stack()
            return of.exported(
                "authentication_failures_total",
                {"reason": reason},
                f"{start}{before * STEP * steps}+{after * STEP}x{minutes * 60 // STEP}",
            )

        yield Case(named("FailedSignIns"), sign_ins("unknown_key", 0, 0.3), *firing("FailedSignIns", **LOCAL))
        yield Case(named("FailedSignIns: few"), sign_ins("unknown_key", 0, 0.1))
        yield Case(named("FailedSignIns: not yet"), sign_ins("unknown_key", 0, 0.3), at=9)
        if len(paths) == 2:  # after 15 minutes with one path, MetricPathsDisagree fires
            yield Case(named("FailedSignIns: as always"), sign_ins("revoked_key", 0.3, 0.3, hours=2))
            yield Case(
                named("FailedSignIns: more than usual"),
                sign_ins("revoked_key", 0.3, 3, hours=2),
                *firing("FailedSignIns", **LOCAL),
            )
        yield Case(named("FailedSignIns: keys that cannot be checked"), sign_ins("unavailable", 0, 3))

        def stale(seconds):
            return world().exported("identity_sync_age_seconds", {}, steady(seconds, 14))

        yield Case(named("IdentityStale"), stale(301), *firing("IdentityStale", **LOCAL))
        yield Case(named("IdentityStale: just below"), stale(300))

        yield Case(
            named("numbers"),
            errors(0.25, 0.75)
            .durations(first, MODEL, "2", 1)
            .answers("ok", 1)
            .exported("active_users", {}, steady(7, 14))
            .exported("ollama_generated_tokens_total", MODEL, rising(5, 14))
            .exported("ollama_generation_duration_seconds_sum", MODEL, rising(0.25, 14))
            .exported("ollama_resident_models", {"provider": "ollama"}, steady(2, 14)),
            *firing("HighErrorRate", **LOCAL),
            values=[
                ("round(environment:http_requests:rate5m, 0.001)", {labels_text(LOCAL): 1}),
                ("round(environment:http_request_errors:ratio_rate5m, 0.001)", {labels_text(LOCAL): 0.25}),
                ("environment:active_users:max", {"environment:active_users:max" + labels_text(LOCAL): 7}),
                (
                    "round(environment_model_provider:ollama_tokens_per_second:ratio_rate5m, 0.001)",
                    {labels_text(ONE_MODEL): 20},
                ),
                ("round(environment_provider:ollama_resident_models:max)", {labels_text({**LOCAL, "provider": "ollama"}): 2}),
                (
                    'round(environment_model_provider_quantile:llm_time_to_first_token_seconds:histogram_quantile{quantile="0.95"}, 0.001)',
                    {labels_text({**ONE_MODEL, "quantile": "0.95"}): 1.95},
                ),
                (
                    "round(environment_model_provider_outcome:llm_requests:rate5m, 0.001)",
                    {labels_text({**ONE_MODEL, "outcome": "ok"}): 1},
                ),
            ],
        )


def database_cases():
    def world(up, pg_up, minutes=5):
        return World(PATHS["both"], minutes).rest_of_the_stack(without=["postgres"]).postgres(up, pg_up)

    down = firing("DatabaseDown", **LOCAL)
    yield Case("DatabaseDown: PostgreSQL gone", world("1x20", "1x4 0x15"), *down)
    yield Case("DatabaseDown: PostgreSQL gone, not yet", world("1x20", "1x4 0x15"), at=2)
    yield Case("DatabaseDown: exporter gone", world("1x4 0x15", "1x4 stale"), *down)
    yield Case("DatabaseDown: job gone", World(PATHS["both"], 5).rest_of_the_stack(without=["postgres"]), *down)
    yield Case("DatabaseDown: a moment only", world("1x20", "1x4 0x2 1x12"))
    nothing = World(PATHS["both"], 0, "gone:8000")
    nothing.minutes, nothing.input = 5, []
    for job in JOBS:
        nothing.other("up", {"environment": "local", "job": job, "instance": job}, steady(1, 5))
    yield Case(
        "all of the application gone",
        nothing,
        *firing("DatabaseDown", job="postgres"),
        *firing("ApiAbsent", job="jarvis-api"),
    )


def pipeline_cases():
    def world(paths=PATHS["both"], minutes=10, without=()):
        return World(paths, minutes).rest_of_the_stack(without)

    # neither path
    yield Case("ApiAbsent", world(paths=()), *firing("ApiAbsent", **LOCAL))
    yield Case("ApiAbsent: not yet", world(paths=()), at=0)
    yield Case("ApiAbsent: OTLP is enough", world(paths=("otlp",)))

    def requests(scraped, pushed, minutes=30):
        both = World((), minutes).rest_of_the_stack()
        both.input = [it for it in both.input if 'job="jarvis-api"' not in it["series"]]
        both.other("up", {**API, "instance": "api:8000", "telemetry_path": "scrape"}, steady(1, minutes))
        for path, rate in (("scrape", scraped), ("otlp", pushed)):
            if rate is not None:
                labels = {**API, "instance": "api:8000", **CHAT, "status": "200", "telemetry_path": path}
                both.other("http_requests_total", labels, rising(rate, minutes))
        return both

    disagree = firing("MetricPathsDisagree", instance="api:8000", **LOCAL)
    yield Case("MetricPathsDisagree: OTLP loses", requests(1, 0.8), *disagree)
    yield Case("MetricPathsDisagree: the scrape loses", requests(0.8, 1), *disagree)
    yield Case("MetricPathsDisagree: just below", requests(1, 0.95))
    yield Case("MetricPathsDisagree: no traffic", requests(0, 0))
    yield Case("MetricPathsDisagree: not yet", requests(1, 0.5), at=14)
    for missing, rates in (("otlp", (1, None)), ("scrape", (None, 1))):
        yield Case(f"MetricPathsDisagree: no {missing}", requests(*rates), *disagree)

    collector = {"environment": "local", "job": "otel-collector", "instance": "otel-collector"}

    def lost(metric, per_second):
        return world().other(f"otelcol_{metric}_total", {**collector, "exporter": "x"}, rising(per_second, 10))

    for reason in ("exporter_send_failed", "exporter_enqueue_failed", "receiver_refused"):
        dropping = firing("CollectorDropping", reason=reason, signal="log_records", **LOCAL)
        yield Case(f"CollectorDropping: {reason}", lost(f"{reason}_log_records", 0.1), *dropping)
        yield Case(f"CollectorDropping: no {reason}", lost(f"{reason}_log_records", 0))
    first = world().other("otelcol_exporter_send_failed_spans_total", {**collector, "exporter": "x"}, "_x28 3x12")
    yield Case("CollectorDropping: the first loss", first, *firing("CollectorDropping", reason="exporter_send_failed", signal="spans", **LOCAL))
    old = world(minutes=20, without=["otel-collector"])
    old.other("up", {"environment": "local", "job": "otel-collector", "instance": "otel-collector"}, "1x20 _x48 1x12")
    old.other("otelcol_exporter_send_failed_spans_total", {**collector, "exporter": "x"}, "3x20 _x48 3x12")
    yield Case("CollectorDropping: an old loss reappears", old, *firing("MonitoringPartDown", job="otel-collector"), at=19)
    yield Case("CollectorDropping: sent items are not lost", lost("exporter_sent_log_records", 9))

    def queue(size):
        labels = {**collector, "exporter": "otlp_http/logs"}
        full = world().other("otelcol_exporter_queue_capacity", labels, steady(1000, 10))
        return full.other("otelcol_exporter_queue_size", labels, steady(size, 10))

    filling = firing("CollectorQueueFilling", exporter="otlp_http/logs", **LOCAL)
    yield Case("CollectorQueueFilling", queue(510), *filling)
    yield Case("CollectorQueueFilling: just below", queue(490))
    yield Case("CollectorQueueFilling: empty", queue(0))

    for job in JOBS:
        labels = {"environment": "local", "job": job, "instance": job}
        down = firing("MonitoringPartDown", job=job, **LOCAL)
        yield Case(f"MonitoringPartDown: {job}", world(without=[job]).other("up", labels, "1x4 0x36"), *down)
        yield Case(f"MonitoringPartDown: {job} for a moment", world(without=[job]).other("up", labels, "1x4 0x4 1x31"))
        gone = firing("MonitoringPartDown", job=job)
        yield Case(f"MonitoringPartDown: job {job} gone", world(without=[job]), *gone)


def replica_cases():
    requests = [("round(environment:http_requests:rate5m, 0.001)", {labels_text(LOCAL): 3})]
    one = World(("scrape",), 14, "a:8000").rest_of_the_stack().requests(CHAT, "200", 1)
    other = World(("otlp",), 14, "b:8000").requests(CHAT, "200", 2)
    one.input += other.input
    yield Case("two replicas, each by one path", one, values=requests)

    # Instances with the same name in two installations: neither hides the other.
    here = World(("scrape",), 14).rest_of_the_stack().requests(CHAT, "200", 1)
    there = World(("otlp",), 14).requests(CHAT, "200", 2)
    here.input += [{**it, "series": it["series"].replace('"local"', '"b"')} for it in there.input]
    for it in (*JOBS, "postgres"):
        here.other("up", {"environment": "b", "job": it, "instance": it}, steady(1, 14))
    rates = {labels_text(LOCAL): 1, labels_text({"environment": "b"}): 2}
    yield Case("two installations", here, values=[("round(environment:http_requests:rate5m, 0.001)", rates)])

    # A restart on both paths: the counters start again, the scrape fails twice, OTLP is late.
    restarted = World((), 30).rest_of_the_stack()
    restarted.input = [it for it in restarted.input if 'job="jarvis-api"' not in it["series"]]
    instance = {**API, "instance": "api:8000"}
    restarted.other("up", {**instance, "telemetry_path": "scrape"}, "1x60 0x1 1x58")
    for path, gap in (("scrape", "stale _"), ("otlp", "_ _")):
        labels = {**instance, **CHAT, "status": "200", "telemetry_path": path}
        restarted.other("http_requests_total", labels, f"0+15x60 {gap} 0+15x58")
        restarted.other("http_active_requests", {**instance, "telemetry_path": path}, f"2x60 {gap} 2x58")
    active = "environment_instance:http_active_requests:sum"
    doubled = [(active, {active + labels_text({**LOCAL, "instance": "api:8000"}): 2})]
    for minute in (16, 17, 20, 29):
        yield Case(f"a restart, {minute} minutes in", restarted, at=minute, values=doubled)

    # The scrape fails for good at minute 10: OTLP has the true rate and is used at once.
    fading = World(("otlp",), 14).rest_of_the_stack().requests(CHAT, "200", 1)
    fading.input = [it for it in fading.input if not it["series"].startswith("up{environment=\"local\", job=\"jarvis-api\"")]
    fading.other("up", {**instance, "telemetry_path": "scrape"}, "1x40 0x15")
    labels = {**instance, **CHAT, "status": "200", "telemetry_path": "scrape"}
    fading.other("http_requests_total", labels, "0+15x40 stale")
    rate = [("round(environment:http_requests:rate5m, 0.001)", {labels_text(LOCAL): 1})]
    for minute in (11, 13):
        yield Case(f"the scrape fails, {minute - 10} minutes later", fading, at=minute, values=rate)


def burn_cases():
    """Burn-rate alerts, with slo.yml alone and the series that it reads: days take too long at a step of 15 s."""
    requests = "environment_method_route_status:http_requests:rate5m"
    broken = "environment_route:http_responses_broken:rate5m"
    total, buckets = "environment:http_requests:rate5m", "environment_le_model_provider:llm_time_to_first_token_seconds_bucket:rate5m"

    def availability(bad, streams, good, hours, theirs=0):
        steps = hours * 60
        return [
            series(requests, {**LOCAL, **CHAT, "status": "502"}, f"{bad}x{steps}"),
            series(requests, {**LOCAL, **CHAT, "status": "200"}, f"{good}x{steps}"),
            series(requests, {**LOCAL, **CHAT, "status": "429"}, f"{theirs}x{steps}"),
            series(requests, {**LOCAL, **CHAT, "status": "499"}, f"{theirs}x{steps}"),
            series(broken, {**LOCAL, "route": CHAT["route"]}, f"{streams}x{steps}"),
            series(total, LOCAL, f"{bad + good + 2 * theirs}x{steps}"),
        ]

    def first_token(late, in_time, hours):
        steps = hours * 60
        return [
            series(buckets, {**ONE_MODEL, "le": "2"}, f"{in_time}x{steps}"),
            series(buckets, {**ONE_MODEL, "le": "+Inf"}, f"{in_time + late}x{steps}"),
        ]

    def burn(name, windows):
        slo = {"AvailabilityBudgetBurn": "availability", "FirstTokenBudgetBurn": "first_token"}[name]
        return [
            {"alertname": name, "window": it, "slo": slo, "severity": "critical" if it in ("1h", "6h") else "warning", **LOCAL}
            for it in windows
        ]

    def slo_case(name, given, hours, *expected):
        world = World((), 0)
        world.input, world.minutes = given, hours * 60
        return Case(name, world, *expected, always=(), step="1m")  # slo.yml has no Watchdog

    # share of failures, hours, windows that fire then: 14.4 × 0.5 % is 7.2 %
    for share, hours, windows in (
        (0.073, 2, ["1h", "6h", "1d"]),
        (0.071, 2, ["6h", "1d"]),
        (0.031, 2, ["6h", "1d"]),
        (0.029, 2, ["1d"]),
        (0.016, 2, ["1d"]),
        (0.014, 4, ["3d"]),
        (0.006, 4, ["3d"]),
        (0.004, 4, []),
        (0, 4, []),
    ):
        windows = [*windows, "3d"] if hours >= 4 and "3d" not in windows and windows else windows
        expected = burn("AvailabilityBudgetBurn", windows)
        for kind, given in (("5xx", (share, 0)), ("broken streams", (0, share))):
            world = availability(given[0], given[1], 1 - given[0], hours)
            yield slo_case(f"AvailabilityBudgetBurn: {share:.1%} {kind}", world, hours, *expected)
    yield slo_case("AvailabilityBudgetBurn: 4xx and 499 are not failures", availability(0, 0, 0.2, 4, theirs=0.4), 4)
    yield slo_case("AvailabilityBudgetBurn: no traffic", availability(0, 0, 0, 4), 4)
    # half of the requests fail, which are 3 in four hours
    yield slo_case("AvailabilityBudgetBurn: too few failures", availability(0.0002, 0, 0.0002, 4), 4)
    for share, hours, windows in ((0.73, 2, ["1h", "6h", "1d"]), (0.71, 2, ["6h", "1d"]), (0.051, 4, ["3d"]), (0.049, 4, [])):
        expected = burn("FirstTokenBudgetBurn", windows)
        yield slo_case(f"FirstTokenBudgetBurn: {share:.1%}", first_token(share, 1 - share, hours), hours, *expected)
    yield slo_case("FirstTokenBudgetBurn: no traffic", first_token(0, 0, 4), 4)


ALL_BUT_BURN_RATES = ("recording.yml", "alerts.yml")
SUITES = {
    "service": (ALL_BUT_BURN_RATES, api_cases, "15s"),
    "database": (ALL_BUT_BURN_RATES, database_cases, "15s"),
    "pipeline": (ALL_BUT_BURN_RATES, pipeline_cases, "15s"),
    "replicas": (ALL_BUT_BURN_RATES, replica_cases, "15s"),
    "burn": (("slo.yml",), burn_cases, "1m"),
}


@unittest.skipUnless(os.access(PROMTOOL, os.X_OK), f"{PROMTOOL} is not built")
class Promtool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Runs all cases in one process; the output of each suite follows the name of its file."""
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for name, (rules, cases, interval) in SUITES.items():
                content = {
                    "rule_files": [str(RULES / it) for it in rules],
                    "evaluation_interval": interval,
                    "fuzzy_compare": True,
                    "tests": list(groups(cases())),
                }
                files[name] = Path(folder) / f"{name}.yml"
                files[name].write_text(json.dumps(content))
            command = [PROMTOOL, "test", "rules", *files.values()]
            quick = {**os.environ, "GOGC": "400"}  # garbage collection takes a third of the time otherwise
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1200, env=quick
            )
        cls.output = dict.fromkeys(files, "SUCCESS" if done.returncode == 0 else done.stdout[:8000])
        suite = None
        for line in done.stdout.splitlines():
            begun = [name for name, file in files.items() if str(file) in line]
            if begun:
                suite = begun[0]
                cls.output[suite] = ""
            elif suite:
                cls.output[suite] += line.strip() + "\n"

    def assert_passed(self, suite):
        output = self.output[suite].strip()
        if output != "SUCCESS":
            self.fail(output[:8000])

    def test_the_service(self):
        self.assert_passed("service")

    def test_the_database(self):
        self.assert_passed("database")

    def test_the_pipeline(self):
        self.assert_passed("pipeline")

    def test_replicas_and_restarts(self):
        self.assert_passed("replicas")

    def test_burn_rates(self):
        self.assert_passed("burn")

    def test_lint(self):
        command = [PROMTOOL, "check", "rules", "--lint=all", "--lint-fatal", *sorted(RULES.glob("*.yml"))]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Files(unittest.TestCase):
    def test_generated_files_are_up_to_date(self):
        for name, text in generate_rules.files().items():
            self.assertEqual((RULES / name).read_text(), text, f"{name}: run `make generate`")
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        self.assertEqual(config["global"]["evaluation_interval"], f"{objectives.EVALUATION_SECONDS}s")

    def test_the_specified_alerts(self):
        specified = {
            "HighErrorRate": ("5m", "critical", "Taux d'erreur élevé"),
            "SlowAPI": ("10m", "warning", "API lente (p95 > 2s)"),
            "DatabaseDown": ("1m", "critical", "PostgreSQL down"),
        }
        found = {it["alert"]: it for it in alerts() if it["alert"] in specified}
        for name, (hold, severity, summary) in specified.items():
            rule = found[name]
            self.assertEqual((rule["for"], rule["labels"]["severity"], rule["annotations"]["summary"]), (hold, severity, summary))

    def test_every_alert_has_a_description_a_runbook_and_a_dashboard(self):
        uids = {json.loads(it.read_text())["uid"] for it in DASHBOARDS.glob("*.json")}
        for rule in alerts():
            name, notes = rule["alert"], rule["annotations"]
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "none"), name)
            self.assertTrue(notes["summary"] and notes["description"], name)
            self.assertEqual(notes["runbook_url"], f"{{{{ $externalLabels.runbooks }}}}/{name}.md")
            self.assertIn(re.search(r"/d/([\w-]+)", notes["dashboard_url"])[1], uids, name)

    def test_every_alert_has_its_runbook_and_every_runbook_its_alert(self):
        pages = {it.stem for it in RUNBOOKS.glob("*.md")} - {"README"}
        self.assertEqual(pages, {it["alert"] for it in alerts()})
        for page in pages:
            text = (RUNBOOKS / f"{page}.md").read_text()
            for heading in ("## What it means", "## How to look", "## What to do"):
                self.assertIn(heading, text, page)


if __name__ == "__main__":
    unittest.main()
