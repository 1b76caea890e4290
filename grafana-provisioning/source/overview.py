"""Overview: is JARVIS well, does it keep its promises, and who is using it?"""

from panels import BAD, ENVIRONMENT, GOOD, LOGS, PLAIN, UP, WARN
from panels import dashboard, graph, log_lines, panel, prom, row, stat, steps, table, to_logs

FIRING = 'ALERTS{alertstate="firing", severity=~"critical|warning", environment=~"$environment|"}'
CLASS = "environment_class_quantile:http_request_duration_seconds:histogram_quantile"
FIRST = "environment_model_provider_quantile:llm_time_to_first_token_seconds:histogram_quantile"

clock = panel(
    "grafana-clock-panel",
    "Clock",
    "The time of who looks, in the words of the machine that shows it. Normal: it agrees with your watch.",
    [],
    w=4,
    h=4,
    options={"mode": "time", "clockType": "24 hour"},
)
state = row(
    "State",
    stat(
        "Health",
        "What each dependency last said to the API's health checks, the worst of all replicas. Normal: every one says \"up\". "
        "Without ollama (all model servers) there are no answers; without the others answers go on.",
        [prom(f"environment_dependency:dependency_up:min{{{ENVIRONMENT}}}", "{{dependency}}", instant=True)],
        None,
        w=10,
        text="value_and_name",
        graph="none",
        **UP,
    ),
    stat(
        "Parts",
        "Whether Prometheus reaches each part of the stack. Normal: every part says \"up\".",
        [prom(f"environment_job:up:min{{{ENVIRONMENT}}}", "{{job}}", instant=True)],
        None,
        w=10,
        text="value_and_name",
        graph="none",
        **UP,
    ),
    clock,
    stat(
        "Alerts",
        "How many alerts fire. Normal: 0.",
        [prom(f"count({FIRING}) or vector(0)", "firing", instant=True)],
        "short",
        h=6,
        graph="none",
        thresholds=steps((None, GOOD), (1, BAD)),
    ),
    table(
        "Firing alerts",
        "The alerts that fire now; docs/runbooks has a page for each. Normal: no line.",
        [prom(FIRING)],
        None,
        w=12,
        h=6,
        columns={"alertname": "Alert", "severity": "Severity", "environment": "Environment", "job": "Part", "model": "Model"},
        noValue="none fires",
    ),
    stat(
        "Version",
        "How many instances run which version. Normal: one version, but while a deployment goes on.",
        [prom(f"environment_version:jarvis_instances:count{{{ENVIRONMENT}}}", "{{version}}", instant=True)],
        "short",
        h=6,
        graph="none",
        text="value_and_name",
    ),
    stat(
        "Active users",
        "Distinct users of the last 5 minutes over all replicas. Normal: follows your users' day.",
        [prom(f"environment:active_users:max{{{ENVIRONMENT}}}", "users")],
        "short",
        h=6,
    ),
)


def objective(slo, name, promise):
    by = f'{ENVIRONMENT}, slo="{slo}"'
    return (
        stat(
            name,
            f"{promise}: the share over 30 days. Normal: above the objective.",
            [prom(f"1 - slo:failures_per_event:ratio_rate30d{{{by}}}", name, instant=True)],
            "percentunit",
            w=6,
            decimals=2,
            graph="none",
            noValue="no traffic",
        ),
        stat(
            f"{name}: budget left",
            "What is left of the failures that the objective allows in 30 days. Normal: above 0 %; at 0 % take no more risks.",
            [prom(f"slo:error_budget_left:ratio30d{{{by}}}", name, instant=True)],
            "percentunit",
            w=6,
            decimals=0,
            graph="none",
            noValue="no traffic",
            thresholds=steps((None, BAD), (0, WARN), (0.25, GOOD)),
        ),
    )


objectives = row(
    "Objectives",
    *objective("availability", "Availability", "99.5 % of requests shall end without 5xx and without breaking off"),
    *objective("first_token", "First token in 2 s", "95 % of answers shall show their first token within 2 s"),
    graph(
        "Budget burn",
        "How many times faster than allowed the last hour spent its budget. Normal: below 1; at 14.4 somebody is woken.",
        [prom(f"slo:failures_per_event:ratio_rate1h{{{ENVIRONMENT}}} / on (environment, slo) (1 - slo:objective:ratio)", "{{slo}}")],
        "short",
        w=24,
        h=7,
        limit=14.4,
    ),
)

traffic = row(
    "Traffic",
    graph(
        "Requests",
        "Requests a second, without probes, scrapes and paths that do not exist: those that ask a model, and the rest. Normal: follows your users' day.",
        [prom(f"environment_class:http_requests:rate5m{{{ENVIRONMENT}}}", "{{class}}")],
        "reqps",
        stacked=True,
    ),
    graph(
        "Errors",
        "Share of requests answered with 5xx. Normal: 0 %; above 10 % for 5 minutes HighErrorRate fires.",
        [prom(f"environment:http_request_errors:ratio_rate5m{{{ENVIRONMENT}}}", "5xx")],
        "percentunit",
        limit=0.1,
        data_links=[to_logs("status>=500")],
    ),
    graph(
        "p95",
        "The slowest 5 % of requests that ask no model take longer than this, and so do first tokens. Normal: milliseconds, and below 2 s.",
        [
            prom(f'{CLASS}{{{ENVIRONMENT}, quantile="0.95"}}', "api"),
            prom(f'{FIRST}{{{ENVIRONMENT}, quantile="0.95"}}', "first token of {{model}}"),
        ],
        "s",
        limit=2,
    ),
    graph(
        "Tokens",
        "Tokens a second by type. Normal: input well above output where answers are short.",
        [prom(f"sum by (type) (environment_model_provider_type:llm_tokens:rate5m{{{ENVIRONMENT}}})", "{{type}}")],
        "short",
        w=12,
        stacked=True,
    ),
    graph(
        "Answers",
        "Requests for an answer by how they ended. Normal: ok, some aborted by their clients, hardly an error.",
        [prom(f"sum by (outcome) (environment_model_provider_outcome:llm_requests:rate5m{{{ENVIRONMENT}}})", "{{outcome}}")],
        "reqps",
        w=12,
        stacked=True,
        data_links=[to_logs('outcome!=""')],
    ),
)

documents = row(
    "Documents",
    graph(
        "Documents processed",
        "Documents that became searchable (ok), that cannot be read (rejected) or were given up (error), a second. Normal: no error.",
        [prom(f"sum by (outcome) (environment_outcome_media_type:documents_processed:rate5m{{{ENVIRONMENT}}})", "{{outcome}}")],
        "ops",
        w=12,
        h=6,
        stacked=True,
    ),
    graph(
        "Documents that wait",
        "Documents in the queue, and dead letters: those that were given up by no fault of their own. Normal: the first falls back to 0, none of the second.",
        [
            prom(f"environment:documents_queue_depth:max{{{ENVIRONMENT}}}", "in the queue"),
            prom(f"environment:documents_dead_letters:max{{{ENVIRONMENT}}}", "dead letters"),
        ],
        "short",
        w=12,
        h=6,
        decimals=0,
    ),
)

telemetry = row(
    "Telemetry's own way",
    graph(
        "Collector's queues",
        "How full the disk queue towards each backend is. Normal: near 0 %; it fills while a backend is away.",
        [prom(f"environment_exporter:otelcol_exporter_queue:ratio{{{ENVIRONMENT}}}", "{{exporter}}")],
        "percentunit",
        limit=0.5,
    ),
    graph(
        "Sent to the backends",
        "Items a second that the collector delivered. Normal: steady, for metrics never rest.",
        [prom(f"environment_signal:otelcol_exporter_sent:rate5m{{{ENVIRONMENT}}}", "{{signal}}")],
        "short",
    ),
    graph(
        "Lost or refused",
        "Items a second that the collector lost or refused, and that the service dropped because no collector took them. Normal: 0, or no line at all.",
        [
            prom(f"environment_reason_signal:otelcol_lost:rate5m{{{ENVIRONMENT}}}", "{{signal}}: {{reason}}"),
            prom(f"environment_instance_signal:otel_sdk_dropped:rate5m{{{ENVIRONMENT}}}", "{{signal}}: dropped by {{instance}}"),
            prom(f"environment_instance:log_lines_dropped:rate5m{{{ENVIRONMENT}}}", "lines on stdout: dropped by {{instance}}"),
        ],
        "short",
    ),
    graph(
        "The two paths",
        "Requests a second of each instance as scraped and as sent by OTLP. Normal: one line on the other; apart for 15 minutes, MetricPathsDisagree fires.",
        [prom(f"environment_instance_telemetry_path:http_requests:rate10m{{{ENVIRONMENT}}}", "{{instance}} {{telemetry_path}}")],
        "reqps",
        w=24,
        h=6,
    ),
)

logs = row(
    "Errors in the logs",
    log_lines(
        "Error logs",
        "Warnings and errors of the service, newest first; a line's trace_id leads to its trace. Normal: empty.",
        f"{LOGS} | severity_text=~`WARN|ERROR`",
    ),
)

DASHBOARD = dashboard(
    "jarvis-overview",
    "Overview",
    "Is JARVIS well, does it keep its promises, and who is using it?",
    ["environment"],
    state,
    objectives,
    traffic,
    documents,
    telemetry,
    logs,
)
