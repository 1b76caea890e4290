"""The recording rules: every number that a dashboard or an alert reads.

The same series of the service reach Prometheus by scrape and by OTLP. For each instance, a rule takes the scraped ones
if every scrape of its window succeeded, else those that came by OTLP, and aggregates only then. So nothing counts
twice, and either path may fail. The name of a rule gives the labels that remain, the metric, and the operation.

The rules of the service's own metrics follow from the catalogue. Written out here are ratios, further aggregations, and
the metrics of libraries, exporters and the collector.
"""

from catalogue import WINDOW, buckets_name, gauge_name, level, metrics, quantile_name, rate_name

WINDOW_SECONDS = 300
QUANTILES = ("0.5", "0.95", "0.99")

METRICS = metrics()

# The requests that the service is judged by: no probes, no scrapes, no unknown paths.
JUDGED = 'route!~"/health.*|/metrics|_unmatched"'
# Their duration depends on the model: they are judged by the time to first token.
GENERATION = 'route=~"/v1/((chat/)?completions|embeddings)"'
# Judged by their duration. An upload or download depends on the client's connection, and a search may wait for an embedding.
NO_GENERATION = 'route!~"/health.*|/metrics|_unmatched|/v1/((chat/)?completions|embeddings|search|files(/.id./content)?)"'


def record(name, expression, **labels):
    rule = {"record": name, "expr": expression}
    return {**rule, "labels": labels} if labels else rule


def indent(text):
    return "\n".join("  " + it for it in text.split("\n"))


def aggregate(operation, labels, expression):
    return f"{operation} by ({', '.join(['environment', *labels])}) (\n{indent(expression)}\n)"


# --- metrics of the service, which come by two paths


def by_path(metric):
    """The series as scraped, and as pushed by OTLP."""
    return (f'{metric}{{telemetry_path="{it}"}}' for it in ("scrape", "otlp"))


def matching_labels(labels):
    return ", ".join(dict.fromkeys(["environment", "instance", *labels]))


def chosen_rate(series, labels):
    """The rate of a counter, each instance by one path."""
    scraped, pushed = (f"rate({it}[{WINDOW}])" for it in by_path(series))
    on = matching_labels(labels)
    return (
        f'{scraped} and on (environment, instance) min_over_time(up{{job="jarvis-api"}}[{WINDOW}]) == 1\n'
        f"or on ({on}) {pushed}\n"
        f"or on ({on}) {scraped}"
    )


def chosen_value(series, labels):
    """The value of a gauge, each instance by one path. When a scrape fails, its series end at once."""
    scraped, pushed = by_path(series)
    return f"{scraped}\nor on ({matching_labels(labels)}) {pushed}"


def counter(name, labels):
    return record(rate_name(name, labels), aggregate("sum", labels, chosen_rate(name, labels)))


def gauge(name, operation, labels):
    return record(gauge_name(name, operation, labels), aggregate(operation, labels, chosen_value(name, labels)))


def mean(name, labels):
    """The mean of a Micrometer timer, which has no buckets."""
    total, count = (aggregate("sum", labels, chosen_rate(f"{name}_{it}", labels)) for it in ("sum", "count"))
    return record(f"{level(labels)}:{name}:mean{WINDOW}", f"{total}\n/ (\n{indent(count)} > 0\n)")


def buckets(name, labels):
    labels = ["le", *labels]
    return record(buckets_name(name, labels[1:]), aggregate("sum", labels, chosen_rate(f"{name}_bucket", labels)))


def quantiles(recorded, labels, name, matcher="", **more):
    """p50, p95 and p99 of recorded buckets, by these labels."""
    inner = f"{recorded}{{{matcher}}}" if matcher else recorded
    return [
        record(
            quantile_name(name, [*more, *labels]),
            f"histogram_quantile({it}, sum by ({', '.join(['le', 'environment', *labels])}) ({inner}))",
            quantile=it,
            **more,
        )
        for it in QUANTILES
    ]


def of_catalogue(metric):
    """The rules that every metric of the service has, by its type."""
    labels = metric.recorded_labels
    match metric.type:
        case "counter":
            return [counter(metric.name, labels)]
        case "up-down-counter":
            return [gauge(metric.name, "sum", labels)]
        case "gauge":
            return [gauge(metric.name, "max", labels)]
        case "histogram":
            recorded = buckets_name(metric.name, labels)
            return [buckets(metric.name, labels), *quantiles(recorded, metric.quantile_labels, metric.name)]


def http():
    requests = METRICS["http_requests_total"].recorded
    duration = METRICS["http_request_duration_seconds"]
    return [
        *[
            record("environment_class:http_requests:rate5m", f"sum by (environment) ({requests}{{{matcher}}})", **{"class": it})
            for it, matcher in (("api", NO_GENERATION), ("generation", GENERATION))
        ],
        record("environment:http_requests:rate5m", f"sum by (environment) ({requests}{{{JUDGED}}})"),
        record("environment_route:http_requests:rate5m", f"sum by (environment, route) ({requests})"),
        record(
            "environment_route:http_request_errors:ratio_rate5m",
            f'(sum by (environment, route) ({requests}{{status=~"5.."}}) or 0 * environment_route:http_requests:rate5m)\n'
            "/ (environment_route:http_requests:rate5m > 0)",
        ),
        record(
            "environment:http_request_errors:ratio_rate5m",
            f'(sum by (environment) ({requests}{{{JUDGED}, status=~"5.."}}) or 0 * environment:http_requests:rate5m)\n'
            "/ (environment:http_requests:rate5m > 0)",
        ),
        *quantiles(buckets_name(duration.name, duration.labels), [], duration.name, NO_GENERATION, **{"class": "api"}),
    ]


def llm():
    requests, up = METRICS["llm_requests_total"].recorded, METRICS["llm_provider_up"]
    return [
        gauge(up.name, "min", up.labels),
        record(
            "environment_model_provider:llm_requests_judged:rate5m",
            f'sum by (environment, model, provider) ({requests}{{outcome=~"ok|cached|error"}})',
        ),
        record(
            "environment_model_provider:llm_request_errors:ratio_rate5m",
            f'sum by (environment, model, provider) ({requests}{{outcome="error"}})\n'
            "/ (environment_model_provider:llm_requests_judged:rate5m > 0)",
        ),
    ]


def ollama():
    duration, tokens = METRICS["ollama_generation_duration_seconds"], METRICS["ollama_generated_tokens_total"]
    generation = aggregate("sum", duration.labels, chosen_rate(f"{duration.name}_sum", duration.labels))
    # Aborted answers report neither their tokens nor their time to Ollama's metrics.
    return [
        record(
            f"{level(tokens.labels)}:ollama_tokens_per_second:ratio_rate5m",
            f"{tokens.recorded}\n/ (\n{indent(generation)} > 0\n)",
        ),
    ]


def dependency():
    up = METRICS["dependency_up"]
    return [gauge(up.name, "min", up.labels)]


def documents():
    processed, sandbox = METRICS["documents_processed_total"], METRICS["documents_reader_sandbox"]
    # The name of the OpenMetrics family, which the specification uses: the counter as each instance has it.
    value = indent(chosen_value(processed.name, processed.labels))
    return [
        gauge(sandbox.name, "min", sandbox.labels),
        record("documents_processed", f"sum without (telemetry_path) (\n{value}\n)"),
    ]


# The rules beside those of the catalogue, by the first word of their metrics' names.
DERIVED = {it.__name__: it for it in (http, llm, ollama, dependency, documents)}


def service_groups():
    """group -> rules"""
    groups = {}
    for metric in METRICS.values():
        groups.setdefault(metric.name.split("_")[0], []).extend(of_catalogue(metric))
    for word, rules in DERIVED.items():
        groups[word] += rules()
    return groups


# --- metrics of libraries, exporters and the collector


def pool():
    return [
        *[gauge(f"hikaricp_connections_{it}", "sum", ["pool"]) for it in ("active", "idle", "max", "pending")],
        mean("hikaricp_connections_acquire_seconds", ["pool"]),
        mean("hikaricp_connections_usage_seconds", ["pool"]),
    ]


def process():
    gauges = ("memory_usedHeap_bytes", "memory_committedHeap_bytes", "memory_maxHeap_bytes", "thread_count")
    return [
        *[gauge(it, "max", ["instance"]) for it in gauges],
        gauge("jvm_uptime_seconds", "min", ["instance"]),
        gauge("cpu_systemLoadAverage", "max", ["instance"]),
        gauge("cpu_availableProcessors", "max", ["instance"]),
        counter("gc_total", ["instance"]),
        counter("gc_time_seconds_total", ["instance"]),
    ]


def spans():
    """The collector's span metrics, which come by one path only."""
    metric, labels = "traces_span_metrics_duration_seconds", ("span_name", "span_kind", "peer_service")
    recorded = buckets_name(metric, labels)
    by = ", ".join(["environment", *labels])
    calls = rate_name("traces_span_metrics_calls_total", (*labels, "status_code"))
    client = 'span_kind="SPAN_KIND_CLIENT"'
    return [
        record(calls, f"sum by ({by}, status_code) (rate(traces_span_metrics_calls_total[{WINDOW}]))"),
        record(recorded, f"sum by (le, {by}) (rate({metric}_bucket[{WINDOW}]))"),
        *quantiles(recorded, labels, metric),
        record(
            rate_name("traces_span_metrics_calls_total", ["peer_service"]),
            f"sum by (environment, peer_service) ({calls}{{{client}}})",
        ),
        *quantiles(recorded, ["peer_service"], metric, client),
    ]


SIGNALS = ("spans", "log_records", "metric_points")
# What the collector counts as lost: rejected by a backend for good, not queued, not accepted from a sender.
LOSSES = ("exporter_send_failed", "exporter_enqueue_failed", "receiver_refused")
SDK_COUNTS = {
    "spans": "otel_sdk_processor_span_processed_span_total",
    "log_records": "otel_sdk_processor_log_processed_total",
}


def pipeline():
    def collector_rate(what, signal):
        metric = f"otelcol_{what}_{signal}_total"
        # A counter of losses appears with the first loss, which a rate does not see. If the collector was not scraped
        # before, the loss may be old.
        scraped_before = f'and on (environment, instance) up{{job="otel-collector"}} offset {WINDOW}'
        first_loss = f"({metric} unless {metric} offset {WINDOW} {scraped_before}) / {WINDOW_SECONDS}\n  or "
        return f"sum by (environment) (\n  {first_loss if what in LOSSES else ''}rate({metric}[{WINDOW}])\n)"

    return [
        record("environment_job:up:min", "min by (environment, job) (up)"),
        record(
            "environment_version:jarvis_instances:count",
            "count by (environment, version) (label_replace(label_replace(\n"
            '  target_info{job="jarvis-api"}, "version", "$1", "service_version", "(.+)"),\n'
            '  "environment", "$1", "deployment_environment_name", "(.+)"))',
        ),
        record(
            "environment_exporter:otelcol_exporter_queue:ratio",
            "max by (environment, exporter) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)",
        ),
        *[
            record("environment_signal:otelcol_exporter_sent:rate5m", collector_rate("exporter_sent", it), signal=it)
            for it in SIGNALS
        ],
        *[
            record("environment_reason_signal:otelcol_lost:rate5m", collector_rate(reason, it), reason=reason, signal=it)
            for reason in LOSSES
            for it in SIGNALS
        ],
        # A service that cannot reach its collector: what its bounded queues dropped. OTLP cannot report it.
        *[
            record(
                "environment_instance_signal:otel_sdk_dropped:rate5m",
                "sum by (environment, instance) (\n"
                f'  rate({metric}{{error_type!="", telemetry_path="scrape"}}[{WINDOW}])\n)',
                signal=it,
            )
            for it, metric in SDK_COUNTS.items()
        ],
        # The requests of each instance as seen by either path. Never zero: a scrape is a request too.
        record(
            "environment_instance_telemetry_path:http_requests:rate10m",
            "sum by (environment, instance, telemetry_path) (rate(http_requests_total[10m]))",
        ),
    ]


def postgres():
    database = 'datname!~"template.*|"'
    hit, read = (f"sum by (environment) (rate(pg_stat_database_blks_{it}[{WINDOW}]))" for it in ("hit", "read"))
    return [
        record("environment:pg_up:min", "min by (environment) (pg_up)"),
        record(
            "environment_datname:pg_stat_database_numbackends:sum",
            f"sum by (environment, datname) (pg_stat_database_numbackends{{{database}}})",
        ),
        record("environment:pg_settings_max_connections:max", "max by (environment) (pg_settings_max_connections)"),
        *[
            record(
                f"environment_datname:pg_stat_database_xact_{it}:rate5m",
                f"sum by (environment, datname) (rate(pg_stat_database_xact_{it}{{{database}}}[{WINDOW}]))",
            )
            for it in ("commit", "rollback")
        ],
        record("environment:pg_stat_database_blks_hit:ratio_rate5m", f"{hit}\n/ (({hit} + {read}) > 0)"),
        record(
            "environment_state:pg_stat_activity_max_tx_duration:max",
            "max by (environment, state) (pg_stat_activity_max_tx_duration)",
        ),
        record("environment_mode:pg_locks_count:sum", f"sum by (environment, mode) (pg_locks_count{{{database}}})"),
        record(
            "environment_datname:pg_stat_database_deadlocks:increase1h",
            f"sum by (environment, datname) (increase(pg_stat_database_deadlocks{{{database}}}[1h]))",
        ),
        record(
            "environment_datname:pg_database_size_bytes:max",
            f"max by (environment, datname) (pg_database_size_bytes{{{database}}})",
        ),
    ]


def redis():
    hits, misses = (f"sum by (environment) (rate(redis_keyspace_{it}_total[{WINDOW}]))" for it in ("hits", "misses"))
    return [
        record("environment:redis_up:min", "min by (environment) (redis_up)"),
        record("environment:redis_keyspace_hits:ratio_rate5m", f"{hits}\n/ (({hits} + {misses}) > 0)"),
        *[
            record(f"environment:redis_{it}:sum", f"sum by (environment) (redis_{it})")
            for it in ("memory_used_bytes", "memory_max_bytes", "connected_clients", "config_maxclients")
        ],
        *[
            record(f"environment:redis_{it}:rate5m", f"sum by (environment) (rate(redis_{it}_total[{WINDOW}]))")
            for it in ("evicted_keys", "expired_keys", "commands_processed", "rejected_connections")
        ],
    ]


def groups():
    """group -> rules"""
    return {**service_groups(), **{it.__name__: it() for it in (pool, process, spans, pipeline, postgres, redis)}}
