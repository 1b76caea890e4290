"""API Performance: latency, traffic, errors, and where the time goes."""

import thresholds
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
        "Requests per second by route, including probes and scrapes, which are steady. Normal: follows your users' day.",
        [prom(f"environment_route:http_requests:rate5m{{{ROUTE}}}", "{{route}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("route=`${__field.labels.route}`")],
    ),
    graph(
        "Requests by status",
        "Requests per second by status; 499 means that the client disconnected. Normal: 2xx, few 4xx, no 5xx.",
        [prom(f"sum by (status) (environment_method_route_status:http_requests:rate5m{{{ROUTE}}})", "{{status}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("status=`${__field.labels.status}`")],
    ),
    graph(
        "In flight",
        "Requests in progress by instance, and requests to models that wait for a permit. Normal: few, and none waiting; a growing number means that requests arrive faster than they are completed.",
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
        "Error ratio by route",
        "Share of the requests of each route that fail with 5xx. Normal: 0 %.",
        [prom(f"environment_route:http_request_errors:ratio_rate5m{{{ROUTE}}}", "{{route}}")],
        "percentunit",
        w=12,
        limit=thresholds.ERROR_RATIO,
        data_links=[to_logs("route=`${__field.labels.route}` | status>=500")],
    ),
    graph(
        "Broken responses",
        "Responses per second, mostly streams, that broke off after their success status was sent because the service or a model failed. Normal: 0.",
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
        "Time from a request's head to the end of its response. Normal: milliseconds for routes that do not ask a model; generations depend on the length of their text.",
        [prom(f"{QUANTILES}{{{ROUTE}}}", "{{route}} p{{quantile}}")],
        "s",
        w=12,
        h=9,
        data_links=[to_logs("route=`${__field.labels.route}`")],
    ),
    graph(
        "p95 with exemplars",
        "The p95 of the selected routes, as scraped; each dot is a request and links to its trace. Normal: dots near the line; look at those far above it.",
        [exemplars(f"histogram_quantile(0.95, sum by (le, route) (rate({RAW}[$__rate_interval])))", "{{route}}")],
        "s",
        w=12,
        h=9,
    ),
    heatmap(
        "Requests by duration",
        "Requests by duration; darker means more, a dot links to a trace. Normal: one dark band per kind of route; a second band above it is caused by a queue, a lock or a cold model.",
        f"sum by (le) (increase({RAW}[$__rate_interval]))",
        w=24,
    ),
)

slowest = row(
    "Where the time goes",
    table(
        "Slowest routes",
        "Requests by server span, slowest p95 first; a name links to its traces in Jaeger. Normal: generations are on top.",
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
        "Calls to other servers by client span: models, SQL statements, Redis commands, object-store calls; slowest p95 first. Normal: models take seconds, the rest milliseconds.",
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
        "Calls per second to each dependency: model servers, PostgreSQL, Redis, object store. Normal: a few per request.",
        [prom(f"environment_peer_service:traces_span_metrics_calls:rate5m{{{ENVIRONMENT}}}", "{{peer_service}}")],
        "ops",
    ),
    graph(
        "Outbound p95 by dependency",
        "The p95 of the calls to each dependency. Normal: steady; look at one that rises.",
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
        "Inbound and outbound calls per second whose span has an error. Normal: no line.",
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
        "Java heap in use, committed, and its limit. Normal: a sawtooth well below the limit.",
        [
            of_instance("memory_usedHeap_bytes", "max"),
            {**of_instance("memory_committedHeap_bytes", "max"), "legendFormat": "{{instance}} committed"},
            {**of_instance("memory_maxHeap_bytes", "max"), "legendFormat": "{{instance}} limit"},
        ],
        "bytes",
    ),
    graph(
        "Garbage collection",
        f"Share of time spent in garbage collection. Normal: below {thresholds.percent(thresholds.GC_TIME_RATIO)}.",
        [of_instance("gc_time_seconds", "rate5m")],
        "percentunit",
        limit=thresholds.GC_TIME_RATIO,
    ),
    graph(
        "Collections",
        "Garbage collections per second. Normal: below 1.",
        [of_instance("gc", "rate5m")],
        "ops",
    ),
    graph(
        "Load",
        "The load average and the number of processors of the machine. Normal: below the number of processors.",
        [
            of_instance("cpu_systemLoadAverage", "max"),
            {**of_instance("cpu_availableProcessors", "max"), "legendFormat": "{{instance}} processors"},
        ],
        "short",
    ),
    graph(
        "Threads",
        "Platform threads; requests run on virtual threads, which are not counted. Normal: steady, a few dozen.",
        [of_instance("thread_count", "max")],
        "short",
    ),
    graph(
        "Uptime",
        "Time since each instance started. Normal: only rises; a drop is a restart.",
        [of_instance("jvm_uptime_seconds", "min")],
        "s",
    ),
)

access = row(
    "Access",
    graph(
        "Failed sign-ins",
        f"Requests per second whose key or token was not accepted, by reason. Normal: few. FailedSignIns fires above {thresholds.FAILED_SIGN_INS_PER_SECOND:g} per second and {thresholds.FAILED_SIGN_INS_FACTOR} times the mean of the day before.",
        [prom(f"environment_reason:authentication_failures:rate5m{{{ENVIRONMENT}}}", "{{reason}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("auth_failure=`${__field.labels.reason}`")],
    ),
    graph(
        "Age of users and keys",
        f"Time since a replica last looked for changes of users, teams and keys. Normal: below 5 s. IdentityStale fires above {thresholds.minutes(thresholds.IDENTITY_AGE_SECONDS)}.",
        [prom(f"environment:identity_sync_age_seconds:max{{{ENVIRONMENT}}}", "age")],
        "s",
        limit=thresholds.IDENTITY_AGE_SECONDS,
    ),
    graph(
        "Refused by a limit",
        "Requests per second that a rate limit refused with 429, by who shares the limit and what it limits. Normal: few; the log lines have the user and `limited_by`.",
        [prom(f"environment_scope_limit:limit_refusals:rate5m{{{ENVIRONMENT}}}", "{{scope}} {{limit}}")],
        "reqps",
        w=12,
        data_links=[to_logs("limited_by!=``")],
    ),
    graph(
        "Limits counted locally",
        "Whether a replica counts requests on its own because Redis does not answer it; then it allows its share of each limit. Normal: 0.",
        [prom(f"environment:limits_local:max{{{ENVIRONMENT}}}", "local")],
        "short",
        w=12,
    ),
    graph(
        "Actions of administrators",
        "Changes of users, teams and keys per second, by action. Normal: few, and each one known; the log lines and `GET /v1/admin/audit` have who made them.",
        [prom(f"environment_action:admin_actions:rate5m{{{ENVIRONMENT}}}", "{{action}}")],
        "reqps",
        stacked=True,
        data_links=[to_logs("action=`${__field.labels.action}`")],
    ),
)

logs = row(
    "Logs",
    log_lines(
        "Requests in the logs",
        "The completion of each request to the selected routes in this window; the trace_id of a line links to its trace. Normal: status 200 and an expected duration.",
        f'{LOGS} |= `request_completed` | route=~"$route"',
    ),
)

DASHBOARD = dashboard(
    "jarvis-api",
    "API Performance",
    "Latency, traffic, errors, and where the time goes.",
    ["environment", "route"],
    requests,
    errors,
    latency,
    slowest,
    access,
    process,
    logs,
)
