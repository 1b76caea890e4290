"""Parses every LogQL expression of dashboards, links and documents with Grafana's grammar, and tests logs.py."""

import gzip
import http.server
import json
import re
import subprocess
import threading
import unittest
import urllib.parse
from urllib.parse import unquote

import compose
import logs
import loki_otlp
import yaml
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from test_grafana import datasources, panels

ROOT = compose.STACK.parent
# In documents, an expression is in shell quotes, or alone on its line.
QUOTED = re.compile(r"""'(?P<single>[^'\n]*\{service_name[^'\n]*)'|"query=(?P<double>(?:[^"\\\n]|\\.)*\{service_name(?:[^"\\\n]|\\.)*)\"""")


def documents():
    """(file, LogQL) of every expression in the documents."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    for file in listed.stdout.splitlines():
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if "{service_name" in line:
                found = QUOTED.search(line)
                double = found and found["double"] and re.sub(r"\\(.)", r"\1", found["double"])
                yield file, (double or found["single"] if found else line.strip())


def dashboards():
    """(panel, LogQL) of every query and link."""
    for name, panel in panels():
        for target in panel["targets"]:
            if target["datasource"]["uid"] == "loki":
                yield name, target["expr"]
        for link in re.findall(r"panes=([^\"&\\]+)", json.dumps(panel)):
            for query in json.loads(unquote(link))["a"]["queries"]:
                if query["datasource"]["uid"] == "loki":
                    yield f"{name}: link", query["expr"]
    yield "trace to logs", datasources()["jaeger"]["jsonData"]["tracesToLogsV2"]["query"]


def fields(parsed):
    """The names of the fields that an expression reads, except those in its selector."""
    return {it[0] for it in parsed["filters"] if it[0]} | set(parsed.get("by", []))


class Expressions(unittest.TestCase):
    def test_every_expression_can_be_parsed(self):
        everywhere = [*documents(), *dashboards()]
        self.assertGreater(len({file for file, _ in documents()}), 8)
        parsed = logs.parse([it for _, it in everywhere])  # raises an error that names an invalid expression
        for (where, text), it in zip(everywhere, parsed):
            self.assertIn("service_name", [label for label, *_ in it["stream"]], f"{where}: {text}")

    def test_a_mistake_is_named(self):
        for text, part in (
            ('{service_name="jarvis-api"', "cannot be read at character 26"),
            ('{service_name="jarvis-api"} | status>=', "cannot be read at character"),
            ('{service_name="jarvis-api"} | json', "uses LabelParser"),
            ('{service_name="jarvis-api"} | a="1" or b="2"', "uses Or"),
            ('{service_name="jarvis-api"} |= "a" or "b"', "uses LineFilter"),
            ('{service_name="jarvis-api"} |= ip("1.2.3.4")', "uses LineFilter"),
            ('{service_name="jarvis-api"} |> "a"', "uses LineFilter"),
            ('{service_name="jarvis-api"} | status!=500', "uses NumberFilter"),
        ):
            with self.assertRaisesRegex(logs.QueryError, part):
                logs.parse([text])


class VictoriaLogs(unittest.TestCase):
    names = {"service_name": "service.name"}

    def test_logsql(self):
        for query, expected in {
            '{service_name="jarvis-api"}': '"service.name":="jarvis-api"',
            "{service_name=~`jarvis.*`} | status>=500": '"service.name":~"^(?:jarvis.*)$" "status":>=500',
            '{service_name="a"} | route!~"/health|/metrics"': '"service.name":="a" !"route":~"^(?:/health|/metrics)$"',
            '{service_name="a"} | error!=""': '"service.name":="a" !"error":=""',
            '{service_name="a"} |= "a.b" != "c"': r'"service.name":="a" "_msg":~"a\\.b" !"_msg":~"c"',
            '{service_name="a"} |~ "a|b" !~ "c.*d"': '"service.name":="a" "_msg":~"a|b" !"_msg":~"c.*d"',
            'topk(5, sum by (user_id, model) (count_over_time({service_name="a"} | outcome="ok" [6h])))': '"service.name":="a" "outcome":="ok"'
            ' | stats by ("user_id", "model") count() lines | sort by (lines desc) limit 5',
            'sum by (status) (count_over_time({service_name="a"}[15m]))': '"service.name":="a" | stats by ("status") count() lines',
        }.items():
            self.assertEqual(logs.logsql(logs.parse([query])[0], self.names), expected, query)


class Stores(unittest.TestCase):
    """The requests to each store and the use of its responses. `make e2e` queries a real store."""

    def answering(self, store, *bodies):
        requests, bodies = [], list(bodies)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(bodies.pop(0).encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        store.URL = f"http://127.0.0.1:{server.server_port}"
        return store, requests

    def test_lines_of_loki_are_returned_newest_first(self):
        old, new = ["1000000000", "a", {}], ["3000000000", "b"]
        streams = [{"stream": {"x": "1"}, "values": [old]}, {"stream": {"x": "2"}, "values": [new]}]
        body = json.dumps({"data": {"resultType": "streams", "result": streams}})
        loki, requests = self.answering(logs.Loki(), body)
        found = loki.find('{service_name="a"}', since="15m")
        self.assertEqual([(it.time, it.text, it.fields) for it in found], [(3, "b", {"x": "2"}), (1, "a", {"x": "1"})])
        self.assertRegex(requests[0], r"^/loki/api/v1/query_range\?.*since=15m")

    def test_counts_of_loki_are_the_current_ones(self):
        body = json.dumps({"data": {"resultType": "vector", "result": [{"metric": {"status": "500"}, "value": [7.5, "3"]}]}})
        loki, requests = self.answering(logs.Loki(), body)
        found = loki.find('sum by (status) (count_over_time({service_name="a"}[15m]))')
        self.assertEqual([(it.time, it.text, it.fields) for it in found], [(7.5, "3", {"status": "500"})])
        self.assertRegex(requests[0], r"^/loki/api/v1/query\?")

    def test_lines_of_victoria_logs_have_lokis_names(self):
        names = json.dumps({"values": [{"value": "service.name", "hits": 1}]})
        rows = [
            {"_time": "1970-01-01T00:00:01Z", "_msg": "a", "_stream": "{}", "service.name": "s"},
            {"_time": "1970-01-01T00:00:03Z", "_msg": "b", "service.name": "s"},
        ]
        store, requests = self.answering(logs.VictoriaLogs(), names, "\n".join(map(json.dumps, rows)))
        found = store.find('{service_name="s"}')
        self.assertEqual([(it.time, it.text, it.fields) for it in found], [(3, "b", {"service_name": "s"}), (1, "a", {"service_name": "s"})])
        self.assertIn(urllib.parse.quote_plus('"service.name":="s"'), requests[1])

    def test_an_unreachable_store_and_an_invalid_duration_are_named(self):
        for store in (logs.Loki(), logs.VictoriaLogs()):
            store.URL = "http://127.0.0.1:1"
            with self.assertRaisesRegex(logs.QueryError, "http://127.0.0.1:1/.* does not respond"):
                store.find('{service_name="a"}')
            with self.assertRaisesRegex(logs.QueryError, "'90' is not a duration; write 30s, 15m, 1h30m or 7d."):
                store.find('{service_name="a"}', since="90")
        self.assertEqual(logs.seconds("1h30m"), 5400)


class LokiOtlp(unittest.TestCase):
    """Loki's documented mapping; `make e2e` feeds it what the collector sends."""

    def test_labels_metadata_and_line(self):
        def attribute(key, **value):
            return {"key": key, "value": value}

        record = {
            "timeUnixNano": "1",
            "severityText": "INFO",
            "severityNumber": 9,
            "body": {"stringValue": "request_completed"},
            "attributes": [
                attribute("http.route", stringValue="/health"),
                attribute("duration_ms", doubleValue=1.5),
                attribute("stream", boolValue=True),
                attribute("a", kvlistValue={"values": [attribute("b-c", intValue="7")]}),
            ],
        }
        request = {
            "resourceLogs": [
                {
                    "resource": {"attributes": [attribute("service.name", stringValue="x"), attribute("host.name", stringValue="h")]},
                    "scopeLogs": [{"scope": {"name": "dev.jarvis.request"}, "logRecords": [record]}],
                }
            ]
        }
        body = json_format.ParseDict(request, ExportLogsServiceRequest()).SerializeToString()
        config = yaml.safe_load((compose.STACK / "loki/local-config.yaml").read_text())
        metadata = {
            "host_name": "h",
            "scope_name": "dev.jarvis.request",
            "severity_text": "INFO",
            "severity_number": "9",
            "http_route": "/health",
            "duration_ms": "1.5",
            "stream": "true",
            "a_b_c": "7",
        }
        for sent in (body, gzip.compress(body)):
            self.assertEqual(list(loki_otlp.lines(sent, config)), [({"service_name": "x"}, metadata, "request_completed")])

    def test_the_collector_groups_lines_in_victoria_logs_by_lokis_labels(self):
        config = yaml.safe_load((compose.STACK / "loki/local-config.yaml").read_text())
        collector = yaml.safe_load((ROOT / "otel-collector/config.yaml").read_text())
        header = collector["exporters"]["otlp_http/logs"]["headers"]["VL-Stream-Fields"]
        self.assertEqual(header.split(","), loki_otlp.index_labels(config))


if __name__ == "__main__":
    unittest.main()
