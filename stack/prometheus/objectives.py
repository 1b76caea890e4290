"""The service-level objectives, their error budgets, and the alerts on how fast those are spent."""

import thresholds
from catalogue import WINDOW, buckets_name, metrics
from recording_rules import JUDGED, record

METRICS = metrics()
EVALUATION_SECONDS = 15  # prometheus.yml's evaluation_interval: turns a sum over rates into a count
REQUESTS = METRICS["http_requests_total"].recorded
BROKEN = METRICS["http_responses_broken_total"].recorded
FIRST_TOKEN = buckets_name("llm_time_to_first_token_seconds", METRICS["llm_time_to_first_token_seconds"].labels)


class Objective:
    def __init__(self, name, share, summary, events, failures, alert, failed, dashboard):
        self.name, self.share, self.summary = name, share, summary
        self.events, self.failures = events, failures
        self.alert, self.failed, self.dashboard = alert, failed, dashboard


OBJECTIVES = (
    Objective(
        "availability",
        thresholds.AVAILABILITY,
        "The availability error budget is spent too fast",
        events=f"sum by (environment) ({REQUESTS}{{{JUDGED}}})",
        failures=(
            f'(sum by (environment) ({REQUESTS}{{{JUDGED}, status=~"5.."}}) or 0 * environment:http_requests:rate5m)\n'
            f"+ (sum by (environment) ({BROKEN}{{{JUDGED}}}) or 0 * environment:http_requests:rate5m)"
        ),
        alert="AvailabilityBudgetBurn",
        failed="of the requests in the last {window} failed with 5xx or broke off",
        dashboard="jarvis-api",
    ),
    Objective(
        "first_token",
        thresholds.FIRST_TOKEN,
        f"The error budget of the first token ({thresholds.FIRST_TOKEN_SECONDS} s) is spent too fast",
        events=f'sum by (environment) ({FIRST_TOKEN}{{le="+Inf"}})',
        failures=(
            'slo:events:rate5m{slo="first_token"}\n'
            f'- ignoring (slo) sum by (environment) ({FIRST_TOKEN}{{le="{thresholds.FIRST_TOKEN_SECONDS}"}})'
        ),
        alert="FirstTokenBudgetBurn",
        failed=f"of the answers in the last {{window}} took more than {thresholds.FIRST_TOKEN_SECONDS} s to their first token",
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
    """Failures per event in a window: sums of the 5-minute rates, for which the path of each instance is already chosen."""
    if window == WINDOW:
        return record(ratio(window), "slo:failures:rate5m / (slo:events:rate5m > 0)")
    over = f"sum_over_time(slo:%s:rate5m[{window}])"
    return record(ratio(window), f"{over % 'failures'} / ({over % 'events'} > 0)")


def budget_left():
    return record("slo:error_budget_left:ratio30d", f"1 - {ratio('30d')} / (1 - slo:objective:ratio)")


def burn_alert(objective, long, short, factor, severity, hold):
    limit = f"{factor} * {round(1 - objective.share, 6)}"
    slo = f'{{slo="{objective.name}"}}'
    return {
        "alert": objective.alert,
        "expr": (
            f"{ratio(long)}{slo} > {limit}\n"
            f"and {ratio(short)}{slo} > {limit}\n"
            f"and sum_over_time(slo:failures:rate5m{slo}[{long}]) * {EVALUATION_SECONDS} >= {thresholds.MINIMUM_FAILURES}"
        ),
        "for": hold,
        "labels": {"severity": severity, "window": long},
        "annotations": {
            "summary": objective.summary,
            "description": (
                f"{{{{ $value | humanizePercentage }}}} {objective.failed.format(window=long)} ({{{{ $labels.environment }}}}). "
                f"That is more than {factor} times what the objective of {objective.share:.1%} over 30 days allows."
            ),
            "runbook_url": f"{{{{ $externalLabels.runbooks }}}}/{objective.alert}.md",
            "dashboard_url": f"{{{{ $externalLabels.grafana }}}}/d/{objective.dashboard}"
            "?var-environment={{ $labels.environment }}",
        },
    }


def short_rules():
    windows = [WINDOW, *(it[1] for it in thresholds.BURN_RATES if it[1] != WINDOW), "1h"]
    return [rule for it in OBJECTIVES for rule in objective_rules(it)] + [window_rule(it) for it in windows]


def long_rules():
    """They change slowly and look far back."""
    return [*(window_rule(it) for it in ("1d", "3d", "30d")), budget_left()]


def burn_alerts():
    return [burn_alert(it, *burn) for it in OBJECTIVES for burn in thresholds.BURN_RATES]
