"""The alerts on the current state. Critical ones page somebody; warnings can wait until the morning.

The first three are specified, two of them with French summaries. An alert on a ratio or a quantile requires a minimum of
requests in its 5 minutes: one failure out of two is no outage. Each alert has a page in docs/runbooks.
"""

from catalogue import metrics
from recording_rules import WINDOW_SECONDS
from thresholds import (
    API_P95_SECONDS,
    BUDGET_DRIFT_USD,
    COLLECTOR_QUEUE_RATIO,
    DOCUMENT_WAIT_SECONDS,
    LEDGER_WAIT_SECONDS,
    ERROR_RATIO,
    FAILED_SIGN_INS_FACTOR,
    FAILED_SIGN_INS_PER_SECOND,
    FIRST_TOKEN_SECONDS,
    IDENTITY_AGE_SECONDS,
    MINIMUM_REQUESTS,
    MODEL_ERROR_RATIO,
    PATH_DIFFERENCE_RATIO,
    minutes,
    percent,
)

CRITICAL, WARNING = "critical", "warning"
MODEL = ("environment", "model", "provider")
METRICS = metrics()
DEPENDENCY_UP = METRICS["dependency_up"]
PROVIDER_UP = METRICS["llm_provider_up"]
LEDGER_ROWS = METRICS["ledger_rows_total"]
OTLP_SEEN = 'present_over_time(http_active_requests{telemetry_path="otlp"}[1m])'
PATHS = "environment_instance_telemetry_path:http_requests:rate10m"
# A Prometheus that is down cannot report it: the Watchdog covers that.
PARTS = ("alertmanager", "jaeger", "logs", "otel-collector", "prometheus", "redis")


def alert(name, expression, hold, severity, summary, description, dashboard, variables=("environment",), keep=None):
    """$externalLabels.grafana and .runbooks are URLs: see prometheus.yml."""
    query = "&".join(f"var-{it}={{{{ $labels.{it} }}}}" for it in variables)
    return {
        "alert": name,
        "expr": expression,
        **({"for": hold} if hold else {}),
        **({"keep_firing_for": keep} if keep else {}),
        "labels": {"severity": severity},
        "annotations": {
            "summary": summary,
            "description": description,
            "runbook_url": f"{{{{ $externalLabels.runbooks }}}}/{name}.md",
            "dashboard_url": f"{{{{ $externalLabels.grafana }}}}/d/{dashboard}" + (f"?{query}" if query else ""),
        },
    }


def ledger(name):
    return METRICS[name].recorded


def enough(rate):
    return f"{rate} * {WINDOW_SECONDS} >= {MINIMUM_REQUESTS}"


def p95(recorded, matcher=""):
    return f'{recorded}{{{matcher}quantile="0.95"}}'


def rules():
    first_token = METRICS["llm_time_to_first_token_seconds"].recorded
    oldest, dead = METRICS["documents_queue_oldest_age_seconds"].recorded, METRICS["documents_dead_letters"].recorded
    limits_local = METRICS["limits_local"].recorded
    any_part = "|".join(PARTS)
    # A key that cannot be checked is no failed attempt.
    sign_ins = f'{METRICS["authentication_failures_total"].recorded}{{reason!="unavailable"}}'
    no_model_server = f'{DEPENDENCY_UP.recorded}{{dependency="ollama"}} == 0'
    dependency_down = {
        "summary": "Dependency unreachable",
        "description": "{{ $labels.dependency }} does not respond to the API, or to one of its replicas, in {{ $labels.environment }}.",
        "dashboard": "jarvis-overview",
    }
    return [
        alert(
            "HighErrorRate",
            f"environment:http_request_errors:ratio_rate5m > {ERROR_RATIO}\n"
            f"and {enough('environment:http_requests:rate5m')}",
            "5m",
            CRITICAL,
            "Taux d'erreur élevé",
            "{{ $value | humanizePercentage }} of the requests in {{ $labels.environment }} fail with 5xx "
            f"(limit: {percent(ERROR_RATIO)}).",
            "jarvis-api",
        ),
        # Without the routes whose duration depends on the model: SlowFirstToken covers those.
        alert(
            "SlowAPI",
            "max by (environment) ("
            + p95("environment_class_quantile:http_request_duration_seconds:histogram_quantile", 'class="api", ')
            + f") > {API_P95_SECONDS}\n"
            "and on (environment) " + enough('environment_class:http_requests:rate5m{class="api"}'),
            "10m",
            WARNING,
            f"API lente (p95 > {API_P95_SECONDS}s)",
            "The p95 of all routes that do not ask a model is {{ $value | humanizeDuration }} in {{ $labels.environment }} "
            f"(limit: {API_P95_SECONDS} s).",
            "jarvis-api",
        ),
        # PostgreSQL does not respond to its exporter, or the exporter is gone, or it is no longer scraped.
        alert(
            "DatabaseDown",
            "max by (environment) (pg_up == 0)\n"
            'or max by (environment) (up{job="postgres"} == 0)\n'
            'or (group by (environment) (up{job="jarvis-api"}) unless on (environment) up{job="postgres"})\n'
            'or on () absent(up{job="postgres"})',
            "1m",
            CRITICAL,
            "PostgreSQL down",
            "PostgreSQL of {{ $labels.environment }} does not respond to its exporter, or the exporter is gone. The API keeps "
            "answering; ledger entries wait in memory, 10,000 per replica, and are lost beyond that.",
            "jarvis-database",
            keep="5m",  # as long as the rates of the alerts that it inhibits look back
        ),
        alert(
            "SlowFirstToken",
            f"max by ({', '.join(MODEL)}) ({p95(first_token)}) > {FIRST_TOKEN_SECONDS}\n"
            f"and on ({', '.join(MODEL)}) {enough('environment_model_provider:llm_requests_judged:rate5m')}",
            "10m",
            WARNING,
            f"Slow first token (p95 > {FIRST_TOKEN_SECONDS} s)",
            "The first token of {{ $labels.model }} ({{ $labels.provider }}, {{ $labels.environment }}) takes "
            f"{{{{ $value | humanizeDuration }}}} at p95 (limit: {FIRST_TOKEN_SECONDS} s).",
            "jarvis-llm",
            MODEL,
        ),
        alert(
            "ModelErrors",
            f"environment_model_provider:llm_request_errors:ratio_rate5m > {MODEL_ERROR_RATIO}\n"
            f"and {enough('environment_model_provider:llm_requests_judged:rate5m')}",
            "5m",
            CRITICAL,
            "Model answers fail",
            "{{ $value | humanizePercentage }} of the answers of {{ $labels.model }} ({{ $labels.provider }}, "
            f"{{{{ $labels.environment }}}}) fail, including streams that break off (limit: {percent(MODEL_ERROR_RATIO)}).",
            "jarvis-llm",
            MODEL,
        ),
        # Without a day before, its mean counts as 0. The last hour is left out of it, so that an attack hides itself for hours only.
        alert(
            "FailedSignIns",
            f"sum by (environment) ({sign_ins}) > {FAILED_SIGN_INS_PER_SECOND}\n"
            "unless on (environment) (\n"
            f"  sum by (environment) ({sign_ins})\n"
            f"  <= {FAILED_SIGN_INS_FACTOR} * sum by (environment) (avg_over_time({sign_ins}[1d] offset 1h))\n"
            ")",
            "10m",
            WARNING,
            "Many failed sign-ins",
            "{{ $value | humanize }} requests per second in {{ $labels.environment }} have a key or token that is not accepted, "
            f"more than {FAILED_SIGN_INS_FACTOR} times as many as on the day before.",
            "jarvis-api",
        ),
        alert(
            "IdentityStale",
            f"{METRICS['identity_sync_age_seconds'].recorded} > {IDENTITY_AGE_SECONDS}",
            "1m",
            CRITICAL,
            f"Users and keys are out of date (> {minutes(IDENTITY_AGE_SECONDS)})",
            "A replica in {{ $labels.environment }} has not seen changes of users and keys for {{ $value | humanizeDuration }}: "
            "revoked keys and blocked users still work there.",
            "jarvis-api",
        ),
        # If no replica has a model server there are no answers, whether or not there are requests.
        alert("DependencyDown", no_model_server, "2m", CRITICAL, keep="5m", **dependency_down),
        alert(
            "DependencyDown",
            f"environment_dependency:dependency_up:min == 0\nunless {no_model_server}",
            "2m",
            WARNING,
            **dependency_down,
        ),
        # One of several. If no provider answers at all, the critical DependencyDown fires instead.
        alert(
            "ModelProviderDown",
            f"environment_provider:{PROVIDER_UP.name}:min == 0\n"
            f"unless on (environment) max by (environment) ({PROVIDER_UP.recorded}) == 0",
            "5m",
            WARNING,
            "Model provider down",
            "The model provider {{ $labels.provider }} does not answer the API, or one of its replicas, or rejects its key, in "
            "{{ $labels.environment }}.",
            "jarvis-llm",
            ("environment", "provider"),
        ),
        # Neither path shows a running instance. The scraped job has the environment; without any job there is none.
        alert(
            "ApiAbsent",
            "(\n"
            '  group by (environment) (up{job="jarvis-api"})\n'
            '  unless on (environment) (up{job="jarvis-api"} == 1)\n'
            f"  unless on (environment) {OTLP_SEEN}\n"
            ")\n"
            f'or on () (absent(up{{job="jarvis-api"}}) unless on () {OTLP_SEEN})',
            "1m",
            CRITICAL,
            "API absent",
            "No instance of the API responds to Prometheus or sends metrics in {{ $labels.environment }}.",
            "jarvis-overview",
        ),
        # Only one path shows an instance, or the two report different numbers for it.
        alert(
            "MetricPathsDisagree",
            "max by (environment, instance) (\n"
            f"  {PATHS}\n"
            "  / on (environment, instance) group_left ()\n"
            f"  min by (environment, instance) ({PATHS})\n"
            f") > {PATH_DIFFERENCE_RATIO}\n"
            f"or count by (environment, instance) ({PATHS}) < 2",
            "15m",
            WARNING,
            "The two metric paths disagree",
            "Scrape and OTLP report different numbers of requests for {{ $labels.instance }} ({{ $labels.environment }}), or one "
            "of them reports none.",
            "jarvis-overview",
        ),
        alert(
            "CollectorDropping",
            "sum by (environment, reason, signal) (environment_reason_signal:otelcol_lost:rate5m) > 0",
            "1m",
            WARNING,
            "The collector loses data",
            "The collector of {{ $labels.environment }} loses or rejects {{ $value | humanize }} {{ $labels.signal }} per second "
            "({{ $labels.reason }}).",
            "jarvis-overview",
        ),
        alert(
            "CollectorQueueFilling",
            f"environment_exporter:otelcol_exporter_queue:ratio > {COLLECTOR_QUEUE_RATIO}",
            "5m",
            WARNING,
            "The collector's queue is filling up",
            "The collector's disk queue for {{ $labels.exporter }} ({{ $labels.environment }}) is "
            "{{ $value | humanizePercentage }} full.",
            "jarvis-overview",
        ),
        alert(
            "MonitoringPartDown",
            "\n".join(
                [f'environment_job:up:min{{job=~"{any_part}"}} == 0', *(f'or absent(up{{job="{it}"}})' for it in PARTS)]
            ),
            "2m",
            WARNING,
            "Monitoring is incomplete",
            "Prometheus cannot reach {{ $labels.job }} ({{ $labels.environment }}), or no longer knows it.",
            "jarvis-overview",
            keep="10m",
        ),
        alert(
            "LedgerRowsLost",
            f'{LEDGER_ROWS.recorded}{{result!="ok"}} > 0',
            "1m",
            CRITICAL,
            "Ledger entries are missing",
            "Ledger entries do not reach the database of {{ $labels.environment }} ({{ $labels.result }}).",
            "jarvis-database",
        ),
        alert(
            "LedgerEntriesWait",
            f"{ledger('ledger_spool_age_seconds')} > {LEDGER_WAIT_SECONDS}",
            "1m",
            WARNING,
            "Ledger entries wait for the database",
            "A replica of {{ $labels.environment }} has had an entry for {{ $value | humanizeDuration }} that PostgreSQL does not take.",
            "jarvis-llm",
        ),
        # Users get 503 ledger_full.
        alert(
            "LedgerSpoolFailing",
            f"{ledger('ledger_spool_failing')} > 0",
            "1m",
            CRITICAL,
            "The ledger's disk takes nothing",
            "A replica of {{ $labels.environment }} refuses all calls to models, because it cannot write its spool.",
            "jarvis-llm",
        ),
        alert(
            "LedgerSpoolDamaged",
            f"{ledger('ledger_quarantined_segments')} > 0",
            None,
            WARNING,
            "A file of the ledger's spool was damaged",
            "{{ $value }} damaged files are kept by a replica of {{ $labels.environment }}.",
            "jarvis-llm",
        ),
        # Users notice only that limits are tighter, or that they can be exceeded with more replicas than configured.
        alert(
            "LimitsLocal",
            f"{limits_local} > 0",
            "5m",
            WARNING,
            "Limits are counted locally",
            "A replica of {{ $labels.environment }} counts requests on its own, because Redis does not answer it.",
            "jarvis-api",
            keep="1m",
        ),
        # Calls go on: in PostgreSQL as exactly as in Redis, blindly only within each replica's share.
        alert(
            "BudgetsNotInRedis",
            f'{METRICS["budget_state"].recorded}{{state!="redis"}} > 0',
            "5m",
            WARNING,
            "Budgets are not counted in Redis",
            "A replica of {{ $labels.environment }} reserves by {{ $labels.state }}, because Redis does not answer it.",
            "jarvis-llm",
            keep="1m",
        ),
        alert(
            "BudgetDrift",
            f'{METRICS["budget_drift_usd"].recorded} > {BUDGET_DRIFT_USD}',
            "15m",
            WARNING,
            "Budgets differ from the ledger",
            "Counters of budgets in {{ $labels.environment }} differ from the ledger by {{ $value }} USD "
            f"(limit: {BUDGET_DRIFT_USD} USD).",
            "jarvis-llm",
        ),
        alert(
            "BudgetsUsedUp",
            f'{METRICS["budgets_used_up"].recorded} > 0',
            "5m",
            WARNING,
            "Budgets are used up",
            "{{ $value }} budgets of scope {{ $labels.scope }} in {{ $labels.environment }} are used up.",
            "jarvis-llm",
            keep="5m",  # the number is unknown while the database is down
        ),
        alert(
            "DocumentsBacklog",
            f"{oldest} > {DOCUMENT_WAIT_SECONDS}",
            "5m",
            WARNING,
            "Documents wait to be processed",
            "The oldest document in the queue of {{ $labels.environment }} has waited for {{ $value | humanizeDuration }}.",
            "jarvis-llm",
        ),
        # Excludes files whose content is at fault: their owners see the error.
        alert(
            "DocumentDeadLetters",
            f"{dead} > 0",
            "1m",
            WARNING,
            "Documents were given up",
            "{{ $value }} documents of {{ $labels.environment }} were given up after their last attempt.",
            "jarvis-llm",
            keep="10m",  # the number is unknown while the database is down
        ),
        # Always fires. Its receiver must raise an alarm when it stops: then Prometheus or Alertmanager is down.
        alert(
            "Watchdog",
            "vector(1)",
            None,
            "none",
            "Alerting works",
            "Always fires, so that its absence is noticed.",
            "jarvis-overview",
            (),
        ),
    ]
