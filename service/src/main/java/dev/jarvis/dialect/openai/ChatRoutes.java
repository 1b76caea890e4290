package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Permission;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.http.Access;
import dev.jarvis.http.ByteBudget;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.identity.ActiveUsers;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code POST /v1/chat/completions}: whole answers and streams. */
public final class ChatRoutes {
  private final ChatConfig config;
  private final ByteBudget memory;
  private final ContentUrls contentUrls;
  private final ActiveUsers activeUsers;
  private final Pipeline pipeline;

  /**
   * @param memory for answers that are not streamed
   */
  public ChatRoutes(
      ChatConfig config,
      ByteBudget memory,
      ContentUrls contentUrls,
      ActiveUsers activeUsers,
      Pipeline pipeline) {
    this.config = config;
    this.memory = memory;
    this.contentUrls = contentUrls;
    this.activeUsers = activeUsers;
    this.pipeline = pipeline;
  }

  public void register(Routes routes) {
    routes.addJson(
        Endpoint.post("/v1/chat/completions", Access.KEY)
            .permission(Permission.CHAT)
            .operation("models", "createChatCompletion", "Answers a conversation.")
            .header(
                "Cache-Control",
                "`no-store` bypasses the answer cache of the route; `no-cache` renews its entry.")
            .body("dialect/openai/ChatCompletionRequest")
            .limit("chat.max-messages", config.maxMessages())
            .limit("chat.max-tokens", config.maxTokens())
            .answer(
                200,
                "The answer; if `stream` is true, as events, the last of which is `[DONE]`.",
                "dialect/openai/ChatCompletion")
            .events("data: {\"object\":\"chat.completion.chunk\",…}\n\ndata: [DONE]\n\n")
            .responseHeaders("dialect/openai/CallHeaders")
            .errors(404, 409, 415, 422, 429, 451, 502, 504),
        this::complete);
  }

  private void complete(ObjectNode body, ServerRequest http, ServerResponse response) {
    Exchange exchange = Exchange.of(http);
    ChatCompletionRequest request = ChatCompletionRequest.of(body);
    Call call = Calls.of(http, request.chat(), request.stream(), request.user(), activeUsers);
    contentUrls.check(request.chat().body());
    Calls.answer(
        pipeline,
        call,
        exchange,
        response,
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
    Calls.explain(choices.notes(), response);
    ObjectNode body = Completions.whole(exchange.id(), request.model(), choices);
    JsonNode citations = choices.citations();
    if (citations != null) {
      body.set("grounding", citations);
    }
    JsonResponse.send(response, body);
  }
}
