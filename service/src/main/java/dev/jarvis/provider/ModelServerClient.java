package dev.jarvis.provider;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.jarvis.concurrent.Alarm;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.config.Secret;
import dev.jarvis.json.SharedBuffers;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The HTTP client of one model server; every wait has a limit. */
public final class ModelServerClient implements AutoCloseable {
  /** The maximum number of models of a server. */
  public static final int MODELS_LIMIT = 1000;

  private static final int LIST_LIMIT_BYTES = 4 << 20;
  private static final int ERROR_LIMIT_BYTES = 64 << 10;
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(1);

  /**
   * The maximum size of a whole answer to a chat: enough for a million characters of text with
   * images or audio. Not more, because its JSON tree takes many times as much memory.
   */
  public static final int CHAT_LIMIT_BYTES = 16 << 20;

  /** 2048 vectors of 3072 numbers, as OpenAI writes them, are some 150 million characters. */
  public static final int VECTORS_LIMIT_BYTES = 256 << 20;

  static final String BROKEN_OFF =
      "The model server closed the connection before the end of its answer.";

  private static final ObjectMapper JSON =
      SharedBuffers.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          // reads a body to its end, so that the connection can be reused
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Tolerates what follows the list, which is read whole. */
  private static final ObjectReader LISTS =
      JSON.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final ModelServerConfig config;
  private final HttpClient client;

  public ModelServerClient(ModelServerConfig config) {
    this.config = config;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(config.timeouts().connectTimeout())
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  /** A response with status 200 whose body has not been read, and the time left for it. */
  public record Opened(InputStream body, Duration left) {}

  /**
   * Gets a list of models: the objects in an array of the response that have a name, {@value
   * #MODELS_LIMIT} at most.
   *
   * @param array the response's field that holds the models
   * @param name the models' field that holds the name
   * @throws ProviderException if the whole list does not arrive within the provider's list timeout,
   *     or is invalid
   */
  public List<JsonNode> models(String path, String array, String name) throws ProviderException {
    JsonNode models;
    try {
      models = LISTS.readTree(list(request(path).build())).path(array);
    } catch (IOException e) {
      throw LineStream.invalidResponse(e);
    }
    if (!models.isArray()) {
      throw LineStream.invalidResponse(
          new IOException("the response has no array '%s'".formatted(array)));
    }
    return models
        .valueStream()
        .filter(it -> it.path(name).isTextual())
        .limit(MODELS_LIMIT)
        .toList();
  }

  /**
   * Gets JSON from a path of the server that is not below {@code /v1}, with the limits of lists.
   *
   * @throws ProviderException if it does not arrive in time, or is invalid
   */
  public JsonNode besideApi(String path) throws ProviderException {
    try {
      return LISTS.readTree(list(request(config.endpointBesideApi(path)).build()));
    } catch (IOException e) {
      throw LineStream.invalidResponse(e);
    }
  }

  private byte[] list(HttpRequest request) throws ProviderException {
    long deadline = System.nanoTime() + config.listTimeout().toNanos();
    HttpResponse<InputStream> response = send(request, config.listTimeout());
    byte[] body = body(response, LIST_LIMIT_BYTES, left(deadline));
    if (response.statusCode() != 200) {
      throw new ProviderException.Unavailable(
          "The model server answered with status " + response.statusCode() + ".", null);
    }
    return body;
  }

  /**
   * Sends a request and returns when the response's headers have arrived. The current OpenTelemetry
   * context is sent as {@code traceparent}.
   *
   * @throws ProviderException if no headers arrive within the limit, or the status is not 200
   */
  public Opened post(String path, byte[] body, Duration limit) throws ProviderException {
    HttpRequest.Builder builder =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    W3CTraceContextPropagator.getInstance()
        .inject(
            Context.current(),
            builder,
            (carrier, key, value) -> {
              if (carrier != null) {
                carrier.setHeader(key, value);
              }
            });
    long deadline = System.nanoTime() + limit.toNanos();
    HttpResponse<InputStream> response = send(builder.build(), limit);
    if (response.statusCode() != 200) {
      throw ModelServerErrors.of(response.statusCode(), retryAfter(response), errorBody(response));
    }
    return new Opened(response.body(), left(deadline));
  }

  /** The body of an error response, without the API key; empty if it cannot be read. */
  private byte[] errorBody(HttpResponse<InputStream> response) {
    try {
      byte[] body = body(response, ERROR_LIMIT_BYTES, config.listTimeout());
      Secret key = config.apiKey(); // some servers repeat it
      return key == null
          ? body
          : new String(body, StandardCharsets.UTF_8)
              .replace(key.value(), "[secret]")
              .getBytes(StandardCharsets.UTF_8);
    } catch (ProviderException e) {
      return new byte[0];
    }
  }

  /**
   * Sends a request and reads the whole response as JSON.
   *
   * @param limitBytes maximum size of the response
   * @throws ProviderException if the response does not arrive within the limits, or is invalid
   */
  public <T> T json(String path, byte[] body, Duration limit, int limitBytes, Class<T> type)
      throws ProviderException {
    Opened opened = post(path, body, limit);
    LimitedStream document = new LimitedStream(opened.body(), limitBytes);
    T value;
    try {
      value = read(document, opened.left(), in -> JSON.readValue(in, type));
    } catch (ProviderException e) {
      if (document.exceeded()) { // Jackson hides the cause
        throw new ProviderException.Unavailable(
            "The model server's answer is longer than the maximum of %d MiB."
                .formatted(limitBytes >> 20),
            e,
            true);
      }
      throw e;
    }
    if (value == null) {
      throw LineStream.invalidResponse(new IOException("the response is JSON null"));
    }
    return value;
  }

  private interface Reading<T> {
    T read(InputStream in) throws IOException;
  }

  /** Reads a body until the time is up or the scope is cancelled. */
  private static <T> T read(InputStream body, Duration limit, Reading<T> reading)
      throws ProviderException {
    Cancellation scope = Cancellation.current();
    Runnable close = () -> closeQuietly(body);
    Alarm alarm = Alarm.after(limit, close);
    try (InputStream in = body;
        Cancellation.Registration ignored = scope.onCancel(close);
        alarm) {
      return reading.read(in);
    } catch (IOException e) {
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      throw failure(alarm, e);
    }
  }

  /**
   * The shorter of two limits.
   *
   * @param other null for none
   */
  public static Duration shorter(Duration limit, @Nullable Duration other) {
    return other == null || other.compareTo(limit) > 0 ? limit : other;
  }

  static void closeQuietly(Closeable source) {
    try {
      source.close();
    } catch (IOException ignored) {
      // it is not needed any more
    }
  }

  /** A body that was closed because the time is up may look like invalid JSON. */
  private static ProviderException failure(Alarm alarm, IOException e) {
    if (alarm.rang()) {
      return new ProviderException.TimedOut("The model server did not send its answer in time.", e);
    }
    return e instanceof JacksonException
        ? LineStream.invalidResponse(e)
        : new ProviderException.Unavailable(BROKEN_OFF, e, true);
  }

  private static Duration left(long deadline) {
    return Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
  }

  /** The seconds of the header {@code Retry-After}; zero if it is absent or a date. */
  private static Duration retryAfter(HttpResponse<?> response) {
    String seconds = response.headers().firstValue("retry-after").orElse("").strip();
    return seconds.matches("\\d{1,6}")
        ? Duration.ofSeconds(Long.parseLong(seconds))
        : Duration.ZERO;
  }

  /** Cancels running requests; waits a second at most. */
  @Override
  public void close() {
    client.shutdownNow();
    try {
      client.awaitTermination(CLOSE_LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private HttpRequest.Builder request(String path) {
    return request(config.endpoint(path));
  }

  private HttpRequest.Builder request(URI address) {
    HttpRequest.Builder builder = HttpRequest.newBuilder(address);
    if (config.apiKey() != null) {
      builder.header("Authorization", "Bearer " + config.apiKey().value());
    }
    return builder;
  }

  /**
   * Waits for the headers. {@link HttpRequest.Builder#timeout} is not used, because from JDK 26 on
   * it covers the body too and would end long answers.
   */
  private HttpResponse<InputStream> send(HttpRequest request, Duration limit)
      throws ProviderException {
    Cancellation scope = Cancellation.current();
    CompletableFuture<HttpResponse<InputStream>> sent =
        client.sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
    try (Cancellation.Registration ignored = scope.onCancel(() -> giveUp(sent))) {
      return sent.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (CancellationException e) {
      throw new CancelledException();
    } catch (TimeoutException e) {
      giveUp(sent);
      throw new ProviderException.TimedOut(
          "The model server did not answer within " + limit.toMillis() + " ms.", e);
    } catch (InterruptedException e) {
      giveUp(sent);
      Thread.currentThread().interrupt();
      throw new CancelledException();
    } catch (ExecutionException e) {
      if (scope.cancelled()) {
        throw new CancelledException(); // cancelling may look like a failure of the connection
      }
      // refused, reset, unknown host, no connection in time: not distinguished for the client
      throw new ProviderException.Unavailable("The model server cannot be reached.", e.getCause());
    }
  }

  /** Closes the connection, even if the headers have just arrived. */
  private static void giveUp(CompletableFuture<HttpResponse<InputStream>> sent) {
    if (!sent.cancel(true) && !sent.isCompletedExceptionally()) {
      closeQuietly(sent.join().body());
    }
  }

  private byte[] body(HttpResponse<InputStream> response, int limitBytes, Duration limit)
      throws ProviderException {
    return read(
        response.body(),
        limit,
        in -> {
          byte[] bytes = in.readNBytes(limitBytes + 1);
          if (bytes.length > limitBytes) {
            throw new IOException(
                "the body is longer than the maximum of " + limitBytes + " bytes");
          }
          return bytes;
        });
  }
}
