"""Other metrics: a plain panel for each metric of the service that no dashboard, alert or derived rule reads."""

from panels import ENVIRONMENT, graph, prom, row

UNITS = {"s": "s", "By": "bytes"}


def panel_of(metric):
    rate = metric.type == "counter"
    labels = [*metric.quantile_labels, "quantile"] if metric.type == "histogram" else metric.recorded_labels
    legend = " ".join(f"{{{{{it}}}}}" for it in labels) or metric.name
    return graph(
        metric.name,
        f"{metric.description}{', per second' if rate else ''}. Normal: as in the past days.",
        [prom(f"{metric.recorded}{{{ENVIRONMENT}}}", legend)],
        "ops" if rate else UNITS.get(metric.unit, "short"),
    )


def row_of(metrics):
    return row("Other metrics", *(panel_of(it) for it in metrics))
