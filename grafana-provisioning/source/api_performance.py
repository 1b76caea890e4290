"""API Performance: how fast, how many, what failed, and where the time went."""

from panels import ENVIRONMENT, LOGS
from panels import column, dashboard, exemplars, graph, heatmap, log_lines, prom, row, table, to_logs, to_traces

ROUTE = f'{ENVIRONMENT}, route=~"$route"'
QUANTILES = "environment_route_quantile:http_request_duration_seconds:histogram_quantile"
RAW = f'http_request_duration_seconds_bucket{{telemetry_path="scrape", {ROUTE}}}'
SPANS = "environment_span_name_span_kind_peer_service_quantile:traces_span_metrics_duration_seconds:histogram_quantile"
CALLS = "environment_span_name_span_kind_peer_service_status_code:traces_span_metrics_calls:rate5m"
SERVER, CLIENT = (f'{ENVIRONMENT}, span_kind="SPAN_KIND_{it}"' for it in ("SERVER", "CLIENT"))

requests = row(
    "Requests",
    graph(
        "Requests by route",
        "Requests a second of each route; probes and scrapes are steady. Normal: follows your users' day.",
        [prom(f"environment_route:http_requests:rate5m{{{ROUTE}}}", "{{route}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("route=`${__field.labels.route}`")],
    ),
    graph(
        "Requests by status",
        "Requests a second by status; 499 is a client that hung up. Normal: 2xx, few 4xx, no 5xx.",
        [prom(f"sum by (status) (environment_method_route_status:http_requests:rate5m{{{ROUTE}}})", "{{status}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("status=`${__field.labels.status}`")],
    ),
    graph(
        "In flight",
        "Requests being answered now, by instance, and those that wait for their turn at a model. Normal: few, and none that waits; a growing number means that answers take longer than requests come.",
        [
            prom(f"environment_instance:http_active_requests:sum{{{ENVIRONMENT}}}", "{{instance}}"),
            prom(f"environment_instance:llm_waiting_requests:sum{{{ENVIRONMENT}}}", "{{instance}} waiting"),
        ],
        "short",
    ),
)

errors = row(
    "Errors",
    graph(
        "Error share by route",
        "Share of each route's requests answered with 5xx. Normal: 0 %.",
        [prom(f"environment_route:http_request_errors:ratio_rate5m{{{ROUTE}}}", "{{route}}")],
        "percentunit",
        w=12,
        limit=0.1,
        data_links=[to_logs("route=`${__field.labels.route}` | status>=500")],
    ),
    graph(
        "Broken answers",
        "Answers a second that broke off by our fault after their 200 was sent, most of all streams. Normal: 0.",
        [prom(f"environment_route:http_responses_broken:rate5m{{{ROUTE}}}", "{{route}}")],
        "reqps",
        w=12,
        data_links=[to_logs("route=`${__field.labels.route}` | severity_text=`ERROR`")],
    ),
)

latency = row(
    "Latency",
    graph(
        "p50, p95 and p99 by route",
        "Time from a request's head to the end of its answer. Normal: milliseconds where no model is asked; generations take as long as their text.",
        [prom(f"{QUANTILES}{{{ROUTE}}}", "{{route}} p{{quantile}}")],
        "s",
        w=12,
        h=9,
        data_links=[to_logs("route=`${__field.labels.route}`")],
    ),
    graph(
        "p95 with exemplars",
        "The p95 of the chosen routes as scraped; each dot is one request and leads to its trace. Normal: dots near the line; look at those far above it.",
        [exemplars(f"histogram_quantile(0.95, sum by (le, route) (rate({RAW}[$__rate_interval])))", "{{route}}")],
        "s",
        w=12,
        h=9,
    ),
    heatmap(
        "Where requests end",
        "Requests by duration; darker is more, a dot leads to a trace. Normal: one dark band a kind of route; a second band above it is a queue, a lock or a cold model.",
        f"sum by (le) (increase({RAW}[$__rate_interval]))",
        w=24,
    ),
)

slowest = row(
    "Where the time goes",
    table(
        "Slowest routes",
        "Requests by the span that answered them, slowest p95 first; a name leads to its traces in Jaeger. Normal: generations on top.",
        [
            prom(f'max by (span_name) ({SPANS}{{{SERVER}, quantile="0.95"}})'),
            prom(f"sum by (span_name) ({CALLS}{{{SERVER}}})"),
        ],
        "s",
        columns={"span_name": "Route", "Value #A": "p95", "Value #B": "Requests"},
        sort="p95",
        overrides=[
            column("Requests", unit="reqps"),
            column("Route", links=[to_traces("${__data.fields.Route}")]),
        ],
    ),
    table(
        "Outbound calls",
        "What the service asked of others: models, SQL statements, Redis commands, objects; slowest p95 first. Normal: models take seconds, the rest milliseconds.",
        [
            prom(f'max by (span_name) ({SPANS}{{{CLIENT}, quantile="0.95"}})'),
            prom(f"sum by (span_name) ({CALLS}{{{CLIENT}}})"),
        ],
        "s",
        columns={"span_name": "Call", "Value #A": "p95", "Value #B": "Calls"},
        sort="p95",
        overrides=[
            column("Calls", unit="ops"),
            column("Call", links=[to_traces("${__data.fields.Call}")]),
        ],
    ),
    graph(
        "Outbound calls by dependency",
        "Calls a second to each dependency: model servers, PostgreSQL, Redis, objects. Normal: a few for each request.",
        [prom(f"environment_peer_service:traces_span_metrics_calls:rate5m{{{ENVIRONMENT}}}", "{{peer_service}}")],
        "ops",
    ),
    graph(
        "Outbound p95 by dependency",
        "The slowest 5 % of the calls to each dependency take longer. Normal: steady; the one that rises is the one to look at.",
        [
            prom(
                "environment_peer_service_quantile:traces_span_metrics_duration_seconds:histogram_quantile"
                f'{{{ENVIRONMENT}, quantile="0.95"}}',
                "{{peer_service}}",
            )
        ],
        "s",
    ),
    graph(
        "Failed spans",
        "Inbound and outbound calls a second whose span is an error. Normal: no line.",
        [prom(f'sum by (span_name) ({CALLS}{{{ENVIRONMENT}, status_code="STATUS_CODE_ERROR"}})', "{{span_name}}")],
        "ops",
        data_links=[to_traces()],
    ),
)


def of_instance(metric, operation):
    return prom(f"environment_instance:{metric}:{operation}{{{ENVIRONMENT}}}", "{{instance}}")


process = row(
    "Process",
    graph(
        "Heap",
        "Java heap in use, and what the process may take at most. Normal: a saw far below the limit.",
        [
            of_instance("memory_usedHeap_bytes", "max"),
            {**of_instance("memory_committedHeap_bytes", "max"), "legendFormat": "{{instance}} committed"},
            {**of_instance("memory_maxHeap_bytes", "max"), "legendFormat": "{{instance}} limit"},
        ],
        "bytes",
    ),
    graph(
        "Garbage collection",
        "Share of the time spent in garbage collection. Normal: below 5 %.",
        [of_instance("gc_time_seconds", "rate5m")],
        "percentunit",
        limit=0.05,
    ),
    graph(
        "Collections",
        "Garbage collections a second. Normal: below 1.",
        [of_instance("gc", "rate5m")],
        "ops",
    ),
    graph(
        "Load",
        "The machine's load average, and its processors. Normal: below the number of processors.",
        [
            of_instance("cpu_systemLoadAverage", "max"),
            {**of_instance("cpu_availableProcessors", "max"), "legendFormat": "{{instance}} processors"},
        ],
        "short",
    ),
    graph(
        "Threads",
        "Platform threads; requests run on virtual ones and are not counted here. Normal: steady, some dozens.",
        [of_instance("thread_count", "max")],
        "short",
    ),
    graph(
        "Uptime",
        "Time since each instance started. Normal: it only rises; a fall is a restart.",
        [of_instance("jvm_uptime_seconds", "min")],
        "s",
    ),
)

logs = row(
    "Logs",
    log_lines(
        "Requests in the logs",
        "The end of each request of the chosen routes in this window; a line's trace_id leads to its trace. Normal: status 200 and a duration that you expect.",
        f'{LOGS} |= `request_completed` | route=~"$route"',
    ),
)

DASHBOARD = dashboard(
    "jarvis-api",
    "API Performance",
    "How fast, how many, what failed, and where the time went.",
    ["environment", "route"],
    requests,
    errors,
    latency,
    slowest,
    process,
    logs,
)
