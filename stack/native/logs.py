"""Finds log lines in whichever store runs: Loki (with compose, or if JARVIS_LOKI names its program) or VictoriaLogs.

Queries are LogQL, as in Grafana and the runbooks; for VictoriaLogs they are translated to LogsQL. The supported subset is
what the dashboards, links and documents use: see logql/parse.
"""

import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

PARSER = Path(__file__).resolve().parent / "logql/parse"
# http_proxy must not apply to loopback.
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LIMIT_SECONDS = 20
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class QueryError(Exception):
    """A query is invalid or was rejected by the store; the message says why."""


@dataclass(frozen=True)
class Line:
    """A log line, or a series of an aggregation, whose text is its value."""

    time: float  # seconds since 1970
    text: str
    fields: dict  # names as in LogQL: dots are underscores


def store():
    """The store that runs on this machine; Loki if both do."""
    for it in (Loki(), VictoriaLogs()):
        if it.answers():
            return it
    raise QueryError(f"neither Loki ({Loki.URL}) nor VictoriaLogs ({VictoriaLogs.URL}) responds")


class Loki:
    URL = "http://127.0.0.1:3100"

    def answers(self):
        return _reachable(f"{self.URL}/ready")

    def find(self, query, since="1h", limit=1000):
        """Newest first."""
        if "range" in parse([query])[0]:
            found = json.loads(_get(f"{self.URL}/loki/api/v1/query", {"query": query}))["data"]["result"]
            return [Line(float(it["value"][0]), it["value"][1], it["metric"]) for it in found]
        seconds(since)  # raises an error that names an invalid duration
        parameters = {"query": query, "since": since, "limit": limit}
        found = json.loads(_get(f"{self.URL}/loki/api/v1/query_range", parameters))["data"]
        lines = [Line(int(at) / 1e9, text, it["stream"]) for it in found["result"] for at, text, *_ in it["values"]]
        return sorted(lines, key=lambda it: -it.time)


class VictoriaLogs:
    URL = "http://127.0.0.1:9428"

    def answers(self):
        return _reachable(f"{self.URL}/health")

    def find(self, query, since="1h", limit=1000):
        """Newest first."""
        [parsed] = parse([query])
        since = parsed.get("range", since)
        start = time.time() - seconds(since)
        text = logsql(parsed, self._names(start))
        answer = _get(f"{self.URL}/select/logsql/query", {"query": text, "start": start, "limit": limit})
        rows = [json.loads(it) for it in answer.splitlines() if it]
        lines = [self._line(row) for row in rows]
        return lines if "top" in parsed else sorted(lines, key=lambda it: -it.time)

    @staticmethod
    def _line(row):
        at = datetime.fromisoformat(row.pop("_time")).timestamp() if "_time" in row else time.time()
        text = row.pop("_msg", None) or row.pop("lines")
        return Line(at, text, {underscored(k): v for k, v in row.items() if not k.startswith("_stream")})

    def _names(self, start):
        """name in LogQL -> name in VictoriaLogs, for every field that occurs since then."""
        found = json.loads(_get(f"{self.URL}/select/logsql/field_names", {"query": "*", "start": start}))
        return {underscored(it["value"]): it["value"] for it in found["values"]}


def seconds(duration):
    """The seconds of a duration in Loki's format: 90s, 1h30m, 7d."""
    pieces = re.findall(r"(\d+)([smhdw])", duration)
    if not pieces or "".join(map("".join, pieces)) != duration:
        raise QueryError(f"'{duration}' is not a duration; write 30s, 15m, 1h30m or 7d.")
    return sum(int(number) * UNITS[unit] for number, unit in pieces)


def underscored(name):
    """The name that Loki gives to an attribute received by OTLP."""
    return re.sub(r"\W", "_", name)


@cache
def _parsed(text):
    result = subprocess.run([PARSER], input=text, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode:
        raise QueryError(f"{PARSER}: {result.stderr}")
    return result.stdout


def parse(queries):
    """The parts of each LogQL expression, as described in logql/parse."""
    answers = json.loads(_parsed(json.dumps(queries)))
    for query, answer in zip(queries, answers):
        if "error" in answer:
            raise QueryError(f"{query}: {answer['error']}")
    return answers


def logsql(parsed, names):
    """The equivalent LogsQL. names: name in LogQL -> name in VictoriaLogs."""
    conditions = [_condition(names.get(name, name), *rest) for name, *rest in parsed["stream"] + parsed["filters"]]
    text = " ".join(conditions)
    if "range" in parsed:
        labels = ", ".join(_quoted(names.get(it, it)) for it in parsed.get("by", []))
        text += f" | stats by ({labels}) count() lines"
        if "top" in parsed:
            text += f" | sort by (lines desc) limit {parsed['top']}"
    return text


def _condition(field, operator, value):
    name = _quoted(field or "_msg")
    match operator:
        case "=":
            return f"{name}:={_quoted(value)}"
        case "!=" if field:
            return f"!{name}:={_quoted(value)}"
        case "=~":  # on labels: the whole value must match
            return f"{name}:~{_quoted(f'^(?:{value})$')}"
        case "!~" if field:
            return f"!{name}:~{_quoted(f'^(?:{value})$')}"
        case "|=":  # on the line: any part may match
            return f"{name}:~{_quoted(re.escape(value))}"
        case "!=":
            return f"!{name}:~{_quoted(re.escape(value))}"
        case "|~":
            return f"{name}:~{_quoted(value)}"
        case "!~":
            return f"!{name}:~{_quoted(value)}"
        case ">" | ">=" | "<" | "<=":
            return f"{name}:{operator}{value}"
    raise QueryError(f"'{operator}' is not a supported operator.")


def _quoted(text):
    return json.dumps(text, ensure_ascii=False)


def _reachable(url):
    try:
        HTTP.open(url, timeout=2).close()
        return True
    except OSError:
        return False


def _get(url, parameters):
    try:
        with HTTP.open(f"{url}?{urllib.parse.urlencode(parameters)}", timeout=LIMIT_SECONDS) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        raise QueryError(f"{parameters['query']}: {error.code} {error.read().decode()}") from error
    except OSError as error:
        raise QueryError(f"{url} does not respond: {error}") from error


# Fields that every line has and that do not help a reader.
NOISE = re.compile(r"(scope|telemetry|service|severity|deployment)_|(observed|flags|detected)")


def shown(line):
    """A line as `stack logs` prints it: exceptions without their stack frames."""
    fields = {k: v for k, v in sorted(line.fields.items()) if not NOISE.match(k)}
    if "exception_stacktrace" in fields:
        fields["exception_stacktrace"] = [it for it in fields["exception_stacktrace"].splitlines() if it[:1].strip()]
    at = datetime.fromtimestamp(line.time).astimezone().isoformat(timespec="milliseconds")
    return f"{at}  {line.text}  {json.dumps(fields, ensure_ascii=False)}"
