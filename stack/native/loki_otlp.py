"""Loki's mapping of OTLP log records to labels, metadata and lines.

It follows "Ingesting logs to Loki using OpenTelemetry Collector", "Format considerations", in Loki's documentation. Tests
feed it the bytes that the collector sends, because no Loki runs in CI.

- Resource attributes that Loki's configuration lists are index labels. All other resource attributes, the attributes of
  scope and record, and the fields of the record are structured metadata.
- Names: dots and other special characters become underscores; nested attributes are flattened with an underscore.
- The line is the record's body as text.
"""

import gzip

from logs import underscored
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest


def index_labels(config):
    """The resource attributes that are index labels, from the parsed loki/local-config.yaml."""
    attributes = config["limits_config"]["otlp_config"]["resource_attributes"]
    if not attributes.get("ignore_defaults"):
        raise ValueError("ignore_defaults must be true, because Loki's default labels are not known here")
    chosen = [it for it in attributes["attributes_config"] if it["action"] == "index_label"]
    return [name for it in chosen for name in it["attributes"]]


def lines(body, config):
    """[(index labels, structured metadata, line)] of the body of an OTLP request, which may be gzipped."""
    request = ExportLogsServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    labels = {underscored(it) for it in index_labels(config)}
    for resource_logs in request.resource_logs:
        resource = _flat(resource_logs.resource.attributes)
        index = {k: v for k, v in resource.items() if k in labels}
        for scope_logs in resource_logs.scope_logs:
            scope = {"scope_name": scope_logs.scope.name, "scope_version": scope_logs.scope.version}
            for record in scope_logs.log_records:
                own = {
                    "severity_text": record.severity_text,
                    "severity_number": str(record.severity_number or ""),
                    "observed_timestamp": str(record.observed_time_unix_nano or ""),
                    "trace_id": record.trace_id.hex(),
                    "span_id": record.span_id.hex(),
                    "flags": str(record.flags or ""),
                }
                rest = {k: v for k, v in resource.items() if k not in labels}
                metadata = {**rest, **_flat(scope_logs.scope.attributes), **scope, **own, **_flat(record.attributes)}
                yield index, {k: v for k, v in metadata.items() if v != ""}, _text(record.body)


def _flat(attributes, prefix=""):
    flat = {}
    for it in attributes:
        name = prefix + underscored(it.key)
        if it.value.WhichOneof("value") == "kvlist_value":
            flat.update(_flat(it.value.kvlist_value.values, f"{name}_"))
        else:
            flat[name] = _text(it.value)
    return flat


def _text(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    found = getattr(value, kind)
    return str(found).lower() if kind == "bool_value" else str(found)
