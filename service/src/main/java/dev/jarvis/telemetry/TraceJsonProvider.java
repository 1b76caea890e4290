package dev.jarvis.telemetry;

import ch.qos.logback.classic.spi.ILoggingEvent;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import net.logstash.logback.composite.AbstractJsonProvider;
import tools.jackson.core.JsonGenerator;

/**
 * Writes {@code trace_id} and {@code span_id} of the span that is current where a line is logged.
 */
public final class TraceJsonProvider extends AbstractJsonProvider<ILoggingEvent> {
  @Override
  public void writeTo(JsonGenerator generator, ILoggingEvent event) {
    SpanContext span = Span.current().getSpanContext();
    if (span.isValid()) {
      generator.writeStringProperty("trace_id", span.getTraceId());
      generator.writeStringProperty("span_id", span.getSpanId());
    }
  }
}
