package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.id.UuidV7;
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
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * The first filter: begins and ends every request. Its span, its metrics, its log lines, the check
 * of its framing and its user are each the job of another class; this one calls them in order.
 */
public final class RequestFilter implements Filter {
  /** The methods of RFC 9110 and RFC 5789; any other counts as one. */
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

  private static final int MAX_LOGGED_PATH = 256;

  private final Telemetry telemetry;
  private final Routes routes;
  private final BearerTokens tokens;
  private final TrustedProxies proxies;
  private final Cors cors;
  private final RequestMetrics metrics;
  private final RequestLog log = new RequestLog();

  public RequestFilter(
      Telemetry telemetry, Routes routes, BearerTokens tokens, TrustedProxies proxies, Cors cors) {
    this.telemetry = telemetry;
    this.routes = routes;
    this.tokens = tokens;
    this.proxies = proxies;
    this.cors = cors;
    this.metrics = new RequestMetrics(telemetry.instruments(), routes);
  }

  /** The server is about to stop: requests that it interrupts are logged as warnings. */
  public void stopping() {
    log.stopping();
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    long start = System.nanoTime();
    ClientConnection connection = ClientConnection.current();
    connection.requestBegan(request.prologue().method());
    Exchange exchange = exchange(request);
    request.context().register(exchange);
    exchange.headers().addAll(cors.headers(request.headers()));
    exchange.headers().forEach(response::header);
    metrics.started();
    try {
      observe(chain, request, response, exchange, start);
    } finally {
      exchange.end();
      metrics.ended();
    }
    if (exchange.clientGone() || mustClose(request, response)) {
      // Helidon announces "Connection: close" and reads on all the same
      throw new CloseConnectionException("end of the connection");
    }
    connection.requestEnded();
  }

  /** Answers the request within its span, between its two log lines. */
  private void observe(
      FilterChain chain,
      RoutingRequest request,
      RoutingResponse response,
      Exchange exchange,
      long start) {
    boolean probe = routes.isProbe(exchange.route());
    ServerSpan span = ServerSpan.start(telemetry, request, exchange);
    try (Scope ignored = Context.current().with(span.span()).makeCurrent();
        MDC.MDCCloseable id = MDC.putCloseable("request_id", exchange.requestId());
        MDC.MDCCloseable route = MDC.putCloseable("route", exchange.route())) {
      try {
        if (!probe) { // the metrics token is no credential of a client
          exchange.authenticated(tokens.authenticate(request, exchange.clientAddress()));
        }
        log.started(exchange, probe);
        answer(chain, request, response, exchange);
      } catch (CloseConnectionException e) {
        interrupted(exchange, e.getCause());
        throw e;
      } catch (RuntimeException e) {
        // the error handlers let only failed writes through, and those mean that the client left
        exchange.clientIsGone();
        throw e;
      } finally {
        int status =
            exchange.clientGone() ? Exchange.CLIENT_CLOSED_REQUEST : response.status().code();
        Duration duration = Duration.ofNanos(System.nanoTime() - start);
        metrics.completed(exchange, status, duration);
        log.completed(exchange, probe, status, duration);
        span.end(exchange, status);
      }
    }
  }

  private void answer(
      FilterChain chain, RoutingRequest request, RoutingResponse response, Exchange exchange) {
    try {
      Framing.check(request.headers());
    } catch (ApiException e) {
      exchange.logAttribute("error", String.valueOf(e.getMessage()));
      Errors.send(request, response, exchange.requestId(), e);
      return;
    }
    if (!exchange.route().equals(Routes.UNMATCHED) && cors.isPreflight(request)) {
      cors.answerPreflight(request, response, routes.allowed(exchange.route()));
      return;
    }
    chain.proceed();
  }

  /**
   * Records why a request ended without a complete response: the client disconnected, the service
   * stopped while it waited for the client, or the service failed.
   */
  private static void interrupted(Exchange exchange, @Nullable Throwable cause) {
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

  /** The method as telemetry names it. */
  static String method(String method) {
    return METHODS.contains(method) ? method : "_OTHER";
  }

  /** The path as it is logged. */
  static String bounded(String path) {
    return path.substring(0, Math.min(path.length(), MAX_LOGGED_PATH));
  }

  private Exchange exchange(RoutingRequest request) {
    UUID id = UuidV7.next();
    String method = request.prologue().method().text();
    String path = request.prologue().uriPath().path();
    String route = routes.template(request);
    String address = proxies.clientAddress(request.remotePeer().address(), request.headers());
    return new Exchange(
        id, RequestIds.of(request.headers(), id), method(method), bounded(path), route, address);
  }
}
