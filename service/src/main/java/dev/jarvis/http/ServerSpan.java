package dev.jarvis.http;

import dev.jarvis.telemetry.Telemetry;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/**
 * The server span of a request, as OpenTelemetry's semantic conventions for HTTP define it.
 * Continues the client's trace.
 */
record ServerSpan(Span span) {
  private static final int MAX_USER_AGENT = 256;
  private static final TextMapGetter<ServerRequest> HEADERS =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(ServerRequest request) {
          return request.headers().stream().map(it -> it.headerName().lowerCase()).toList();
        }

        @Override
        public @Nullable String get(@Nullable ServerRequest request, String key) {
          return request == null
              ? null
              : request.headers().first(HeaderNames.create(key)).orElse(null);
        }
      };

  static ServerSpan start(Telemetry telemetry, ServerRequest request, Exchange exchange) {
    Context parent =
        telemetry
            .openTelemetry()
            .getPropagators()
            .getTextMapPropagator()
            .extract(Context.root(), request, HEADERS);
    String method = exchange.method().equals("_OTHER") ? "HTTP" : exchange.method();
    boolean matched = !exchange.route().equals(Routes.UNMATCHED);
    SpanBuilder builder =
        telemetry
            .tracer()
            .spanBuilder(matched ? method + " " + exchange.route() : method)
            .setParent(parent)
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("http.request.method", exchange.method())
            .setAttribute("url.path", exchange.path())
            .setAttribute("url.scheme", request.isSecure() ? "https" : "http")
            .setAttribute("network.protocol.version", request.prologue().protocolVersion())
            .setAttribute("client.address", exchange.clientAddress())
            .setAttribute("jarvis.request_id", exchange.requestId());
    if (matched) {
      builder.setAttribute("http.route", exchange.route());
    }
    request
        .headers()
        .first(HeaderNames.USER_AGENT)
        .ifPresent(
            it ->
                builder.setAttribute(
                    "user_agent.original", it.substring(0, Math.min(it.length(), MAX_USER_AGENT))));
    return new ServerSpan(builder.startSpan());
  }

  void end(Exchange exchange, int status) {
    if (exchange.userId() != null) {
      span.setAttribute("user.id", exchange.userId());
    }
    span.setAttribute("http.response.status_code", status);
    if (exchange.failure() != null) {
      span.setStatus(StatusCode.ERROR);
      span.setAttribute("error.type", exchange.failure().getClass().getName());
    } else if (exchange.clientGone()) {
      span.setAttribute("error.type", "client_closed_request");
    }
    span.end();
  }
}
