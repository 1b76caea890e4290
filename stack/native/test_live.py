"""Runs the queries of dashboards, rules and links on the live stack of `make e2e`: each must find data.

First, every feature of the service is used, and every kind of failure is caused.
"""

import json
import os
import re
import subprocess
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import compose
import logs
import yaml
from promql import metrics_of, selectors
from test_grafana import DASHBOARDS, RULES, datasources, panels, promql_queries

LIMIT_SECONDS = 60
API = "http://127.0.0.1:8000"
MODEL = "smollm2:135m"
KEY = os.environ.get("JARVIS_E2E_API_KEY", "")
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# Panels (by title) and series (by name) that are expected to be empty here, with the reason.
EXPECTED_EMPTY = {
    "Firing alerts": "no alert fires after the outage; the annotation shows that the query finds alerts that fired",
    "environment_instance_signal:otel_sdk_dropped:rate5m": "the service drops items only after minutes without a collector",
}
# Metrics of libraries that the service exposes and no rule records, and why not.
NOT_RECORDED = {
    "classloader_loadedClasses_count": "only useful with a heap dump",
    "classloader_loadedClasses_total": "as above",
    "classloader_unloadedClasses_total": "as above",
    "thread_daemon_count": "included in thread_count",
    "thread_max_count": "the maximum of thread_count over time shows it",
    "thread_starts": "only useful with a profiler",
    "hikaricp_connections": "active and idle add up to it",
    "hikaricp_connections_min": "a setting",
    "hikaricp_connections_acquire_max_seconds": "the spans show the slow ones",
    "hikaricp_connections_creation_max_seconds": "as above",
    "hikaricp_connections_creation_seconds": "as above",
    "hikaricp_connections_usage_max_seconds": "as above",
    "hikaricp_connections_timeout_total": "a timeout is an error of its operation",
    "otel_sdk_exporter_log_exported_total": "the collector's own counts show what arrived",
    "otel_sdk_exporter_metric_data_point_exported_total": "as above",
    "otel_sdk_exporter_span_exported_total": "as above",
    "otel_sdk_exporter_log_inflight": "moves within milliseconds",
    "otel_sdk_exporter_metric_data_point_inflight": "as above",
    "otel_sdk_exporter_span_inflight": "as above",
    "otel_sdk_exporter_operation_duration_seconds": "export delays no request",
    "otel_sdk_metric_reader_collection_duration_seconds": "as above",
    "otel_sdk_log_total": "twice http_requests_total",
    "otel_sdk_processor_log_queue_capacity": "a constant",
    "otel_sdk_processor_log_queue_size": "what does not fit is counted as dropped",
    "otel_sdk_processor_span_queue_capacity_span": "a constant",
    "otel_sdk_processor_span_queue_size_span": "what does not fit is counted as dropped",
    "otel_sdk_span_live": "http_active_requests shows the same",
    "otel_sdk_span_started_total": "the span metrics count them by name",
}


def get(url, **parameters):
    if parameters:
        url += "?" + urllib.parse.urlencode(parameters)
    with HTTP.open(url, timeout=20) as response:
        return json.load(response)


def prometheus(query):
    return get("http://127.0.0.1:9090/api/v1/query", query=query)["data"]["result"]


def prometheus_range(query):
    """A range query over the last ten minutes."""
    now = time.time()
    data = get("http://127.0.0.1:9090/api/v1/query_range", query=query, start=now - 600, end=now, step=5)["data"]
    return data["result"]


def log_lines(query):
    return logs.store().find(query, since="30m", limit=100)


def traces(operation):
    query = {"service": "jarvis-api", "operation": operation, "limit": 5, "lookback": "1h"}
    return get("http://127.0.0.1:16686/api/traces", **query)["data"]


def exemplars(query):
    now = time.time()
    return get("http://127.0.0.1:9090/api/v1/query_exemplars", query=query, start=now - 600, end=now)["data"]


def has_number(result):
    values = [value for it in result for _, value in it.get("values", [it.get("value")])]
    return any(it != "NaN" for it in values)


# The initial values of a dashboard's variables, and a selection.
ALL = dict.fromkeys(("environment", "route", "model", "provider"), ".*")
CHOSEN = {"environment": "local", "route": "/v1/models/{id}", "model": MODEL, "provider": "ollama"}


def filled(expression, variables=None):
    """The query as Grafana sends it: selected values are escaped for a regular expression in a quoted string."""
    for variable, value in (("$__rate_interval", "1m"), ("$__range", "10m")):
        expression = expression.replace(variable, value)
    escaped = {k: re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", v) for k, v in (variables or {}).items()}
    values = {**ALL, **escaped}
    return re.sub(r"\$(environment|route|model|provider)\b", lambda m: values[m[1]], expression)


def ask(path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, {"Authorization": f"Bearer {KEY}", **headers})
    try:
        with HTTP.open(request, timeout=60) as response:
            response.read()
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def chat(stream=False, model=MODEL, **headers):
    messages = [{"role": "user", "content": "Say hello."}]
    body = {"model": model, "messages": messages, "max_tokens": 8, "stream": stream}
    return ask("/v1/chat/completions", body, **headers)


def admin(method, path, body=None):
    """What the API of administrators answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with HTTP.open(urllib.request.Request(f"{API}/v1/admin{path}", data, headers, method=method), timeout=60) as response:
        return json.load(response)


def upload(text, filename="lamp.txt"):
    form = f"""--XX\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--XX\r
Content-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n{text}\r\n--XX--\r\n"""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "multipart/form-data; boundary=XX"}
    with HTTP.open(urllib.request.Request(f"{API}/v1/files", form.encode(), headers), timeout=60) as response:
        return json.load(response)["id"]


def status(file):
    request = urllib.request.Request(f"{API}/v1/files/{file}", headers={"Authorization": f"Bearer {KEY}"})
    with HTTP.open(request, timeout=60) as response:
        return json.load(response)["status"]


def stack(*arguments):
    subprocess.run([Path(__file__).parent / "stack", *arguments], check=True, stdout=subprocess.DEVNULL, timeout=120)


@unittest.skipUnless(KEY, "needs the running stack of `make e2e`")
class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.use_everything()
        stack("stop", "ollama")
        try:
            firing = 'ALERTS{alertname="DependencyDown", dependency="ollama", alertstate="firing"}'
            cls.until("the outage of Ollama fires an alert", lambda: chat() == 502 and prometheus(firing))
        finally:
            stack("start", "ollama")
        cls.until("Ollama responds again", lambda: chat() == 200)
        cls.use_everything()  # again, because a rate does not see the first value of a series

    @classmethod
    def use_everything(cls):
        for stream in (False, True) * 3:
            chat(stream)
        ask("/v1/embeddings", {"model": MODEL, "input": "hello"})
        file = upload(f"The lamp of lighthouse {time.monotonic_ns()} is green.")
        cls.until("a document is processed", lambda: status(file) == "processed")
        ask("/v1/search", {"query": "Which colour is the lamp?"})
        chat(model="nowhere")
        for path in ("/v1/models", "/v1/models/nowhere", "/nowhere"):
            ask(path)

    @staticmethod
    def until(what, condition):
        end = time.monotonic() + LIMIT_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not within {LIMIT_SECONDS} s: {what}")
            time.sleep(0.5)

    def test_every_query_of_every_panel_finds_data(self):
        for name, panel in panels():
            for target in panel["targets"]:
                if panel["title"] in EXPECTED_EMPTY or metrics_of(filled(target["expr"])) & set(EXPECTED_EMPTY):
                    continue
                for variables in ({}, CHOSEN):
                    query = filled(target["expr"], variables)
                    if target["datasource"]["uid"] == "loki":
                        self.until(f"{name}: {query}", lambda: log_lines(query))
                    else:
                        run = prometheus if target.get("instant") else prometheus_range
                        self.until(f"{name}: {query}", lambda: has_number(run(query)))

    def test_every_annotation_and_variable_finds_data(self):
        for file, dashboard in DASHBOARDS.items():
            for it in dashboard["annotations"]["list"]:
                self.assertTrue(prometheus_range(filled(it["expr"])), f"{file}: {it['name']}")
            for it in dashboard["templating"]["list"]:
                series, label = re.match(r"label_values\((.+), (\w+)\)$", it["definition"]).groups()
                self.assertTrue(any(label in one["metric"] for one in prometheus(filled(series))), f"{file}: {label}")

    def test_every_value_that_a_query_filters_by_exists(self):
        for name, expression, _ in promql_queries():
            for series, matchers in selectors(filled(expression)):
                if series in EXPECTED_EMPTY:
                    continue
                for label, operator, value in re.findall(r'(\w+)(=~?)"([^"]*)"', matchers):
                    for one in value.split("|") if operator == "=~" else [value]:
                        if one not in ("", ".*"):
                            query = f'{series}{{{label}{operator}"{one}"}}'
                            self.until(f"{name}: {query}", lambda: prometheus_range(query))

    def test_every_recording_rule_records(self):
        groups = get("http://127.0.0.1:9090/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        written = [it for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for it in group["rules"]]
        self.assertEqual(len(rules), len(written))
        for rule in rules:
            self.assertEqual(rule["health"], "ok", f"{rule['name']}: {rule.get('lastError')}")
            if rule["type"] == "recording" and rule["name"] not in EXPECTED_EMPTY:
                labels = ", ".join(f'{k}="{v}"' for k, v in rule.get("labels", {}).items())
                query = f"{rule['name']}{{{labels}}}"
                if not self.expected_silent(query):
                    self.until(query, lambda: has_number(prometheus_range(query)))
                    for series in prometheus(query):
                        self.assertEqual(series["metric"].get("environment"), "local", series["metric"])

    @staticmethod
    def expected_silent(query):
        """The collector's counters of losses appear with the first loss."""
        return query.startswith("environment_reason_signal:otelcol_lost") and "exporter_" in query

    def test_every_exposed_metric_is_recorded(self):
        with HTTP.open(f"{API}/metrics", timeout=10) as response:
            families = re.findall(r"^# TYPE (\w+) ", response.read().decode(), re.M)
        read = set()
        for file in RULES:
            for group in yaml.safe_load(file.read_text())["groups"]:
                for rule in group["rules"]:
                    read |= metrics_of(rule["expr"])
        for family in families:
            names = {family, *(f"{family}_{it}" for it in ("bucket", "sum", "count"))}
            self.assertEqual(bool(names & read), family not in NOT_RECORDED, f"{family}: must be either recorded or in NOT_RECORDED")

    def test_links_find_traces_and_logs(self):
        for name, panel in panels():
            defaults = panel["fieldConfig"]["defaults"].get("links", [])
            own = [p["value"] for it in panel["fieldConfig"]["overrides"] for p in it["properties"] if p["id"] == "links"]
            for link in [*defaults, *(link for links in own for link in links)]:
                panes = urllib.parse.parse_qs(link["url"].split("?", 1)[1])["panes"][0]
                query = json.loads(panes)["a"]["queries"][0]
                series = [it for t in panel["targets"] for it in prometheus_range(filled(t["expr"]))]
                filters = [self.fill_link(query, it["metric"]) for it in series]
                if query["datasource"]["uid"] == "jaeger" and panel["title"] not in EXPECTED_EMPTY:
                    named = {it["operation"] for it in filters if "${" not in it["operation"]}
                    if named and not self.is_expected_empty(panel):
                        self.assertTrue(any(traces(it) for it in named), f"{name}: no traces of {named}")
                elif query["datasource"]["uid"] == "loki":
                    for it in filters:
                        log_lines(it["expr"])  # the store can parse it

    @staticmethod
    def is_expected_empty(panel):
        return any(metrics_of(filled(it["expr"])) & set(EXPECTED_EMPTY) for it in panel["targets"]) or any(
            "object_store" in it["expr"] for it in panel["targets"]
        )

    @staticmethod
    def fill_link(query, labels):
        text = json.dumps(query)
        text = re.sub(r"\$\{__field\.labels\.(\w+)\}", lambda m: labels.get(m[1], m[0]), text)
        return json.loads(re.sub(r"\$\{__data\.fields\.\w+\}", lambda m: labels.get("span_name", m[0]), text))

    def test_metric_to_trace_to_logs_and_metrics(self):
        # an exemplar of the service's own histogram, and one of the collector's span metrics
        for query in (
            'http_request_duration_seconds_bucket{telemetry_path="scrape", route="/v1/chat/completions"}',
            'llm_time_to_first_token_seconds_bucket{telemetry_path="scrape"}',
            'traces_span_metrics_duration_seconds_bucket{span_name="POST /v1/chat/completions"}',
        ):

            def known():
                chat()
                found = [e["labels"]["trace_id"] for it in exemplars(query) for e in it["exemplars"]]
                return [it for it in found[-5:] if self.trace(it)]

            self.until(f"an exemplar of {query} whose trace Jaeger has", known)
        trace = known()[-1]
        jaeger = datasources()["jaeger"]["jsonData"]
        its_lines = jaeger["tracesToLogsV2"]["query"].replace("$${__trace.traceId}", trace)
        self.until(its_lines, lambda: log_lines(its_lines))
        field = datasources()["loki"]["jsonData"]["derivedFields"][0]
        self.assertTrue(self.trace(log_lines(its_lines)[0].fields[field["matcherRegex"]]), "log line → trace")
        tags = {it["key"]: it["value"] for it in jaeger["tracesToMetrics"]["tags"]}
        values = {"http.route": "/v1/chat/completions", "gen_ai.request.model": MODEL}
        self.assertEqual(set(tags), set(values))
        for it in jaeger["tracesToMetrics"]["queries"]:
            about = "model" if "model" in it["name"] else "route"
            tag = next(f'{label}="{values[key]}"' for key, label in tags.items() if label == about)
            query = it["query"].replace("$$__tags", tag)
            self.until(query, lambda: has_number(prometheus(query)))

    @staticmethod
    def trace(trace_id):
        try:
            return get(f"http://127.0.0.1:16686/api/traces/{trace_id}")["data"]
        except urllib.error.HTTPError:
            return []

    def test_a_log_line_is_found_by_its_trace(self):
        trace = uuid.uuid4().hex
        self.assertEqual(chat(traceparent=f"00-{trace}-00f067aa0ba902b7-01"), 200)
        query = f'{{service_name="jarvis-api", deployment_environment_name="local"}} | trace_id="{trace}"'
        self.until(query, lambda: log_lines(query))


@unittest.skipUnless(KEY, "needs the running stack of `make e2e`")
class HealthChecks(unittest.TestCase):
    """Runs those of Compose's health checks that need only wget or bash, against the same ports of the native stack."""

    def test_they_pass_if_the_part_is_healthy(self):
        services = compose.load()["services"]
        for name in ("seaweedfs", "prometheus", "alertmanager", "jaeger", "api"):
            kind, *command = [it.replace("$$", "$") for it in services[name]["healthcheck"]["test"]]
            self.assertEqual(kind, "CMD")
            result = subprocess.run(command, capture_output=True, text=True, timeout=10)
            self.assertEqual(result.returncode, 0, f"{name}: {result.stderr}")


if __name__ == "__main__":
    unittest.main()
