package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Models of an Ollama server, by {@code /api/tags} and {@code /api/chat}. It always streams: one
 * way to fail, to cancel and to be timed.
 */
public final class OllamaProvider implements ModelProvider {
  /** What {@link #name} says. */
  public static final String NAME = "ollama";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LIST_LIMIT_BYTES = 4 << 20;
  private static final int ERROR_LIMIT_BYTES = 64 << 10;
  private static final int MODELS_LIMIT = 1000;
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(1);

  private final OllamaConfig config;
  private final HttpClient client;
  private final Watchdog watchdog = new Watchdog();

  public OllamaProvider(OllamaConfig config) {
    this.config = config;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(config.connectTimeout())
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<String> models() throws ModelException {
    return listed("/api/tags").stream().map(model -> model.path("name").textValue()).toList();
  }

  /**
   * The models that are in the server's memory now. Asks the server; waits for the configured limit
   * at most.
   */
  List<ResidentModel> resident() throws ModelException {
    return listed("/api/ps").stream().map(ResidentModel::of).toList();
  }

  @Override
  public ChatStream chat(ChatRequest request) throws ModelException {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(config.endpoint("/api/chat"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(json(request)));
    W3CTraceContextPropagator.getInstance()
        .inject(
            Context.current(),
            builder,
            (carrier, key, value) -> {
              if (carrier != null) {
                carrier.setHeader(key, value);
              }
            });
    long deadline = System.nanoTime() + config.firstTokenTimeout().toNanos();
    HttpResponse<InputStream> response = send(builder.build(), config.firstTokenTimeout());
    if (response.statusCode() != 200) {
      throw OllamaError.of(
          response.statusCode(), body(response, ERROR_LIMIT_BYTES, config.listTimeout()));
    }
    Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
    return OllamaStream.open(response.body(), watchdog, left, config.betweenTokensTimeout());
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
    watchdog.close();
  }

  /**
   * Waits for the headers. The request's own timeout is not used: from JDK 26 on it covers the body
   * too and would end long answers.
   */
  private HttpResponse<InputStream> send(HttpRequest request, Duration limit)
      throws ModelException {
    CompletableFuture<HttpResponse<InputStream>> sent =
        client.sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
    try {
      return sent.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      giveUp(sent);
      throw new ModelException.TimedOut(
          "The model server did not answer within " + limit.toMillis() + " ms.", e);
    } catch (InterruptedException e) {
      giveUp(sent);
      Thread.currentThread().interrupt();
      throw new ModelException.Unavailable("The request was interrupted.", e);
    } catch (ExecutionException e) {
      // Refused, reset, unknown host, no connection in time: to the client all of it is "down".
      throw new ModelException.Unavailable("The model server cannot be reached.", e.getCause());
    }
  }

  /** Drops the connection, also if the headers came in the very last moment. */
  private static void giveUp(CompletableFuture<HttpResponse<InputStream>> sent) {
    if (!sent.cancel(true) && !sent.isCompletedExceptionally()) {
      Watchdog.closeQuietly(sent.join().body());
    }
  }

  private byte[] body(HttpResponse<InputStream> response, int limitBytes, Duration limit)
      throws ModelException {
    try (InputStream in = response.body();
        Watchdog.Alarm ignored = watchdog.watch(in, limit)) {
      byte[] bytes = in.readNBytes(limitBytes + 1);
      if (bytes.length > limitBytes) {
        throw new IOException("a body is longer than " + limitBytes + " bytes");
      }
      return bytes;
    } catch (IOException e) {
      throw new ModelException.Unavailable("The model server broke off its answer.", e);
    }
  }

  /** The models of one of Ollama's lists, those that have a name. */
  private List<JsonNode> listed(String path) throws ModelException {
    long deadline = System.nanoTime() + config.listTimeout().toNanos();
    HttpRequest request = HttpRequest.newBuilder(config.endpoint(path)).build();
    HttpResponse<InputStream> response = send(request, config.listTimeout());
    Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
    byte[] body = body(response, LIST_LIMIT_BYTES, left);
    if (response.statusCode() != 200) {
      throw new ModelException.Unavailable(
          "The model server answered with status " + response.statusCode() + ".", null);
    }
    try {
      JsonNode models = JSON.readTree(body).path("models");
      if (!models.isArray()) {
        throw new IOException("no models in the list");
      }
      List<JsonNode> named = new ArrayList<>();
      for (JsonNode model : models) {
        if (model.path("name").isTextual() && named.size() < MODELS_LIMIT) {
          named.add(model);
        }
      }
      return named;
    } catch (IOException e) {
      throw new ModelException.Unavailable("The model server sent what cannot be understood.", e);
    }
  }

  private static byte[] json(ChatRequest request) {
    ObjectNode root = JSON.createObjectNode().put("model", request.model()).put("stream", true);
    ArrayNode messages = root.putArray("messages");
    for (ChatRequest.Message message : request.messages()) {
      messages
          .addObject()
          .put("role", message.role().name().toLowerCase(Locale.ROOT))
          .put("content", message.content());
    }
    ObjectNode options = root.putObject("options");
    request.temperature().ifPresent(value -> options.put("temperature", value));
    request.topP().ifPresent(value -> options.put("top_p", value));
    request.maxTokens().ifPresent(value -> options.put("num_predict", value));
    request.seed().ifPresent(value -> options.put("seed", value));
    if (!request.stop().isEmpty()) {
      ArrayNode stop = options.putArray("stop");
      request.stop().forEach(stop::add);
    }
    try {
      return JSON.writeValueAsBytes(root);
    } catch (IOException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }
}
