"""Writes rules/recording.yml and rules/slo.yml: every number that a dashboard or an alert reads. `make generate` runs it.

The same series reach Prometheus by scrape and by OTLP. A rule takes, for each instance, the scraped ones while every
scrape of its window succeeded, else those that came by OTLP, and aggregates only then: so nothing counts double and
either path may fail. A rule's name says what is left: the labels, the metric, what was done to it.
"""

from pathlib import Path

import yaml

RULES = Path(__file__).resolve().parent / "rules"
WINDOW = "5m"
WINDOW_SECONDS = 300
EVALUATION_SECONDS = 15  # prometheus.yml's evaluation_interval: a sum over rates is made a count with it
QUANTILES = ("0.5", "0.95", "0.99")

# Requests that the service is judged by: no probes, no scrapes, no paths that do not exist.
JUDGED = 'route!~"/health.*|/metrics|_unmatched"'
# Their time is the model's: they are judged by the time to the first token.
GENERATION = 'route=~"/v1/((chat/)?completions|embeddings)"'
# Nor by their own: an upload or a download takes as long as the client's line, and a search may wait for an embedding.
NO_GENERATION = 'route!~"/health.*|/metrics|_unmatched|/v1/((chat/)?completions|embeddings|search|files(/.id./content)?)"'

# Multi-window, multi-burn-rate alerts, as in chapter 5 of Google's SRE workbook: (long window, short window, how many
# times faster than allowed the budget burns, severity, for).
BURN_RATES = (
    ("1h", "5m", 14.4, "critical", "2m"),
    ("6h", "30m", 6, "critical", "15m"),
    ("1d", "2h", 3, "warning", "1h"),
    ("3d", "6h", 1, "warning", "3h"),
)
# Fewer failures than this in the long window wake nobody, however little traffic there was.
MINIMUM_FAILURES = 5


def by_path(metric):
    """The series as scraped, and as pushed by OTLP."""
    return (f'{metric}{{telemetry_path="{it}"}}' for it in ("scrape", "otlp"))


def of_instance(labels):
    return ", ".join(dict.fromkeys(["environment", "instance", *labels]))


def chosen_rate(metric, labels):
    """The rate of a counter of the service, each instance by one path."""
    scraped, pushed = (f"rate({it}[{WINDOW}])" for it in by_path(metric))
    on = of_instance(labels)
    return (
        f'{scraped} and on (environment, instance) min_over_time(up{{job="jarvis-api"}}[{WINDOW}]) == 1\n'
        f"or on ({on}) {pushed}\n"
        f"or on ({on}) {scraped}"
    )


def chosen(metric, labels):
    """The value of a gauge of the service, each instance by one path; a scrape that fails makes its series go at once."""
    scraped, pushed = by_path(metric)
    return f"{scraped}\nor on ({of_instance(labels)}) {pushed}"


def indent(text):
    return "\n".join("  " + it for it in text.split("\n"))


def aggregate(operation, labels, expression):
    return f"{operation} by ({', '.join(['environment', *labels])}) (\n{indent(expression)}\n)"


def level(labels):
    return "_".join(["environment", *labels])


def record(name, expression, **labels):
    rule = {"record": name, "expr": expression}
    return {**rule, "labels": labels} if labels else rule


def counter(metric, *labels):
    """Rate of a counter of the service, summed over its instances."""
    name = metric.removesuffix("_total")
    return [record(f"{level(labels)}:{name}:rate{WINDOW}", aggregate("sum", labels, chosen_rate(metric, labels)))]


def gauge(metric, operation, *labels):
    return [record(f"{level(labels)}:{metric}:{operation}", aggregate(operation, labels, chosen(metric, labels)))]


def quantiles(recorded, labels, metric, matcher="", **more):
    """p50, p95 and p99 of recorded buckets, by these labels."""
    inner = f"{recorded}{{{matcher}}}" if matcher else recorded
    name = "_".join(["environment", *more, *labels, "quantile"])
    return [
        record(
            f"{name}:{metric}:histogram_quantile",
            f"histogram_quantile({it}, sum by ({', '.join(['le', 'environment', *labels])}) ({inner}))",
            quantile=it,
            **more,
        )
        for it in QUANTILES
    ]


def buckets_name(metric, labels):
    return f"{level(['le', *labels])}:{metric}_bucket:rate{WINDOW}"


def buckets(metric, *labels):
    """Rates of a histogram's buckets."""
    expression = aggregate("sum", ["le", *labels], chosen_rate(f"{metric}_bucket", ["le", *labels]))
    return [record(buckets_name(metric, labels), expression)]


def histogram(metric, *labels):
    return [*buckets(metric, *labels), *quantiles(buckets_name(metric, labels), labels, metric)]


def mean(metric, *labels):
    """Mean of a summary of the service: Micrometer's timers have no buckets."""
    total, count = (
        aggregate("sum", labels, chosen_rate(f"{metric}_{it}", labels)) for it in ("sum", "count")
    )
    return [record(f"{level(labels)}:{metric}:mean{WINDOW}", f"{total}\n/ (\n{indent(count)} > 0\n)")]


def plain(name, expression):
    return [record(name, expression)]


def http():
    requests = "environment_method_route_status:http_requests:rate5m"
    durations = buckets_name("http_request_duration_seconds", ("method", "route"))
    classes = {"api": NO_GENERATION, "generation": GENERATION}
    by_class = [
        record("environment_class:http_requests:rate5m", f"sum by (environment) ({requests}{{{matcher}}})", **{"class": it})
        for it, matcher in classes.items()
    ]
    return [
        *counter("http_requests_total", "method", "route", "status"),
        *counter("http_responses_broken_total", "route"),
        *by_class,
        *plain("environment:http_requests:rate5m", f"sum by (environment) ({requests}{{{JUDGED}}})"),
        *plain("environment_route:http_requests:rate5m", f"sum by (environment, route) ({requests})"),
        *plain(
            "environment_route:http_request_errors:ratio_rate5m",
            f'(sum by (environment, route) ({requests}{{status=~"5.."}}) or 0 * environment_route:http_requests:rate5m)\n'
            "/ (environment_route:http_requests:rate5m > 0)",
        ),
        *plain(
            "environment:http_request_errors:ratio_rate5m",
            f'(sum by (environment) ({requests}{{{JUDGED}, status=~"5.."}}) or 0 * environment:http_requests:rate5m)\n'
            "/ (environment:http_requests:rate5m > 0)",
        ),
        *buckets("http_request_duration_seconds", "method", "route"),
        *quantiles(durations, ["route"], "http_request_duration_seconds"),
        *quantiles(durations, [], "http_request_duration_seconds", NO_GENERATION, **{"class": "api"}),
        *gauge("http_active_requests", "sum", "instance"),
        *gauge("llm_waiting_requests", "sum", "instance"),
        *gauge("active_users", "max"),
        *gauge("dependency_up", "min", "dependency"),
        *gauge("dependency_up", "max", "dependency"),
    ]


def llm():
    requests = "environment_model_provider_outcome:llm_requests:rate5m"
    judged = f'sum by (environment, model, provider) ({requests}{{outcome=~"ok|cached|error"}})'
    names = ("llm_request_duration_seconds", "llm_time_to_first_token_seconds", "llm_time_per_output_token_seconds")
    return [
        *counter("llm_requests_total", "model", "provider", "outcome"),
        *plain("environment_model_provider:llm_requests_judged:rate5m", judged),
        *plain(
            "environment_model_provider:llm_request_errors:ratio_rate5m",
            f'sum by (environment, model, provider) ({requests}{{outcome="error"}})\n'
            "/ (environment_model_provider:llm_requests_judged:rate5m > 0)",
        ),
        *counter("llm_tokens_total", "model", "provider", "type"),
        *[rule for it in names for rule in histogram(it, "model", "provider")],
        *counter("llm_cost_usd_total", "model", "provider"),
        *counter("llm_comparison_cost_usd_total", "model", "provider"),
        *counter("llm_unpriced_requests_total", "model", "provider"),
        *counter("llm_routing_decisions_total", "strategy", "model", "reason"),
        *counter("llm_fallbacks_total", "model", "provider", "reason"),
        *gauge("llm_circuit_open", "max", "model", "provider"),
        *counter("llm_cache_requests_total", "result"),
        *counter("ledger_rows_total", "result"),
        # The seed's own name, which is the OpenMetrics family's: the counter as each instance has it.
        *plain(
            "documents_processed",
            "sum without (telemetry_path) (\n"
            + indent(chosen("documents_processed_total", ["outcome", "media_type"]))
            + "\n)",
        ),
    ]


def documents():
    """The queue is one for all replicas, which tell the same of it: max, not sum."""
    return [
        *counter("documents_processed_total", "outcome", "media_type"),
        *counter("documents_retries_total", "stage"),
        *histogram("documents_stage_duration_seconds", "stage"),
        *histogram("documents_time_to_searchable_seconds"),
        *histogram("documents_search_duration_seconds", "mode"),
        *[rule for it in ("queue_depth", "queue_oldest_age_seconds", "dead_letters") for rule in gauge(f"documents_{it}", "max")],
    ]


def ollama():
    """By Ollama's own clock. Replicas that share an Ollama tell the same of its memory: max, not sum."""
    generation = aggregate("sum", ["model", "provider"], chosen_rate("ollama_generation_duration_seconds_sum", ["model", "provider"]))
    durations = [f"ollama_{it}_duration_seconds" for it in ("load", "prompt", "generation")]
    return [
        *[rule for it in durations for rule in histogram(it, "model", "provider")],
        *counter("ollama_cold_loads_total", "model", "provider"),
        *counter("ollama_generated_tokens_total", "model", "provider"),
        # Aborted answers have tokens and no time: they stand in neither.
        *plain(
            "environment_model_provider:ollama_tokens_per_second:ratio_rate5m",
            f"environment_model_provider:ollama_generated_tokens:rate5m\n/ (\n{indent(generation)} > 0\n)",
        ),
        *gauge("ollama_resident_models", "max", "provider"),
        *gauge("ollama_resident_model_memory_bytes", "max", "model", "provider", "kind"),
    ]


def storage():
    operations = ("db_system_name", "db_operation_name")
    return [
        *histogram("db_client_operation_duration_seconds", *operations),
        *counter("db_client_operation_errors_total", *operations),
        *histogram("object_store_operation_duration_seconds", "operation"),
        *counter("object_store_operation_errors_total", "operation"),
        *[rule for it in ("active", "idle", "max", "pending") for rule in gauge(f"hikaricp_connections_{it}", "sum", "pool")],
        *mean("hikaricp_connections_acquire_seconds", "pool"),
        *mean("hikaricp_connections_usage_seconds", "pool"),
    ]


def process():
    gauges = ("memory_usedHeap_bytes", "memory_committedHeap_bytes", "memory_maxHeap_bytes", "thread_count")
    return [
        *[rule for it in gauges for rule in gauge(it, "max", "instance")],
        *gauge("jvm_uptime_seconds", "min", "instance"),
        *gauge("cpu_systemLoadAverage", "max", "instance"),
        *gauge("cpu_availableProcessors", "max", "instance"),
        *counter("gc_total", "instance"),
        *counter("gc_time_seconds_total", "instance"),
    ]


def spans():
    """The collector's span metrics: they have one path only."""
    labels = ("span_name", "span_kind", "peer_service")
    recorded = buckets_name("traces_span_metrics_duration_seconds", labels)
    by = ", ".join(["environment", *labels])
    calls = f"{level((*labels, 'status_code'))}:traces_span_metrics_calls:rate{WINDOW}"
    called = 'span_kind="SPAN_KIND_CLIENT"'
    return [
        *plain(calls, f"sum by ({by}, status_code) (rate(traces_span_metrics_calls_total[{WINDOW}]))"),
        *plain(recorded, f"sum by (le, {by}) (rate(traces_span_metrics_duration_seconds_bucket[{WINDOW}]))"),
        *quantiles(recorded, labels, "traces_span_metrics_duration_seconds"),
        *plain(f"{level(['peer_service'])}:traces_span_metrics_calls:rate{WINDOW}", f"sum by (environment, peer_service) ({calls}{{{called}}})"),
        *quantiles(recorded, ["peer_service"], "traces_span_metrics_duration_seconds", called),
    ]


SIGNALS = ("spans", "log_records", "metric_points")
# What the collector counts as failed: refused by a backend for good, not queued, not taken from its sender.
LOSSES = ("exporter_send_failed", "exporter_enqueue_failed", "receiver_refused")
SDK_COUNTS = {
    "spans": "otel_sdk_processor_span_processed_span_total",
    "log_records": "otel_sdk_processor_log_processed_total",
}


def pipeline():
    def sum_of(what, signal):
        metric = f"otelcol_{what}_{signal}_total"
        # A counter of losses begins with the first loss, which a rate does not see.
        # Where nobody looked before, it is no news either.
        looked = f'and on (environment, instance) up{{job="otel-collector"}} offset {WINDOW}'
        new = f"({metric} unless {metric} offset {WINDOW} {looked}) / {WINDOW_SECONDS}\n  or " if what in LOSSES else ""
        return f"sum by (environment) (\n  {new}rate({metric}[{WINDOW}])\n)"

    return [
        *plain("environment_job:up:min", "min by (environment, job) (up)"),
        *plain(
            "environment_version:jarvis_instances:count",
            "count by (environment, version) (label_replace(label_replace(\n"
            '  target_info{job="jarvis-api"}, "version", "$1", "service_version", "(.+)"),\n'
            '  "environment", "$1", "deployment_environment_name", "(.+)"))',
        ),
        *plain(
            "environment_exporter:otelcol_exporter_queue:ratio",
            "max by (environment, exporter) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)",
        ),
        *[record("environment_signal:otelcol_exporter_sent:rate5m", sum_of("exporter_sent", it), signal=it) for it in SIGNALS],
        *[
            record("environment_reason_signal:otelcol_lost:rate5m", sum_of(reason, it), reason=reason, signal=it)
            for reason in LOSSES
            for it in SIGNALS
        ],
        # Of a service that has lost its collector: what its own bounded queues dropped.
        *[
            record(
                "environment_instance_signal:otel_sdk_dropped:rate5m",
                "sum by (environment, instance) (\n"
                f'  rate({metric}{{error_type!="", telemetry_path="scrape"}}[{WINDOW}])\n)',
                signal=it,
            )
            for it, metric in SDK_COUNTS.items()
        ],
        # Of a service whose standard output nobody reads fast enough.
        record(
            "environment_instance:log_lines_dropped:rate5m",
            f'sum by (environment, instance) (rate(log_lines_dropped_total{{telemetry_path="scrape"}}[{WINDOW}]))',
        ),
        # Requests of each instance as either path saw them. They never rest, for a scrape is a request too.
        *plain(
            "environment_instance_telemetry_path:http_requests:rate10m",
            "sum by (environment, instance, telemetry_path) (rate(http_requests_total[10m]))",
        ),
    ]


def postgres():
    database = 'datname!~"template.*|"'
    hit, read = (f"sum by (environment) (rate(pg_stat_database_blks_{it}[{WINDOW}]))" for it in ("hit", "read"))
    return [
        *plain("environment:pg_up:min", "min by (environment) (pg_up)"),
        *plain(
            "environment_datname:pg_stat_database_numbackends:sum",
            f"sum by (environment, datname) (pg_stat_database_numbackends{{{database}}})",
        ),
        *plain("environment:pg_settings_max_connections:max", "max by (environment) (pg_settings_max_connections)"),
        *[
            rule
            for it in ("commit", "rollback")
            for rule in plain(
                f"environment_datname:pg_stat_database_xact_{it}:rate5m",
                f"sum by (environment, datname) (rate(pg_stat_database_xact_{it}{{{database}}}[{WINDOW}]))",
            )
        ],
        *plain("environment:pg_stat_database_blks_hit:ratio_rate5m", f"{hit}\n/ (({hit} + {read}) > 0)"),
        *plain(
            "environment_state:pg_stat_activity_max_tx_duration:max",
            "max by (environment, state) (pg_stat_activity_max_tx_duration)",
        ),
        *plain(
            "environment_mode:pg_locks_count:sum", f"sum by (environment, mode) (pg_locks_count{{{database}}})"
        ),
        *plain(
            "environment_datname:pg_stat_database_deadlocks:increase1h",
            f"sum by (environment, datname) (increase(pg_stat_database_deadlocks{{{database}}}[1h]))",
        ),
        *plain(
            "environment_datname:pg_database_size_bytes:max",
            f"max by (environment, datname) (pg_database_size_bytes{{{database}}})",
        ),
    ]


def redis():
    hits, misses = (f"sum by (environment) (rate(redis_keyspace_{it}_total[{WINDOW}]))" for it in ("hits", "misses"))
    return [
        *plain("environment:redis_up:min", "min by (environment) (redis_up)"),
        *plain("environment:redis_keyspace_hits:ratio_rate5m", f"{hits}\n/ (({hits} + {misses}) > 0)"),
        *[
            rule
            for it in ("memory_used_bytes", "memory_max_bytes", "connected_clients", "config_maxclients")
            for rule in plain(f"environment:redis_{it}:sum", f"sum by (environment) (redis_{it})")
        ],
        *[
            rule
            for it in ("evicted_keys", "expired_keys", "commands_processed", "rejected_connections")
            for rule in plain(f"environment:redis_{it}:rate5m", f"sum by (environment) (rate(redis_{it}_total[{WINDOW}]))")
        ],
    ]


# --- objectives


class Objective:
    def __init__(self, name, share, summary, events, failures, alert, description, dashboard):
        self.name, self.share, self.summary = name, share, summary
        self.events, self.failures = events, failures
        self.alert, self.description, self.dashboard = alert, description, dashboard


REQUESTS = "environment_method_route_status:http_requests:rate5m"
FIRST_TOKEN = buckets_name("llm_time_to_first_token_seconds", ("model", "provider"))
OBJECTIVES = (
    Objective(
        "availability",
        0.995,
        "Budget d'erreurs de disponibilité consommé trop vite",
        events=f"sum by (environment) ({REQUESTS}{{{JUDGED}}})",
        failures=(
            f'(sum by (environment) ({REQUESTS}{{{JUDGED}, status=~"5.."}}) or 0 * environment:http_requests:rate5m)\n'
            f"+ (sum by (environment) (environment_route:http_responses_broken:rate5m{{{JUDGED}}}) or 0 * environment:http_requests:rate5m)"
        ),
        alert="AvailabilityBudgetBurn",
        description="requests end with 5xx or break off",
        dashboard="jarvis-api",
    ),
    Objective(
        "first_token",
        0.95,
        "Budget du premier jeton (2 s) consommé trop vite",
        events=f'sum by (environment) ({FIRST_TOKEN}{{le="+Inf"}})',
        failures=f'slo:events:rate5m{{slo="first_token"}}\n- ignoring (slo) sum by (environment) ({FIRST_TOKEN}{{le="2"}})',
        alert="FirstTokenBudgetBurn",
        description="answers take more than 2 s to their first token",
        dashboard="jarvis-llm",
    ),
)


def ratio(window):
    return f"slo:failures_per_event:ratio_rate{window}"


def objective_rules(objective):
    slo = {"slo": objective.name}
    return [
        record("slo:events:rate5m", objective.events, **slo),
        record("slo:failures:rate5m", objective.failures, **slo),
        record("slo:objective:ratio", f'group by (environment) (slo:events:rate5m{{slo="{objective.name}"}}) * {objective.share}', **slo),
    ]


def window_rule(window):
    """Failures by events of a window: sums of the 5-minute rates, in which each instance's path is chosen already."""
    if window == WINDOW:
        return record(ratio(window), "slo:failures:rate5m / (slo:events:rate5m > 0)")
    over = f"sum_over_time(slo:%s:rate5m[{window}])"
    return record(ratio(window), f"{over % 'failures'} / ({over % 'events'} > 0)")


def budget_left():
    return record(
        "slo:error_budget_left:ratio30d",
        f"1 - {ratio('30d')} / (1 - slo:objective:ratio)",
    )


def burn_alert(objective, long, short, factor, severity, hold):
    limit = f"{factor} * {round(1 - objective.share, 6)}"
    slo = f'{{slo="{objective.name}"}}'
    return {
        "alert": objective.alert,
        "expr": (
            f"{ratio(long)}{slo} > {limit}\n"
            f"and {ratio(short)}{slo} > {limit}\n"
            f"and sum_over_time(slo:failures:rate5m{slo}[{long}]) * {EVALUATION_SECONDS} >= {MINIMUM_FAILURES}"
        ),
        "for": hold,
        "labels": {"severity": severity, "window": long},
        "annotations": {
            "summary": objective.summary,
            "description": (
                f"{{{{ $value | humanizePercentage }}}} of the last {long} in {{{{ $labels.environment }}}}: "
                f"{objective.description}. That is {factor} times what the objective of {objective.share:.1%} "
                "over 30 days allows."
            ),
            "runbook_url": f"{{{{ $externalLabels.runbooks }}}}/{objective.alert}.md",
            "dashboard_url": f"{{{{ $externalLabels.grafana }}}}/d/{objective.dashboard}"
            "?var-environment={{ $labels.environment }}",
        },
    }


def group(name, rules, interval=None):
    return {"name": name, **({"interval": interval} if interval else {}), "rules": rules}


def recording():
    parts = (http, llm, documents, ollama, storage, process, spans, pipeline, postgres, redis)
    return [group(f"jarvis-{it.__name__}", it()) for it in parts]


def slo():
    short = [WINDOW, *(it[1] for it in BURN_RATES if it[1] != WINDOW), "1h"]
    long = ["1d", "3d", "30d"]
    return [
        group("jarvis-slo", [r for it in OBJECTIVES for r in objective_rules(it)] + [window_rule(it) for it in short]),
        # They change slowly and look far back.
        group("jarvis-slo-long", [*(window_rule(it) for it in long), budget_left()], interval="1m"),
        group("jarvis", [burn_alert(it, *burn) for it in OBJECTIVES for burn in BURN_RATES]),
    ]


class Dumper(yaml.SafeDumper):
    """Expressions of several lines stay readable."""


Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
)


def files():
    """name -> text"""
    head = "# Made by ../generate_rules.py: change it there, then `make generate`.\n"
    return {
        name: head + yaml.dump({"groups": groups}, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)
        for name, groups in (("recording.yml", recording()), ("slo.yml", slo()))
    }


if __name__ == "__main__":
    for name, text in files().items():
        (RULES / name).write_text(text, encoding="utf-8")
