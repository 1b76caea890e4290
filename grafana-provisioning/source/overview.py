"""Overview: is JARVIS healthy, does it meet its objectives, and how much is it used?"""

import thresholds
from panels import BAD, ENVIRONMENT, GOOD, LOGS, UP, WARN
from panels import dashboard, graph, log_lines, panel, prom, row, stat, steps, table, to_logs

PAGE_BURN_RATE = thresholds.BURN_RATES[0][2]
FIRING = 'ALERTS{alertstate="firing", severity=~"critical|warning", environment=~"$environment|"}'
CLASS = "environment_class_quantile:http_request_duration_seconds:histogram_quantile"
FIRST = "environment_model_provider_quantile:llm_time_to_first_token_seconds:histogram_quantile"

clock = panel(
    "grafana-clock-panel",
    "Clock",
    "The time in your browser. Normal: it agrees with your watch.",
    [],
    w=4,
    h=4,
    options={"mode": "time", "clockType": "24 hour"},
)
state = row(
    "State",
    stat(
        "Health",
        "The last health check of each dependency, the worst of all replicas. Normal: all are \"up\". "
        "Without ollama (all model servers) there are no answers; if others are down, chats still work.",
        [prom(f"environment_dependency:dependency_up:min{{{ENVIRONMENT}}}", "{{dependency}}", instant=True)],
        None,
        w=10,
        text="value_and_name",
        graph="none",
        **UP,
    ),
    stat(
        "Parts",
        "Whether Prometheus can scrape each part of the stack. Normal: all are \"up\".",
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
        "Number of firing alerts. Normal: 0.",
        [prom(f"count({FIRING}) or vector(0)", "firing", instant=True)],
        "short",
        h=6,
        graph="none",
        thresholds=steps((None, GOOD), (1, BAD)),
    ),
    table(
        "Firing alerts",
        "The alerts that are firing; docs/runbooks has a page for each. Normal: none.",
        [prom(FIRING)],
        None,
        w=12,
        h=6,
        columns={"alertname": "Alert", "severity": "Severity", "environment": "Environment", "job": "Part", "model": "Model"},
        noValue="none",
    ),
    stat(
        "Version",
        "Instances by version. Normal: one version, except during a deployment.",
        [prom(f"environment_version:jarvis_instances:count{{{ENVIRONMENT}}}", "{{version}}", instant=True)],
        "short",
        h=6,
        graph="none",
        text="value_and_name",
    ),
    stat(
        "Active users",
        "Distinct users of the last 5 minutes, over all replicas. Normal: follows your users' day.",
        [prom(f"environment:active_users:max{{{ENVIRONMENT}}}", "users")],
        "short",
        h=6,
    ),
)


def objective(slo, name, target):
    by = f'{ENVIRONMENT}, slo="{slo}"'
    return (
        stat(
            name,
            f"The share over 30 days. Objective: {target}. Normal: above the objective.",
            [prom(f"1 - slo:failures_per_event:ratio_rate30d{{{by}}}", name, instant=True)],
            "percentunit",
            w=6,
            decimals=2,
            graph="none",
            noValue="no traffic",
        ),
        stat(
            f"{name}: budget left",
            "The part of the failures allowed in 30 days that is left. Normal: above 0 %; at 0 %, avoid risky changes.",
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
    *objective(
        "availability",
        "Availability",
        f"{thresholds.percent(thresholds.AVAILABILITY)} of requests neither fail with 5xx nor break off",
    ),
    *objective(
        "first_token",
        f"First token in {thresholds.FIRST_TOKEN_SECONDS} s",
        f"{thresholds.percent(thresholds.FIRST_TOKEN)} of answers have their first token within {thresholds.FIRST_TOKEN_SECONDS} s",
    ),
    graph(
        "Budget burn",
        f"How many times faster than allowed the error budget was spent in the last hour. Normal: below 1; above {PAGE_BURN_RATE} somebody is paged.",
        [prom(f"slo:failures_per_event:ratio_rate1h{{{ENVIRONMENT}}} / on (environment, slo) (1 - slo:objective:ratio)", "{{slo}}")],
        "short",
        w=24,
        h=7,
        limit=PAGE_BURN_RATE,
    ),
)

traffic = row(
    "Traffic",
    graph(
        "Requests",
        "Requests per second by class, without probes, scrapes and unknown paths: those that ask a model, and the rest. Normal: follows your users' day.",
        [prom(f"environment_class:http_requests:rate5m{{{ENVIRONMENT}}}", "{{class}}")],
        "reqps",
        stacked=True,
    ),
    graph(
        "Errors",
        f"Share of requests that fail with 5xx. Normal: 0 %; HighErrorRate fires above {thresholds.percent(thresholds.ERROR_RATIO)} for 5 minutes.",
        [prom(f"environment:http_request_errors:ratio_rate5m{{{ENVIRONMENT}}}", "5xx")],
        "percentunit",
        limit=thresholds.ERROR_RATIO,
        data_links=[to_logs("status>=500")],
    ),
    graph(
        "p95",
        f"The p95 of requests that do not ask a model, and the p95 of the time to first token. Normal: milliseconds for the former; both below {thresholds.API_P95_SECONDS} s.",
        [
            prom(f'{CLASS}{{{ENVIRONMENT}, quantile="0.95"}}', "api"),
            prom(f'{FIRST}{{{ENVIRONMENT}, quantile="0.95"}}', "first token of {{model}}"),
        ],
        "s",
        limit=thresholds.API_P95_SECONDS,
    ),
    graph(
        "Tokens",
        "Tokens per second by type. Normal: input well above output if answers are short.",
        [prom(f"sum by (type) (environment_model_provider_type:llm_tokens:rate5m{{{ENVIRONMENT}}})", "{{type}}")],
        "short",
        w=12,
        stacked=True,
    ),
    graph(
        "Answers",
        "Requests to models per second, by outcome. Normal: ok, some aborted by their clients, hardly any errors.",
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
        "Documents per second that became searchable (ok), cannot be read (rejected) or were given up (error). Normal: no errors.",
        [prom(f"sum by (outcome) (environment_outcome_media_type:documents_processed:rate5m{{{ENVIRONMENT}}})", "{{outcome}}")],
        "ops",
        w=12,
        h=6,
        stacked=True,
    ),
    graph(
        "Waiting documents",
        "Documents in the queue, and dead letters: documents given up for reasons other than their content. Normal: the queue returns to 0; no dead letters.",
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
    "Telemetry pipeline",
    graph(
        "Collector queues",
        "Fill level of the disk queue of each backend. Normal: near 0 %; it rises while a backend is down.",
        [prom(f"environment_exporter:otelcol_exporter_queue:ratio{{{ENVIRONMENT}}}", "{{exporter}}")],
        "percentunit",
        limit=thresholds.COLLECTOR_QUEUE_RATIO,
    ),
    graph(
        "Sent to the backends",
        "Items per second that the collector delivered. Normal: steady, because metrics are always sent.",
        [prom(f"environment_signal:otelcol_exporter_sent:rate5m{{{ENVIRONMENT}}}", "{{signal}}")],
        "short",
    ),
    graph(
        "Lost or rejected",
        "Items per second that the collector lost or rejected, and that the service dropped because no collector accepted them. Normal: 0, or no line at all.",
        [
            prom(f"environment_reason_signal:otelcol_lost:rate5m{{{ENVIRONMENT}}}", "{{signal}}: {{reason}}"),
            prom(f"environment_instance_signal:otel_sdk_dropped:rate5m{{{ENVIRONMENT}}}", "{{signal}}: dropped by {{instance}}"),
            prom(f"environment_instance:log_lines_dropped:rate5m{{{ENVIRONMENT}}}", "log lines to stdout: dropped by {{instance}}"),
        ],
        "short",
    ),
    graph(
        "The two paths",
        "Requests per second of each instance, as scraped and as received by OTLP. Normal: the lines coincide; MetricPathsDisagree fires if they differ for 15 minutes.",
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
        "Warnings and errors of the service, newest first; the trace_id of a line links to its trace. Normal: empty.",
        f"{LOGS} | severity_text=~`WARN|ERROR`",
    ),
)

DASHBOARD = dashboard(
    "jarvis-overview",
    "Overview",
    "Is JARVIS healthy, does it meet its objectives, and how much is it used?",
    ["environment"],
    state,
    objectives,
    traffic,
    documents,
    telemetry,
    logs,
)
