package dev.jarvis.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Grounding;
import dev.jarvis.http.ApiException;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Errors;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Json;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.OutOfMemory;
import dev.jarvis.http.Routes;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Decision;
import dev.jarvis.model.Models;
import dev.jarvis.model.Shortfall;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code POST /v1/chat/completions}: whole answers and streams. */
public final class ChatRoutes {
  private static final String OPERATION = "chat";
  private static final Logger LOG = LoggerFactory.getLogger(ChatRoutes.class);

  private final ChatConfig config;
  private final JsonBody bodies;
  private final ContentUrls contentUrls;
  private final Gateway gateway;
  private final Grounding grounding;

  public ChatRoutes(
      ChatConfig config,
      JsonBody bodies,
      ContentUrls contentUrls,
      Gateway gateway,
      Grounding grounding) {
    this.config = config;
    this.bodies = bodies;
    this.contentUrls = contentUrls;
    this.gateway = gateway;
    this.grounding = grounding;
  }

  public void register(Routes routes) {
    routes.post("/v1/chat/completions", Routes.Access.KEY, this::complete);
  }

  private void complete(ServerRequest http, ServerResponse response) {
    Exchange exchange = Exchange.of(http);
    ChatCompletionRequest request =
        ChatCompletionRequest.parse(bodies.object(http), config.maxMessages(), config.maxTokens());
    gateway.seen(exchange, request.user());
    contentUrls.check(request.chat().body());
    Gateway.answer(
        exchange,
        client -> {
          ChatCompletionRequest grounded =
              grounding
                  .ground(request.chat().body(), exchange)
                  .map(request::grounded)
                  .orElse(request);
          answer(grounded, exchange, http, client, response);
        });
  }

  private void answer(
      ChatCompletionRequest request,
      Exchange exchange,
      ServerRequest http,
      ClientWatch client,
      ServerResponse response) {
    String cacheControl = http.headers().first(HeaderNames.CACHE_CONTROL).orElse("");
    Optional<AnswerCache.Look> look =
        gateway.cached(request.chat(), exchange, cacheControl, response);
    try (AnswerCache.Look found = look.orElse(null)) {
      CachedAnswer known = found == null ? null : found.answer();
      if (known == null) {
        generate(request, exchange, found, client, response);
      } else {
        client.close(); // there is nothing to wait for
        gateway.answeredFromCache(request.model(), known, exchange, request.stream());
        gateway.explain(exchange, Shortfall.NONE, response);
        send(request, exchange, known.answer(), client, response);
      }
    }
  }

  /** What can fail fails in here before the first byte of the answer. */
  private void generate(
      ChatCompletionRequest request,
      Exchange exchange,
      AnswerCache.@Nullable Look look,
      ClientWatch client,
      ServerResponse response) {
    try (Admission.Turn ignored = gateway.admit(client);
        Generation generation = open(request, exchange, client)) {
      Models.Target target = generation.target();
      gateway.explain(exchange, target.provider().shortfall(request.chat()), response);
      Answer answer =
          look != null && look.keeps() ? new KeptAnswer(generation, target, look) : generation;
      send(request, exchange, answer, client, response);
    }
  }

  private void send(
      ChatCompletionRequest request,
      Exchange exchange,
      Answer answer,
      ClientWatch client,
      ServerResponse response) {
    if (request.stream()) {
      stream(request, exchange, answer, client, response);
    } else {
      whole(request, exchange, answer, response);
    }
  }

  private Generation open(ChatCompletionRequest request, Exchange exchange, ClientWatch client) {
    ChatRequest chat = request.chat();
    Decision decision = gateway.decide(chat.model(), it -> it.shortfall(chat));
    RoutingTelemetry routing = gateway.routing(exchange);
    Attempts<ChatStream> attempts = gateway.attempts(OPERATION, routing, it -> it.describe(chat));
    routing.decided(decision);
    Generation generation =
        Generation.open(
            chat,
            decision,
            request.stream(),
            config.maxDuration(),
            attempts,
            gateway.settlement(OPERATION, exchange, client));
    routing.answered(decision, generation.target());
    return generation;
  }

  private static void whole(
      ChatCompletionRequest request, Exchange exchange, Answer answer, ServerResponse response) {
    Choices choices = new Choices();
    Chunk chunk;
    do {
      chunk = answer.next();
      choices.add(chunk);
    } while (chunk.finish() == null);
    Usage usage = chunk.finish().usage();
    ObjectNode body = Completions.whole(exchange.id(), request.model(), choices, usage);
    Json.send(response, withGrounding(body, request));
  }

  /** A stream tells it with its first chunk. */
  private static ObjectNode withGrounding(ObjectNode body, ChatCompletionRequest request) {
    if (request.grounding() != null) {
      body.set("grounding", request.grounding());
    }
    return body;
  }

  private void stream(
      ChatCompletionRequest request,
      Exchange exchange,
      Answer answer,
      ClientWatch client,
      ServerResponse response) {
    Completions.Chunks chunks =
        new Completions.Chunks(exchange.id(), request.model(), request.includeUsage());
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    response.header(HeaderNames.create("x-accel-buffering"), "no"); // nginx would hold pieces back
    EventStream events = new EventStream(response.outputStream(), config.writeTimeout());
    try {
      events.send(withGrounding(chunks.role(0), request));
      Chunk chunk;
      do {
        chunk = nextOrErrorEvent(answer, exchange, client, events);
        if (chunk == null) { // the status was sent long before
          events.close();
          return;
        }
        send(chunk, chunks, events);
      } while (chunk.finish() == null);
      if (request.includeUsage()) {
        events.send(chunks.usage(chunk.finish().usage()));
      }
      events.done();
      events.close();
    } catch (EventStream.ClientGone e) {
      answer.abort();
      exchange.clientIsGone();
      events.closeQuietly();
    } catch (RuntimeException | Error e) {
      throw brokenOff(e, exchange, events);
    }
  }

  /**
   * A fault of the service in the middle of a stream: the client gets an error event, and a body
   * that visibly lacks its end.
   */
  private static CloseConnectionException brokenOff(
      Throwable fault, Exchange exchange, EventStream events) {
    OutOfMemory.endProcessIf(fault);
    LOG.atError().setCause(fault).log("stream failed");
    try {
      events.send(Errors.body(new ApiException.Internal(fault), exchange.requestId()));
    } catch (EventStream.ClientGone e) {
      // the log has it
    }
    return new CloseConnectionException("a stream failed", fault);
  }

  private static void send(Chunk chunk, Completions.Chunks chunks, EventStream events)
      throws EventStream.ClientGone {
    boolean says = chunk.says() || chunk.logprobs() != null;
    if (says && !chunks.begun(chunk.choice())) {
      events.send(chunks.role(chunk.choice()));
    }
    if (says) {
      events.send(chunks.piece(chunk));
    }
    if (chunk.reason() != null) {
      events.send(chunks.finish(chunk.choice(), chunk.reason()));
    }
  }

  /** The next chunk; null if an error event has ended the stream instead. */
  private static @Nullable Chunk nextOrErrorEvent(
      Answer answer, Exchange exchange, ClientWatch client, EventStream events)
      throws EventStream.ClientGone {
    try {
      return answer.next();
    } catch (ApiException e) {
      if (client.gone()) {
        throw new EventStream.ClientGone(e);
      }
      OutOfMemory.endProcessIf(e);
      exchange.failure(e.getCause() == null ? e : e.getCause());
      events.send(Errors.body(e, exchange.requestId()));
      return null;
    }
  }
}
