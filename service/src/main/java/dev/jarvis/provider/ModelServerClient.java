package dev.jarvis.provider;

import static java.util.Locale.ROOT;

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
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The HTTP client of one model server; every wait has a limit. */
public final class ModelServerClient implements AutoCloseable {
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
    if (config.apiKey() != null) {
      Masking.add(config.apiKey()); // some servers repeat it, in whole answers and in streams
    }
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
   * Gets the list of models. If the configuration names the models, it only checks that the server
   * responds.
   *
   * @param arrays the response's fields that may hold the list, the usual one first
   * @param names the models' fields that may hold the name, the usual one first
   * @param entries gets the objects of the list that have the usual field
   * @throws ProviderException if the server does not respond within the provider's list timeout,
   *     reports an error or rejects the API key
   */
  public ModelList models(
      String path, List<String> arrays, List<String> names, Consumer<List<JsonNode>> entries)
      throws ProviderException {
    long deadline = System.nanoTime() + config.listTimeout().toNanos();
    HttpResponse<InputStream> response = send(request(path).build(), config.listTimeout());
    int status = response.statusCode();
    ModelListReader reader = new ModelListReader(arrays, names);
    if (status == 200 && config.models().isEmpty()) {
      JsonNode list = list(response, left(deadline));
      entries.accept(reader.named(list));
      return reader.read(list);
    }
    if (status == 200) {
      describe(response, left(deadline), reader, entries);
      return ModelList.configured(config.models());
    }
    byte[] body = errorBody(response, left(deadline));
    return ModelListStatus.of(status, config.models())
        .orElseThrow(() -> ModelServerErrors.of(status, retryAfter(response), body));
  }

  /** Hands on what the server says of its models, if it does. */
  private static void describe(
      HttpResponse<InputStream> response,
      Duration limit,
      ModelListReader reader,
      Consumer<List<JsonNode>> entries) {
    try {
      entries.accept(reader.named(list(response, limit)));
    } catch (ProviderException e) {
      // the configuration names the models
    }
  }

  /**
   * Gets JSON from a path of the server that is not below {@code /v1}, with the limits of lists.
   *
   * @throws ProviderException if it does not arrive in time, or is invalid
   */
  public JsonNode besideApi(String path) throws ProviderException {
    return get(config.endpointBesideApi(path));
  }

  /**
   * Gets the objects in an array of a response that have a name, {@value ModelList#LIMIT} at most.
   *
   * @param array the response's field that holds the objects
   * @param name the objects' field that holds the name
   * @throws ProviderException if they do not arrive within the provider's list timeout, or are
   *     invalid
   */
  public List<JsonNode> named(String path, String array, String name) throws ProviderException {
    JsonNode objects = get(config.endpoint(path)).path(array);
    if (!objects.isArray()) {
      throw LineStream.invalidResponse(
          new IOException("the response has no array '%s'".formatted(array)));
    }
    return objects
        .valueStream()
        .filter(it -> it.path(name).isTextual())
        .limit(ModelList.LIMIT)
        .toList();
  }

  private JsonNode get(URI address) throws ProviderException {
    long deadline = System.nanoTime() + config.listTimeout().toNanos();
    HttpResponse<InputStream> response = send(request(address).build(), config.listTimeout());
    if (response.statusCode() != 200) {
      closeQuietly(response.body());
      throw new ProviderException.Unavailable(
          "The model server answered with status " + response.statusCode() + ".", null);
    }
    return list(response, left(deadline));
  }

  private static JsonNode list(HttpResponse<InputStream> response, Duration limit)
      throws ProviderException {
    LimitedStream document = new LimitedStream(decoded(response), LIST_LIMIT_BYTES);
    try {
      return read(document, limit, LISTS::readTree);
    } catch (ProviderException e) {
      throw document.exceeded()
          ? tooLong(new AnswerTooLongException("list of models", LIST_LIMIT_BYTES))
          : e;
    }
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
      throw ModelServerErrors.of(
          response.statusCode(), retryAfter(response), errorBody(response, config.listTimeout()));
    }
    return new Opened(decoded(response), left(deadline));
  }

  /** The body of a server that compresses although it was not asked to. */
  private static InputStream decoded(HttpResponse<InputStream> response) throws ProviderException {
    String encoding =
        response.headers().firstValue("content-encoding").orElse("").strip().toLowerCase(ROOT);
    return switch (encoding) {
      case "", "identity" -> response.body();
      case "gzip", "x-gzip" -> new GzipStream(response.body());
      default -> {
        closeQuietly(response.body());
        throw new ProviderException.Unavailable(
            "The model server sent its answer in the content encoding '%s', which it was not asked for; JARVIS reads only gzip."
                .formatted(encoding.replaceAll("[^a-z0-9._-]", "?")),
            null,
            true);
      }
    };
  }

  /** The body of an error response, without the API key; empty if it cannot be read. */
  private byte[] errorBody(HttpResponse<InputStream> response, Duration limit) {
    try {
      byte[] body = body(response, ERROR_LIMIT_BYTES, limit);
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
    T value =
        whole(
            path,
            body,
            limit,
            limitBytes,
            in -> {
              in.refuseHtml();
              return JSON.readValue(in, type);
            });
    if (value == null) {
      throw LineStream.invalidResponse(new IOException("the response is JSON null"));
    }
    return value;
  }

  /**
   * Sends a request and reads the whole answer to a chat, in any framing: a JSON value, several of
   * them, or events.
   *
   * @throws ProviderException if the response does not arrive within the limits, or is invalid
   */
  public WholeAnswer answer(String path, byte[] body, Duration limit) throws ProviderException {
    return whole(path, body, limit, CHAT_LIMIT_BYTES, WholeAnswer::read);
  }

  private <T> T whole(String path, byte[] body, Duration limit, int limitBytes, Reading<T> reading)
      throws ProviderException {
    Opened opened = post(path, body, limit);
    LimitedStream document = new LimitedStream(opened.body(), limitBytes);
    try {
      return read(document, opened.left(), in -> reading.read(new PeekStream(in)));
    } catch (ProviderException e) {
      if (document.exceeded()) { // Jackson hides the cause
        throw tooLong(new AnswerTooLongException("answer", limitBytes));
      }
      throw e;
    }
  }

  /** The exception for a page in place of an answer, such as that of a login. */
  static ProviderException html() {
    return new ProviderException.Unavailable(
        "The model server sent HTML instead of JSON; is its URL right?", null);
  }

  static ProviderException tooLong(AnswerTooLongException e) {
    return new ProviderException.Unavailable(String.valueOf(e.getMessage()), e, true);
  }

  /** Reads a body; what it throws ends the call. */
  interface Reading<T> {
    T read(PeekStream in) throws IOException, ProviderException;
  }

  private interface Body<T> {
    T read(InputStream in) throws IOException, ProviderException;
  }

  /** Reads a body until the time is up or the scope is cancelled. */
  private static <T> T read(InputStream body, Duration limit, Body<T> reading)
      throws ProviderException {
    Cancellation scope = Cancellation.current();
    Runnable close = () -> closeQuietly(body);
    Alarm alarm = Alarm.after(limit, close);
    try (InputStream in = body;
        Cancellation.Registration ignored = scope.onCancel(close);
        alarm) {
      T value = reading.read(in);
      if (alarm.rang() || scope.cancelled()) { // the end may be that of a closed body
        throw new IOException("the body was closed by the client");
      }
      return value;
    } catch (IOException e) {
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      throw failure(alarm, e);
    } catch (ProviderException e) { // a body that was closed may look like an invalid one
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      throw alarm.rang() ? failure(alarm, new IOException(e)) : e;
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

  private static Duration retryAfter(HttpResponse<?> response) {
    return RetryAfter.of(response.headers(), Instant.now());
  }

  private static Duration left(long deadline) {
    return Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
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
        decoded(response),
        limit,
        in -> {
          byte[] bytes = in.readNBytes(limitBytes + 1);
          if (bytes.length > limitBytes) {
            throw new AnswerTooLongException("answer", limitBytes);
          }
          return bytes;
        });
  }
}
