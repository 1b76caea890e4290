package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.error.OutOfMemory;
import io.helidon.http.Method;
import io.helidon.http.PathMatcher;
import io.helidon.http.PathMatchers;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service's routes by template. Helidon tells a handler which pattern matched, but telemetry
 * needs the template before: for the name of the span, which samplers judge, and the first log
 * line. So routes are registered here, which answers that question too.
 */
public final class Routes {
  /** The route of a path that is registered nowhere. */
  public static final String UNMATCHED = "_unmatched";

  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

  /** Who may use a route. */
  public enum Access {
    ANYBODY,
    /** A known API key. */
    KEY,
    /** A known API key of the administrator. */
    ADMIN,
    /** The metrics token where one is configured, anybody otherwise. */
    METRICS_TOKEN
  }

  private record Route(
      Method method, String template, PathMatcher matcher, Access access, Handler handler) {
    List<Method> methods() {
      return method.equals(Method.GET) ? List.of(Method.GET, Method.HEAD) : List.of(method);
    }
  }

  private final List<Route> routes = new ArrayList<>();
  private final BearerTokens tokens;

  public Routes(BearerTokens tokens) {
    this.tokens = tokens;
  }

  /** A route for {@code GET}, and for {@code HEAD}, whose answer is the same without its body. */
  public Routes get(String template, Access access, Handler handler) {
    return add(Method.GET, template, access, handler);
  }

  public Routes post(String template, Access access, Handler handler) {
    return add(Method.POST, template, access, handler);
  }

  public Routes delete(String template, Access access, Handler handler) {
    return add(Method.DELETE, template, access, handler);
  }

  private Routes add(Method method, String template, Access access, Handler handler) {
    routes.add(
        new Route(
            method, template.replace("{+", "{"), PathMatchers.create(template), access, handler));
    return this;
  }

  /** The templates with their methods, as registered. */
  public Map<String, Set<String>> templates() {
    Map<String, Set<String>> templates = new LinkedHashMap<>();
    routes.forEach(
        it ->
            templates
                .computeIfAbsent(it.template(), key -> new LinkedHashSet<>())
                .add(it.method().text()));
    return templates;
  }

  /** Whether a template is for those who watch the service: probes and scrapes. */
  public boolean watches(String template) {
    return routes.stream()
        .anyMatch(it -> it.access() == Access.METRICS_TOKEN && it.template().equals(template));
  }

  /** The template that the request's path matches, whatever its method, or {@link #UNMATCHED}. */
  public String template(ServerRequest request) {
    return routes.stream()
        .filter(it -> it.matcher().match(request.prologue().uriPath()).accepted())
        .map(Route::template)
        .findFirst()
        .orElse(UNMATCHED);
  }

  /** Registers the routes, and answers for what is not there and for errors. */
  public void register(HttpRouting.Builder routing) {
    for (Route route : routes) {
      routing.route(
          Method.predicate(route.methods()),
          route.matcher(),
          (request, response) -> {
            tokens.require(route.access(), request);
            route.handler().handle(request, response);
          });
    }
    for (Route route : routes) {
      String allowed = allowed(route.template());
      routing.route(
          method -> true,
          route.matcher(),
          (request, response) -> {
            throw new ApiException.MethodNotAllowed(
                "%s takes %s, not %s."
                    .formatted(route.template(), allowed, Exchange.of(request).method()),
                allowed);
          });
    }
    routing.any((request, response) -> notFound(request));
    routing.error(ApiException.class, Routes::fail);
    routing.error(
        Throwable.class,
        (request, response, error) -> fail(request, response, new ApiException.Internal(error)));
  }

  private String allowed(String template) {
    return routes.stream()
        .filter(it -> it.template().equals(template))
        .flatMap(it -> it.methods().stream())
        .map(Method::text)
        .collect(Collectors.joining(", "));
  }

  private void notFound(ServerRequest request) {
    String path = Exchange.of(request).path();
    if (path.startsWith("/v1/")) {
      tokens.require(Access.KEY, request);
    }
    throw new ApiException.NotFound(
        "Unknown path %s; known are %s.".formatted(path, String.join(", ", templates().keySet())),
        null,
        "unknown_url");
  }

  private static void fail(ServerRequest request, ServerResponse response, ApiException error) {
    OutOfMemory.endProcessIf(error);
    Exchange exchange = Exchange.of(request);
    if (Errors.isFault(error)) {
      exchange.failure(error.getCause() == null ? error : error.getCause());
    }
    if (error instanceof ApiException.Internal) {
      LOG.atError().setCause(error.getCause()).log("request failed");
    }
    Errors.send(request, response, exchange.requestId(), error);
  }
}
