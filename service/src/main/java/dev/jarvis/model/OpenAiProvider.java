package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Models of any server that speaks OpenAI's dialect, by {@code /models} and {@code
 * /chat/completions} below its base URL, which usually ends in {@code /v1}. It always streams.
 */
public final class OpenAiProvider implements ModelProvider {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LIST_LIMIT_BYTES = 4 << 20;
  private static final int MODELS_LIMIT = 1000;

  private final ModelServerConfig config;
  private final ModelHttp http;

  public OpenAiProvider(ModelServerConfig config) {
    this.config = config;
    this.http = new ModelHttp(config);
  }

  @Override
  public String name() {
    return config.name();
  }

  @Override
  public List<String> models() throws ModelException {
    JsonNode data;
    try {
      data = JSON.readTree(http.list("/models", LIST_LIMIT_BYTES)).path("data");
    } catch (IOException e) {
      throw LineStream.notUnderstood(e);
    }
    if (!data.isArray()) {
      throw LineStream.notUnderstood(new IOException("no data in the list of models"));
    }
    List<String> names = new ArrayList<>();
    for (JsonNode model : data) {
      if (model.path("id").isTextual() && names.size() < MODELS_LIMIT) {
        names.add(model.path("id").textValue());
      }
    }
    return names;
  }

  @Override
  public ChatStream chat(ChatRequest request) throws ModelException {
    ModelHttp.Opened opened = http.post("/chat/completions", json(request));
    return new OpenAiStream(
            opened.body(),
            http.watchdog(),
            config.betweenTokensTimeout(),
            request.estimatedTokens())
        .awaitFirst(opened.left());
  }

  /** Everything is handed on: what the server cannot do, it says itself. */
  @Override
  public Shortfall shortfall(ChatRequest request) {
    return Shortfall.NONE;
  }

  @Override
  public void close() {
    http.close();
  }

  /** What the client sent, faithfully, but for the model's name, and always as a stream. */
  private static byte[] json(ChatRequest request) {
    ObjectNode body = request.body().deepCopy().put("model", request.model()).put("stream", true);
    body.putObject("stream_options").put("include_usage", true);
    try {
      return JSON.writeValueAsBytes(body);
    } catch (IOException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }
}
