"""The service's metrics as Prometheus knows them, and the names of the series that the rules record of each.

metrics.json is generated from the service's Metric.java; `make generate` writes it.
"""

import json
from pathlib import Path

WINDOW = "5m"
# Attached by Prometheus and the collector to every series of the service.
TARGET_LABELS = ("environment", "instance", "job", "telemetry_path")

# Recorded by other labels than the metric's own: the quantiles of a route hold for all its methods, ...
QUANTILE_LABELS = {"http_request_duration_seconds": ("route",)}
# ... and these counters show which instance has a problem.
COUNTED_BY_INSTANCE = {"log_lines_dropped_total"}


class Metric:
    def __init__(self, name, type, unit, labels, description, buckets=()):
        self.name, self.type, self.unit, self.description = name, type, unit, description
        self.labels, self.buckets = tuple(labels), tuple(buckets)

    @property
    def recorded_labels(self):
        """The labels, besides environment, that the recorded series keep."""
        by_instance = self.type == "up-down-counter" or self.name in COUNTED_BY_INSTANCE
        return ("instance", *self.labels) if by_instance else self.labels

    @property
    def quantile_labels(self):
        return QUANTILE_LABELS.get(self.name, self.labels)

    @property
    def recorded(self):
        """The name of the recorded series that shows this metric; of a histogram its quantiles."""
        return {
            "counter": rate_name(self.name, self.recorded_labels),
            "up-down-counter": gauge_name(self.name, "sum", self.recorded_labels),
            "gauge": gauge_name(self.name, "max", self.recorded_labels),
            "histogram": quantile_name(self.name, self.quantile_labels),
        }[self.type]

    def series(self):
        """The names of its time series: a histogram has three."""
        return [f"{self.name}_{it}" for it in ("bucket", "sum", "count")] if self.type == "histogram" else [self.name]


def metrics():
    """name -> Metric, in the catalogue's order"""
    file = Path(__file__).resolve().parent / "metrics.json"
    return {it["name"]: Metric(**it) for it in json.loads(file.read_text(encoding="utf-8"))}


# Names of recorded series: the labels that remain, the metric, the operation.


def level(labels):
    return "_".join(["environment", *labels])


def rate_name(metric, labels):
    return f"{level(labels)}:{metric.removesuffix('_total')}:rate{WINDOW}"


def gauge_name(metric, operation, labels):
    return f"{level(labels)}:{metric}:{operation}"


def buckets_name(metric, labels):
    return f"{level(['le', *labels])}:{metric}_bucket:rate{WINDOW}"


def quantile_name(metric, labels):
    return f"{level([*labels, 'quantile'])}:{metric}:histogram_quantile"
