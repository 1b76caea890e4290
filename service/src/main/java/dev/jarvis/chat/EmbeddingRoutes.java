package dev.jarvis.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Fields;
import dev.jarvis.http.Json;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.Routes;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Decision;
import dev.jarvis.model.EmbeddingRequest;
import dev.jarvis.model.Embeddings;
import dev.jarvis.model.ModelException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/embeddings}, as <a
 * href="https://platform.openai.com/docs/api-reference/embeddings/create">OpenAI documents it</a>.
 */
public final class EmbeddingRoutes {
  static final String OPERATION = "embeddings";
  private static final int MAX_INPUTS = 2048;
  private static final int MAX_DIMENSIONS = 65_536;

  /** Of a request that no model server worked on. */
  private static final Usage NONE = new Usage(0, 0);

  private final JsonBody bodies;
  private final ContentUrls contentUrls;
  private final Gateway gateway;

  public EmbeddingRoutes(JsonBody bodies, ContentUrls contentUrls, Gateway gateway) {
    this.bodies = bodies;
    this.contentUrls = contentUrls;
    this.gateway = gateway;
  }

  public void register(Routes routes) {
    routes.post("/v1/embeddings", Routes.Access.KEY, this::embed);
  }

  private void embed(ServerRequest http, ServerResponse response) {
    Exchange exchange = Exchange.of(http);
    Fields fields = new Fields(bodies.object(http));
    EmbeddingRequest request = parse(fields);
    gateway.seen(exchange, fields.user());
    contentUrls.check(fields.object());
    Gateway.answer(exchange, client -> answer(request, exchange, fields, client, response));
  }

  private void answer(
      EmbeddingRequest request,
      Exchange exchange,
      Fields fields,
      ClientWatch client,
      ServerResponse response) {
    try (Admission.Turn ignored = gateway.admit(client)) {
      Decision decision = gateway.decide(request.model(), it -> it.shortfall(request));
      RoutingTelemetry routing = gateway.routing(exchange);
      Attempts<Embeddings> attempts = gateway.attempts(OPERATION, routing, it -> {});
      routing.decided(decision);
      Embeddings answer =
          ask(request, decision, attempts, gateway.settlement(OPERATION, exchange, client));
      Attempts.Attempt<Embeddings> attempt = attempts.made();
      routing.answered(decision, attempt.target());
      gateway.explain(exchange, attempt.target().provider().shortfall(request), response);
      boolean base64 = "base64".equals(fields.text("encoding_format"));
      Json.send(response, body(request.model(), answer, base64));
    }
  }

  static Embeddings ask(
      EmbeddingRequest request,
      Decision decision,
      Attempts<Embeddings> attempts,
      Settlement settlement) {
    try {
      Embeddings answer =
          attempts.open(
              target -> target.provider().embed(request.withModel(target.model())), decision);
      settlement.settle(
          attempts.made(), Outcome.OK, false, answer.usage(), answer.timings(), null, null);
      return answer;
    } catch (ModelException e) {
      boolean begun =
          settlement.client().gone()
              || e instanceof ModelException.TimedOut
              || (e instanceof ModelException.Unavailable it && it.begun());
      Usage usage = begun ? request.estimatedUsage() : NONE;
      settle(attempts, settlement, Outcome.of(e), usage, e);
      throw ModelErrors.toClient(e);
    } catch (RuntimeException | Error e) {
      settle(attempts, settlement, Outcome.ERROR, NONE, e);
      throw e;
    }
  }

  private static void settle(
      Attempts<Embeddings> attempts,
      Settlement settlement,
      Outcome outcome,
      Usage usage,
      Throwable error) {
    if (attempts.last() != null) {
      settlement.settle(attempts.made(), outcome, false, usage, null, null, error);
    }
  }

  /** Reads a body; a single text becomes a list of one. */
  private static EmbeddingRequest parse(Fields fields) {
    ObjectNode body = fields.object();
    String model = fields.requiredText("model");
    fields.word("encoding_format", "float", "base64");
    fields.whole("dimensions", 1, MAX_DIMENSIONS);
    JsonNode input = body.path("input");
    boolean single =
        input.isTextual() || (input.isArray() && !input.isEmpty() && input.path(0).isNumber());
    if (single) {
      body.putArray("input").add(input);
    }
    String wrong = wrong(body.path("input"));
    if (wrong != null) {
      throw Fields.invalid("input", "'input' must be " + wrong + ".", "invalid_type");
    }
    return new EmbeddingRequest(model, body, null);
  }

  private static @Nullable String wrong(JsonNode input) {
    String rule = "a string that is not empty, or an array of such strings, or of arrays of tokens";
    if (!input.isArray() || input.isEmpty()) {
      return rule;
    }
    if (input.size() > MAX_INPUTS) {
      return "%d inputs at most, and not %d".formatted(MAX_INPUTS, input.size());
    }
    boolean tokens = input.path(0).isArray();
    for (JsonNode each : input) {
      boolean right =
          tokens
              ? each.isArray()
                  && !each.isEmpty()
                  && each.valueStream().allMatch(it -> it.isInt() && it.intValue() >= 0)
              : each.isTextual() && !each.textValue().isEmpty();
      if (!right) {
        return rule;
      }
    }
    return null;
  }

  private static ObjectNode body(String model, Embeddings answer, boolean base64) {
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    for (int i = 0; i < answer.vectors().size(); i++) {
      float[] vector = answer.vectors().get(i);
      ObjectNode entry = data.addObject().put("object", "embedding").put("index", i);
      if (base64) {
        entry.put("embedding", base64(vector));
      } else {
        ArrayNode numbers = entry.putArray("embedding");
        for (float number : vector) {
          numbers.add(number);
        }
      }
    }
    ObjectNode usage =
        body.put("model", model)
            .putObject("usage")
            .put("prompt_tokens", answer.usage().inputTokens())
            .put("total_tokens", answer.usage().inputTokens());
    if (answer.usage().estimated()) {
      usage.put("estimated", true);
    }
    return body;
  }

  /** OpenAI: numbers of 32 bits, the lowest byte first. */
  private static String base64(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
