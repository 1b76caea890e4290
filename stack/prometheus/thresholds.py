"""The limits that alerts, objectives and panels share. Each is defined only here."""

ERROR_RATIO = 0.1  # HighErrorRate
API_P95_SECONDS = 2  # SlowAPI
MODEL_ERROR_RATIO = 0.1  # ModelErrors
FIRST_TOKEN_SECONDS = 2  # SlowFirstToken and the objective; must be the bound of a bucket
MINIMUM_REQUESTS = 10  # in 5 minutes: with fewer, an alert on a ratio or a quantile does not fire
DOCUMENT_WAIT_SECONDS = 600  # DocumentsBacklog
LEDGER_WAIT_SECONDS = 300  # LedgerEntriesWait
FAILED_SIGN_INS_PER_SECOND = 0.2  # FailedSignIns: at least this, ...
FAILED_SIGN_INS_FACTOR = 5  # ... and so many times the mean of the day before
BUDGET_DRIFT_USD = 0.01  # BudgetDrift
IDENTITY_AGE_SECONDS = 300  # IdentityStale
COLLECTOR_QUEUE_RATIO = 0.5  # CollectorQueueFilling
PATH_DIFFERENCE_RATIO = 1.1  # MetricPathsDisagree

# Objectives over 30 days: the share of events that must be good.
AVAILABILITY = 0.995
FIRST_TOKEN = 0.95
# Multi-window, multi-burn-rate alerts, as in chapter 5 of Google's SRE workbook: (long window, short window, how many
# times faster than allowed the budget burns, severity, for).
BURN_RATES = (
    ("1h", "5m", 14.4, "critical", "2m"),
    ("6h", "30m", 6, "critical", "15m"),
    ("1d", "2h", 3, "warning", "1h"),
    ("3d", "6h", 1, "warning", "3h"),
)
# With fewer failures than this in the long window, no burn-rate alert fires.
MINIMUM_FAILURES = 5
# What a panel marks as too much. No alert reads these.
GC_TIME_RATIO = 0.05
COLD_LOAD_SECONDS = 0.3  # as ollama_cold_loads_total counts them


def percent(ratio):
    return f"{ratio * 100:g} %"


def minutes(seconds):
    return f"{seconds // 60} minutes"
