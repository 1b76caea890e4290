package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.http.ByteBudget;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.identity.ActiveUsers;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code POST /v1/chat/completions}: whole answers and streams. */
public final class ChatRoutes {
  private final ChatConfig config;
  private final JsonBody bodies;
  private final ByteBudget memory;
  private final ContentUrls contentUrls;
  private final ActiveUsers activeUsers;
  private final Pipeline pipeline;

  /**
   * @param memory for whole answers
   */
  public ChatRoutes(
      ChatConfig config,
      JsonBody bodies,
      ByteBudget memory,
      ContentUrls contentUrls,
      ActiveUsers activeUsers,
      Pipeline pipeline) {
    this.config = config;
    this.bodies = bodies;
    this.memory = memory;
    this.contentUrls = contentUrls;
    this.activeUsers = activeUsers;
    this.pipeline = pipeline;
  }

  public void register(Routes routes) {
    routes.post("/v1/chat/completions", Routes.Access.KEY, this::complete);
  }

  private void complete(ServerRequest http, ServerResponse response) {
    Exchange exchange = Exchange.of(http);
    ChatCompletionRequest request =
        ChatCompletionRequest.parse(bodies.object(http), config.maxMessages(), config.maxTokens());
    Call call = Calls.of(http, request.chat(), request.stream(), request.user(), activeUsers);
    contentUrls.check(request.chat().body());
    Calls.answer(
        pipeline,
        call,
        exchange,
        answer -> {
          if (request.stream()) {
            new CompletionStream(request, exchange, answer, response, config).send();
          } else {
            Answer held = new HeldAnswer(answer, memory.of(exchange));
            whole(request, exchange, held, response);
          }
        });
  }

  private static void whole(
      ChatCompletionRequest request, Exchange exchange, Answer answer, ServerResponse response) {
    Calls.explain(answer.head(), response);
    Choices choices = new Choices();
    Event event = answer.next();
    while (!(event instanceof Event.End)) {
      choices.add(event);
      event = answer.next();
    }
    ObjectNode body = Completions.whole(exchange.id(), request.model(), choices);
    JsonNode citations = choices.citations();
    if (citations != null) {
      body.set("grounding", citations);
    }
    JsonResponse.send(response, body);
  }
}
