"""Outages on the live stack of `make e2e`: an alert reaches the person on call, and no telemetry is lost while backends are
down."""

import http.server
import json
import os
import threading
import time
import unittest
import urllib.request
import uuid

import compose
import logs
import loki_otlp
import test_logs
import yaml
from test_live import HTTP, KEY, MODEL, admin, ask, chat, get, prometheus, stack, upload

OUTAGE_SECONDS = 30  # fifteen metric exports
LIMIT_SECONDS = 90


class Webhook:
    """Receives Alertmanager's calls on the port that `e2e` chose."""

    def __init__(self):
        self.calls = []
        calls = self.calls

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["JARVIS_E2E_WEBHOOK_PORT"])), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def alerts(self, name, status):
        return [it for call in self.calls for it in call["alerts"] if it["labels"]["alertname"] == name and it["status"] == status]


def until(what, condition):
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {LIMIT_SECONDS} s: {what}")
        time.sleep(0.5)


@unittest.skipUnless(KEY, "needs the running stack of `make e2e`")
class Alerts(unittest.TestCase):
    def test_a_database_outage_reaches_the_person_on_call(self):
        webhook = Webhook()
        self.addCleanup(webhook.close)
        stack("stop", "postgres")
        try:
            until("DatabaseDown arrives", lambda: webhook.alerts("DatabaseDown", "firing"))
            # Alertmanager knows the consequences and inhibits them
            until("DependencyDown is inhibited", lambda: self.inhibited("DependencyDown"))
            self.assertEqual(chat(), 200, "answers continue")
        finally:
            stack("start", "postgres")
        until("the end of DatabaseDown arrives", lambda: webhook.alerts("DatabaseDown", "resolved"))

        alert = webhook.alerts("DatabaseDown", "firing")[0]
        self.assertEqual(alert["labels"], {"alertname": "DatabaseDown", "severity": "critical", "environment": "local"})
        notes = alert["annotations"]
        self.assertEqual(notes["summary"], "PostgreSQL down")
        self.assertEqual(notes["runbook_url"], "docs/runbooks/DatabaseDown.md")
        self.assertEqual(notes["dashboard_url"], "http://localhost:3000/d/jarvis-database?var-environment=local")
        self.assertIn("local", notes["description"])
        self.assertFalse(webhook.alerts("Watchdog", "firing"), "it has its own receiver")
        until("the service writes rows again", lambda: get("http://127.0.0.1:8000/health")["checks"]["database"] == "ok")

    @staticmethod
    def inhibited(name):
        found = get("http://127.0.0.1:9093/api/v2/alerts", filter=f"alertname={name}")
        return [it for it in found if it["labels"].get("dependency") == "database" and it["status"]["inhibitedBy"]]


class StoreAndForward:
    """Listens in place of the log store, keeps what the collector sends, and forwards it later."""

    def __init__(self, url):
        self.requests = []
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {k: v for k, v in self.headers.items() if k.startswith(("Content-", "VL-"))}
                requests.append(urllib.request.Request(url + self.path, body, headers))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", int(url.rsplit(":", 1)[1])), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def forward(self):
        for it in self.requests:
            HTTP.open(it, timeout=20).close()


def log_store():
    """The log store, and the name of its part of the stack."""
    store = logs.store()
    return store, "loki" if isinstance(store, logs.Loki) else "victoria-logs"


@unittest.skipUnless(KEY, "needs the running stack of `make e2e`")
class LabelsOfLoki(unittest.TestCase):
    def test_the_collector_sends_every_label_and_field_that_logql_queries_use(self):
        config = yaml.safe_load((compose.STACK / "loki/local-config.yaml").read_text())
        store, part = log_store()
        stack("stop", part)
        collector = StoreAndForward(store.URL)

        def lines():
            sent = [it for request in collector.requests for it in loki_otlp.lines(request.data, config)]
            return [it for it in sent if it[0]["service_name"] == "jarvis-api"]

        def fields():
            return {name for _, metadata, _ in lines() for name in metadata}

        try:
            self.assertEqual(chat(), 200)
            self.assertEqual(chat(model="fails"), 504)
            long = {"model": MODEL, "num_ctx": 128, "max_tokens": 1, "messages": [{"role": "user", "content": "word " * 300}]}
            self.assertEqual(ask("/v1/chat/completions", long), 200, "a prompt that is cut")
            upload("%PDF-1.7 followed by no PDF", "broken.pdf")
            self.assertEqual(ask("/v1/models", Authorization="Bearer no-key"), 401, "a key that nobody has")
            key = admin("POST", "/keys", {"user_id": "admin", "limits": {"requests_per_minute": 1}})
            limited = {"Authorization": f"Bearer {key['key']}"}
            self.assertEqual([chat(**limited), chat(**limited)], [200, 429], "a key that is used up")
            admin("DELETE", f"/keys/{key['id']}")
            until("the first lines", lines)
            for where, text in [*test_logs.documents(), *test_logs.dashboards()]:
                [asked] = logs.parse([text])
                until(f"{where}: {text}", lambda: test_logs.fields(asked) <= fields())
                self.assertLessEqual({label for label, *_ in asked["stream"]}, set(lines()[0][0]), f"{where}: {text}")
            sent = lines()
        finally:
            collector.close()
            stack("start", part)
        for labels, _, _ in sent:
            self.assertEqual(labels, {"service_name": "jarvis-api", "deployment_environment_name": "local"})

        # and the store has what was sent, under these names
        until("the log store is back", store.answers)
        collector.forward()
        for labels, metadata, text in sent:
            query = f'{{service_name="jarvis-api"}} | span_id="{metadata.get("span_id", "")}" |= `{text}`'
            for name in ("observed_timestamp", "flags", "severity_number"):
                metadata.pop(name, None)
            expected = {**labels, **metadata}.items()
            until(query, lambda: any(expected <= it.fields.items() for it in store.find(query)))


@unittest.skipUnless(KEY, "needs the running stack of `make e2e`")
class Backends(unittest.TestCase):
    def test_nothing_is_missing_after_an_outage_of_log_store_and_prometheus(self):
        until("traffic", lambda: chat() == 200)
        store, part = log_store()
        asked = []
        began = time.time()
        stack("stop", part)
        stack("stop", "prometheus")
        try:
            end = time.monotonic() + OUTAGE_SECONDS
            while time.monotonic() < end:
                trace = uuid.uuid4().hex
                self.assertEqual(ask("/v1/models", traceparent=f"00-{trace}-00f067aa0ba902b7-01"), 200)
                asked.append(trace)
                time.sleep(0.25)
            ended = time.time()
        finally:
            stack("start", "prometheus")
            stack("start", part)

        def found():
            query = '{service_name="jarvis-api"} | route="/v1/models" |= "request_completed"'
            return {it.fields.get("trace_id") for it in store.find(query, since="10m", limit=5000)}

        until("the log store is back", store.answers)
        until(f"all {len(asked)} requests are in the log store", lambda: set(asked) <= found())
        until("Prometheus is back", lambda: self.ready("http://127.0.0.1:9090/-/ready"))

        def samples():
            """The times of the OTLP samples during the outage of Prometheus."""
            selector = 'http_requests_total{route="/v1/models", status="200", telemetry_path="otlp"}'
            result = prometheus(f"{selector}[10m]")
            return [at for it in result for at, _ in it["values"] if began <= at <= ended]

        # one every two seconds; a pause of more than three exports is a gap
        def whole():
            times = [began, *samples(), ended]
            return len(times) > 10 and max(b - a for a, b in zip(times, times[1:])) < 7

        until("no OTLP sample is missing", whole)
        increase = 'increase(http_requests_total{route="/v1/models", status="200", telemetry_path="otlp"}[5m])'
        until("all requests are counted", lambda: float(prometheus(increase)[0]["value"][1]) >= len(asked) * 0.95)

    @staticmethod
    def ready(url):
        try:
            get(url)
        except json.JSONDecodeError:
            return True  # it responds, in plain text
        except OSError:
            return False
        return True


if __name__ == "__main__":
    unittest.main()
