package dev.jarvis.document.search;

import dev.jarvis.document.TraceParent;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Duration;
import java.util.List;
import java.util.function.IntConsumer;

/** Spans and the duration of searches. */
record SearchTelemetry(Telemetry telemetry) {
  /** Counts the searches that wait for a permit. */
  IntConsumer waiting() {
    return change ->
        telemetry.instruments().add(Metric.DOCUMENTS_WAITING_REQUESTS, change, "search");
  }

  /** Starts the span of a search. */
  Span start() {
    return telemetry.tracer().spanBuilder("search documents").startSpan();
  }

  /** Links the search to the processing of each document that it found. */
  void found(List<Passage> passages, Span span) {
    passages.stream()
        .map(Passage::trace)
        .distinct()
        .map(TraceParent::parse)
        .filter(SpanContext::isValid)
        .forEach(span::addLink);
  }

  /** Records how long a search took. */
  void searched(boolean hybrid, Duration duration) {
    telemetry
        .instruments()
        .record(Metric.DOCUMENTS_SEARCH_DURATION, duration, hybrid ? "hybrid" : "full_text");
  }
}
