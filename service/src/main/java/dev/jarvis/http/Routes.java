package dev.jarvis.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.Permission;
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
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The endpoints with their handlers. Knows the template of a request before its handler runs, which
 * Helidon does not, because the first log line and the name of the span need it.
 */
public final class Routes {
  /** Stands for the template of a path that no endpoint has. */
  public static final String UNMATCHED = "_unmatched";

  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

  private record Route(Endpoint endpoint, PathMatcher matcher, Target target) {
    List<Method> methods() {
      Method method = endpoint.method();
      return method.equals(Method.GET) ? List.of(Method.GET, Method.HEAD) : List.of(method);
    }

    String template() {
      return endpoint.path();
    }
  }

  /** Creates the handler of a route, once the schemas of all routes are known. */
  private interface Target {
    Handler handler(ObjectNode document);
  }

  private final List<Route> routes = new ArrayList<>();

  /** Counts the requests of users by group. */
  public interface Limiter {
    /**
     * Counts a request.
     *
     * @throws ApiException.RateLimited if the user has made too many
     */
    void check(RateGroup group, String userId);
  }

  private final BearerTokens tokens;
  private final Limiter limiter;
  private final JsonBody bodies;
  private final String version;
  private volatile @Nullable ObjectNode document;

  /**
   * Creates routes without endpoints.
   *
   * @param version of the API, for its document
   */
  public Routes(BearerTokens tokens, Limiter limiter, JsonBody bodies, String version) {
    this.tokens = tokens;
    this.limiter = limiter;
    this.bodies = bodies;
    this.version = version;
  }

  /** Adds an endpoint without a JSON body. */
  public Routes add(Endpoint endpoint, Handler handler) {
    return addRoute(endpoint, document -> handler);
  }

  /** Adds an endpoint with a JSON body, which is checked against its schema. */
  public Routes addJson(Endpoint endpoint, JsonHandler handler) {
    String schema = Objects.requireNonNull(endpoint.body(), "an endpoint with a JSON body");
    return addRoute(
        endpoint,
        document -> {
          RequestSchema bodySchema = RequestSchema.ofBody(document, schema);
          return (request, response) -> {
            ObjectNode body = bodies.object(request);
            bodySchema.check(body);
            handler.handle(body, request, response);
          };
        });
  }

  private Routes addRoute(Endpoint endpoint, Target target) {
    routes.add(new Route(endpoint, PathMatchers.create(endpoint.template()), target));
    return this;
  }

  /** The templates with their methods, as registered. */
  public Map<String, Set<String>> templates() {
    Map<String, Set<String>> templates = new LinkedHashMap<>();
    routes.forEach(
        it ->
            templates
                .computeIfAbsent(it.template(), key -> new LinkedHashSet<>())
                .add(it.endpoint().method().text()));
    return templates;
  }

  /** Whether the template belongs to a probe or a scrape. */
  public boolean isProbe(String template) {
    return routes.stream()
        .anyMatch(
            it -> it.endpoint().access() == Access.METRICS_TOKEN && it.template().equals(template));
  }

  /** The template that the request's path matches, whatever its method, or {@link #UNMATCHED}. */
  public String template(ServerRequest request) {
    return routes.stream()
        .filter(it -> it.matcher().match(request.prologue().uriPath()).accepted())
        .map(Route::template)
        .findFirst()
        .orElse(UNMATCHED);
  }

  /** The OpenAPI document of all routes; there once they are registered. */
  ObjectNode document() {
    return Objects.requireNonNull(document, "the routes are not registered yet");
  }

  /**
   * Registers the routes, and the answers to unknown paths, other methods and errors.
   *
   * @throws IllegalStateException if a schema is missing, or a limit that it refers to
   */
  public void register(HttpRouting.Builder routing) {
    ObjectNode assembled = OpenApi.document(routes.stream().map(Route::endpoint).toList(), version);
    document = assembled;
    for (Route route : routes) {
      Access access = route.endpoint().access();
      Permission permission = route.endpoint().permission();
      RateGroup group = route.endpoint().rateGroup();
      Handler handler = checkingQuery(route.endpoint(), route.target().handler(assembled));
      routing.route(
          Method.predicate(route.methods()),
          route.matcher(),
          (request, response) -> {
            tokens.require(access, permission, request);
            if (group != null) {
              limiter.check(group, Exchange.of(request).principal().userId());
            }
            handler.handle(request, response);
          });
    }
    for (Route route : routes) {
      String allowed = allowed(route.template());
      routing.route(
          method -> true,
          route.matcher(),
          (request, response) -> {
            throw new ApiException.MethodNotAllowed(
                "%s does not support %s; allowed are %s."
                    .formatted(route.template(), Exchange.of(request).method(), allowed),
                allowed);
          });
    }
    routing.any((request, response) -> notFound(request));
    routing.error(ApiException.class, Routes::fail);
    routing.error(
        Throwable.class,
        (request, response, error) -> fail(request, response, new ApiException.Internal(error)));
  }

  private static Handler checkingQuery(Endpoint endpoint, Handler handler) {
    String query = endpoint.query();
    if (query == null) {
      return handler;
    }
    RequestSchema schema =
        RequestSchema.ofQuery(new SchemaResources(endpoint.limits()).resource(query));
    return (request, response) -> {
      schema.check(request.query());
      handler.handle(request, response);
    };
  }

  /** The methods of a template, as the header {@code Allow} lists them. */
  String allowed(String template) {
    return routes.stream()
        .filter(it -> it.template().equals(template))
        .flatMap(it -> it.methods().stream())
        .map(Method::text)
        .collect(Collectors.joining(", "));
  }

  private void notFound(ServerRequest request) {
    String path = Exchange.of(request).path();
    if (path.startsWith("/v1/")) {
      tokens.require(Access.KEY, null, request);
    }
    throw new ApiException.NotFound(
        "The path '%s' does not exist; the paths are %s."
            .formatted(path, String.join(", ", templates().keySet())),
        null,
        "unknown_url");
  }

  private static void fail(ServerRequest request, ServerResponse response, ApiException error) {
    OutOfMemory.endProcessIf(error);
    Exchange exchange = Exchange.of(request);
    Errors.record(exchange, error);
    if (error instanceof ApiException.Internal) {
      LOG.atError().setCause(error.getCause()).log("request failed");
    }
    Errors.send(request, response, exchange.requestId(), error);
  }
}
