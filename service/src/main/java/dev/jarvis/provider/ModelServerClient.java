package dev.jarvis.provider;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.concurrent.Alarm;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.json.SharedBuffers;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Calls to one model server over HTTP, each wait with its limit. */
public final class ModelServerClient implements AutoCloseable {
  private static final int ERROR_LIMIT_BYTES = 64 << 10;
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(1);

  /**
   * For a whole answer of a chat, which becomes a tree of many times its size; a million characters
   * of text, and images or audio beside them, fit in.
   */
  public static final int CHAT_LIMIT_BYTES = 16 << 20;

  /** 2048 vectors of 3072 numbers, as OpenAI prints them, are some 150 million characters. */
  public static final int VECTORS_LIMIT_BYTES = 256 << 20;

  private static final ObjectMapper JSON =
      SharedBuffers.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          // so that a body is read to its end, which leaves the connection to the next request
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final ModelServerConfig config;
  private final HttpClient client;

  public ModelServerClient(ModelServerConfig config) {
    this.config = config;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(config.connectTimeout())
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  /** A good answer whose body has not been read yet, and what is left of the time for it. */
  public record Opened(InputStream body, Duration left) {}

  /**
   * Asks for a short document.
   *
   * @throws ProviderException if it does not come whole within the limit for lists
   */
  public byte[] list(String path, int limitBytes) throws ProviderException {
    long deadline = System.nanoTime() + config.listTimeout().toNanos();
    HttpResponse<InputStream> response = send(request(path).build(), config.listTimeout());
    byte[] body = body(response, limitBytes, left(deadline));
    if (response.statusCode() != 200) {
      throw new ProviderException.Unavailable(
          "The model server answered with status " + response.statusCode() + ".", null);
    }
    return body;
  }

  /**
   * Asks a question. Returns with the head of the answer; the current OpenTelemetry context travels
   * as {@code traceparent}.
   *
   * @throws ProviderException if no head comes within the limit, or one of an error
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

  /** The status says enough where the text of an error does not come. */
  private byte[] errorBody(HttpResponse<InputStream> response) {
    try {
      byte[] body = body(response, ERROR_LIMIT_BYTES, config.listTimeout());
      String key = config.apiKey(); // which some servers repeat
      return key == null || key.isEmpty()
          ? body
          : new String(body, StandardCharsets.UTF_8)
              .replace(key, "[secret]")
              .getBytes(StandardCharsets.UTF_8);
    } catch (ProviderException e) {
      return new byte[0];
    }
  }

  /**
   * Asks for a whole document.
   *
   * @param limitBytes of the document
   * @throws ProviderException if it does not come whole within the limits, or cannot be understood
   */
  public <T> T json(String path, byte[] body, Duration limit, int limitBytes, Class<T> type)
      throws ProviderException {
    Opened opened = post(path, body, limit);
    LimitedStream document = new LimitedStream(opened.body(), limitBytes);
    T value;
    try {
      value = read(document, opened.left(), in -> JSON.readValue(in, type));
    } catch (ProviderException e) {
      if (document.exceeded()) { // Jackson hides the reason for the end
        throw new ProviderException.Unavailable(
            "The model server's answer is longer than the maximum of %d MiB."
                .formatted(limitBytes >> 20),
            e,
            true);
      }
      throw e;
    }
    if (value == null) {
      throw LineStream.notUnderstood(new IOException("the answer is the JSON null"));
    }
    return value;
  }

  private interface Reading<T> {
    T read(InputStream in) throws IOException;
  }

  /** Reads a body to its end, until the time is over or the scope is cancelled. */
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
      // It is given up either way.
    }
  }

  /** A body that ends early because its time is up may look like broken JSON: the alarm decides. */
  private static ProviderException failure(Alarm alarm, IOException e) {
    if (alarm.rang()) {
      return new ProviderException.TimedOut("The model server did not send its answer in time.", e);
    }
    return e instanceof JacksonException
        ? LineStream.notUnderstood(e)
        : new ProviderException.Unavailable("The model server broke off its answer.", e, true);
  }

  private static Duration left(long deadline) {
    return Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
  }

  /** The header's seconds; zero where there are none. Its other form, a date, is not read. */
  private static Duration retryAfter(HttpResponse<?> response) {
    String seconds = response.headers().firstValue("retry-after").orElse("").strip();
    return seconds.matches("\\d{1,6}")
        ? Duration.ofSeconds(Long.parseLong(seconds))
        : Duration.ZERO;
  }

  /** Ends what still runs; takes a second at most. */
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
    HttpRequest.Builder builder = HttpRequest.newBuilder(config.endpoint(path));
    if (config.apiKey() != null) {
      builder.header("Authorization", "Bearer " + config.apiKey());
    }
    return builder;
  }

  /**
   * Waits for the headers. The request's own timeout is not used: from JDK 26 on it covers the body
   * too and would end long answers.
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
        throw new CancelledException(); // giving it up may look like a failure of the connection
      }
      // Refused, reset, unknown host, no connection in time: to the client all of it is "down".
      throw new ProviderException.Unavailable("The model server cannot be reached.", e.getCause());
    }
  }

  /** Drops the connection, also if the headers came in the very last moment. */
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
            throw new IOException("a body is longer than " + limitBytes + " bytes");
          }
          return bytes;
        });
  }
}
