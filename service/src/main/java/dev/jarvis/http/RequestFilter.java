package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.id.UuidV7;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.event.Level;

/**
 * The first filter: every request's id, span, metrics and its two log lines. Probes and scrapes
 * come every few seconds: they have no line at their start, and one at their end if they fail.
 */
public final class RequestFilter implements Filter {
  private static final Logger LOG = LoggerFactory.getLogger("dev.jarvis.request");

  /** RFC 9110's methods and RFC 5789's; any other counts as one. */
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

  /** Statuses that every route shows from the start: good, and each of {@link Errors} above 499. */
  private static final List<String> ANNOUNCED = List.of("200", "500", "502", "503", "504");

  private static final int MAX_LOGGED_PATH = 256;
  private static final int MAX_LOGGED_CAUSE = 500;
  private static final int MAX_CAUSES = 20;

  private final Telemetry telemetry;
  private final Instruments instruments;
  private final Routes routes;
  private final BearerTokens tokens;
  private final TrustedProxies proxies;
  private volatile boolean stopping;

  public RequestFilter(
      Telemetry telemetry, Routes routes, BearerTokens tokens, TrustedProxies proxies) {
    this.telemetry = telemetry;
    this.instruments = telemetry.instruments();
    this.routes = routes;
    this.tokens = tokens;
    this.proxies = proxies;
    instruments.add(Metric.HTTP_ACTIVE_REQUESTS, 0);
    routes
        .templates()
        .forEach(
            (template, methods) -> {
              instruments.add(Metric.HTTP_RESPONSES_BROKEN, 0, template);
              methods.forEach(method -> announce(method, template));
            });
  }

  /** The server is about to stop: what it breaks off from now on is logged as a warning. */
  public void stopping() {
    stopping = true;
  }

  /** A rate sees no first failure in a counter that begins with it. */
  private void announce(String method, String template) {
    for (String status : ANNOUNCED) {
      instruments.add(Metric.HTTP_REQUESTS, 0, method, template, status);
    }
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    long start = System.nanoTime();
    ClientConnection connection = ClientConnection.current();
    connection.requestBegan(request.prologue().method());
    Exchange exchange = exchange(request);
    request.context().register(exchange);
    response.header(RequestIds.HEADER, exchange.requestId());
    ServerSpan span = ServerSpan.start(telemetry, request, exchange);
    instruments.add(Metric.HTTP_ACTIVE_REQUESTS, 1);
    try (Scope ignored = Context.current().with(span.span()).makeCurrent();
        MDC.MDCCloseable id = MDC.putCloseable("request_id", exchange.requestId());
        MDC.MDCCloseable route = MDC.putCloseable("route", exchange.route())) {
      if (!routes.watches(exchange.route())) {
        logStarted(exchange);
      }
      try {
        answer(chain, request, response, exchange);
      } catch (CloseConnectionException e) {
        brokeOff(exchange, e.getCause());
        throw e;
      } catch (RuntimeException e) {
        // what the error handlers let through are failed writes: nobody listens any more
        exchange.clientIsGone();
        throw e;
      } finally {
        int status =
            exchange.clientGone() ? Exchange.CLIENT_CLOSED_REQUEST : response.status().code();
        ended(exchange, status, Duration.ofNanos(System.nanoTime() - start));
        span.end(exchange, status);
      }
    } finally {
      exchange.end();
      instruments.add(Metric.HTTP_ACTIVE_REQUESTS, -1);
    }
    if (exchange.clientGone() || mustClose(request, response)) {
      // Helidon announces "Connection: close" and reads on all the same
      throw new CloseConnectionException("end of the connection");
    }
    connection.requestEnded();
  }

  private static void answer(
      FilterChain chain, RoutingRequest request, RoutingResponse response, Exchange exchange) {
    try {
      Framing.check(request.headers());
    } catch (ApiException e) {
      Errors.send(request, response, exchange.requestId(), e);
      return;
    }
    chain.proceed();
  }

  /**
   * What ended a request without an answer, or with half of one: a read or a write that failed
   * because the client is gone, the stop of the service while it waited for the client, or a fault
   * of the service.
   */
  private static void brokeOff(Exchange exchange, @Nullable Throwable cause) {
    if (cause instanceof UncheckedIOException
        || cause instanceof ServerConnectionException
        || cause instanceof InterruptedException) {
      exchange.clientIsGone();
    } else if (cause != null && !exchange.clientGone()) {
      exchange.failure(cause);
    }
  }

  private static boolean mustClose(RoutingRequest request, RoutingResponse response) {
    return request.headers().containsToken(HeaderValues.CONNECTION_CLOSE)
        || response.headers().containsToken(HeaderValues.CONNECTION_CLOSE)
        // else Helidon would read it to its end, however long it is
        || (request.content().hasEntity() && !request.content().consumed());
  }

  private Exchange exchange(RoutingRequest request) {
    UUID id = UuidV7.next();
    String method = request.prologue().method().text();
    String path = request.prologue().uriPath().path();
    return new Exchange(
        id,
        RequestIds.of(request.headers(), id),
        METHODS.contains(method) ? method : "_OTHER",
        path.length() > MAX_LOGGED_PATH ? path.substring(0, MAX_LOGGED_PATH) : path,
        routes.template(request),
        tokens.user(request),
        proxies.clientAddress(request.remotePeer().address(), request.headers()));
  }

  /** What a model server or a library said first; bounded, on one line. */
  private static String rootCause(Throwable failure) {
    Throwable root = failure;
    for (int i = 0; i < MAX_CAUSES && root.getCause() != null; i++) {
      root = root.getCause();
    }
    String text = root.toString().replaceAll("\\p{Cntrl}+", " ");
    return text.substring(0, Math.min(text.length(), MAX_LOGGED_CAUSE));
  }

  private static void logStarted(Exchange exchange) {
    LOG.atInfo()
        .addKeyValue("method", exchange.method())
        .addKeyValue("path", exchange.path())
        .addKeyValue("user_id", exchange.userId())
        .log("request_started");
  }

  private void ended(Exchange exchange, int status, Duration duration) {
    instruments.add(
        Metric.HTTP_REQUESTS, 1, exchange.method(), exchange.route(), Integer.toString(status));
    if (exchange.failure() != null && status < 400) {
      instruments.add(Metric.HTTP_RESPONSES_BROKEN, 1, exchange.route());
    }
    instruments.record(Metric.HTTP_REQUEST_DURATION, duration, exchange.method(), exchange.route());
    if (routes.watches(exchange.route()) && exchange.failure() == null && status < 400) {
      return;
    }
    Level level = exchange.failure() == null ? Level.INFO : stopping ? Level.WARN : Level.ERROR;
    var line =
        LOG.atLevel(level)
            .addKeyValue("method", exchange.method())
            .addKeyValue("path", exchange.path())
            .addKeyValue("user_id", exchange.userId())
            .addKeyValue("client_address", exchange.clientAddress())
            .addKeyValue("status", status)
            .addKeyValue("duration_ms", Math.round(duration.toNanos() / 1e3) / 1e3);
    if (exchange.endUser() != null) {
      line = line.addKeyValue("end_user", exchange.endUser());
    }
    if (exchange.outcome() != null) {
      line =
          line.addKeyValue("model", exchange.model())
              .addKeyValue("provider", exchange.provider())
              .addKeyValue("model_route", exchange.modelRoute())
              .addKeyValue("routing_reason", exchange.routingReason())
              .addKeyValue("outcome", exchange.outcome());
    }
    if (exchange.failure() != null) {
      line =
          line.addKeyValue("error", exchange.failure().toString())
              .addKeyValue("cause", rootCause(exchange.failure()));
    }
    line.log("request_completed");
  }
}
