package dev.jarvis.document;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The {@code traceparent} of a span, as <a href="https://www.w3.org/TR/trace-context/">W3C Trace
 * Context</a> defines it: stored with a document, so that later traces link to the span.
 */
public final class TraceParent {
  private static final String FIELD = "traceparent";
  private static final TextMapGetter<Map<String, String>> GETTER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, String> carrier, String key) {
          return carrier == null ? null : carrier.get(key);
        }
      };

  private TraceParent() {}

  /** Returns the value for the current span; empty if there is none. */
  static String current() {
    Map<String, String> carrier = new HashMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(
            Context.current(),
            carrier,
            (map, key, value) -> {
              if (map != null) {
                map.put(key, value);
              }
            });
    return carrier.getOrDefault(FIELD, "");
  }

  /** Returns the span that a value names; not valid if the value is not. */
  public static SpanContext parse(String text) {
    Context context =
        W3CTraceContextPropagator.getInstance()
            .extract(Context.root(), Map.of(FIELD, text), GETTER);
    return Span.fromContext(context).getSpanContext();
  }
}
