package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import dev.jarvis.http.Errors;
import dev.jarvis.http.Exchange;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One answer as a stream of {@code chat.completion.chunk}s. After a long wait, sends the head and
 * comments, so that proxies keep the connection; from then on, every error is an event.
 */
final class CompletionStream {
  private static final Logger LOG = LoggerFactory.getLogger(CompletionStream.class);

  private final ChatCompletionRequest request;
  private final Exchange exchange;
  private final Answer answer;
  private final ServerResponse response;
  private final ChatConfig config;
  private final Completions.Chunks chunks;
  private @Nullable EventStream events;
  private @Nullable Head lateHead;

  CompletionStream(
      ChatCompletionRequest request,
      Exchange exchange,
      Answer answer,
      ServerResponse response,
      ChatConfig config) {
    this.request = request;
    this.exchange = exchange;
    this.answer = answer;
    this.response = response;
    this.config = config;
    this.chunks = new Completions.Chunks(exchange.id(), request.model(), request.includeUsage());
  }

  /**
   * Sends the answer.
   *
   * @throws ApiException if the call fails before anything was sent
   */
  void send() {
    try {
      sendEvents();
    } catch (EventStream.ClientGone e) {
      exchange.clientIsGone();
      if (events != null) {
        events.closeQuietly();
      }
    } catch (CancelledException e) {
      throw e;
    } catch (ApiException e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      if (events == null) {
        throw e;
      }
      throw brokenOff(e, events);
    }
  }

  private void sendEvents() throws EventStream.ClientGone {
    keepAlive();
    Head head = answer.head();
    boolean headSent = events != null;
    if (headSent) {
      lateHead = head;
    } else {
      Calls.explain(head, response);
    }
    EventStream stream = open();
    Event event = answer.next();
    while (!(event instanceof Event.End)) {
      chunks.of(event, stream::send);
      keepAlive();
      event = answer.next();
    }
    ObjectNode late = Calls.late(lateHead, chunks.notes());
    if (request.includeUsage()) {
      stream.send(chunks.usage(late));
    }
    if (!late.isEmpty()) {
      stream.comment("jarvis " + late);
    }
    stream.done();
    stream.close();
  }

  /** Waits for the next event; sends comments meanwhile. */
  private void keepAlive() throws EventStream.ClientGone {
    Duration period = config.sseKeepAlive();
    if (period.isZero()) {
      return;
    }
    while (!answer.await(period)) {
      open().comment("keep-alive");
    }
  }

  private EventStream open() {
    if (events == null) {
      response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
      response.header(HeaderNames.CACHE_CONTROL, "no-cache");
      response.header(
          HeaderNames.create("x-accel-buffering"), "no"); // or nginx would buffer the events
      events = new EventStream(response.outputStream());
    }
    return events;
  }

  /** Sends an error as a response, or as an event if the head was sent already. */
  private void fail(ApiException e) {
    if (events == null) {
      throw e;
    }
    Errors.record(exchange, e);
    try {
      events.send(Errors.body(e, exchange.requestId()));
      events.done(); // clients read up to it, and have taken the error for the end before
      events.close();
    } catch (EventStream.ClientGone gone) {
      exchange.clientIsGone();
      events.closeQuietly();
    }
  }

  /**
   * Reports a fault of the service within a stream: sends an error event, and leaves the body
   * visibly incomplete.
   */
  private CloseConnectionException brokenOff(Throwable fault, EventStream stream) {
    OutOfMemory.endProcessIf(fault);
    LOG.atError().setCause(fault).log("stream failed");
    try {
      stream.send(Errors.body(new ApiException.Internal(fault), exchange.requestId()));
    } catch (EventStream.ClientGone e) {
      // it is in the log
    }
    return new CloseConnectionException("a stream failed", fault);
  }
}
