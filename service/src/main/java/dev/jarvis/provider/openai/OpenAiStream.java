package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.provider.EventReader;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ProviderException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A streamed answer in OpenAI's dialect: server-sent events up to {@code [DONE]}, which a server
 * may omit once it has sent the finish reason of every choice.
 */
public final class OpenAiStream extends LineStream {
  private final OpenAiEvents events = new OpenAiEvents();

  public OpenAiStream(InputStream body, Duration firstToken, Duration betweenTokens) {
    super(body, EventReader.Framing.EVENTS, firstToken, betweenTokens);
  }

  @Override
  protected List<Event> parse(JsonNode value) throws ProviderException {
    if (EventReader.DONE.equals(value)) {
      return end(new ArrayList<>());
    }
    if (value.isNull()) {
      return List.of();
    }
    return unexpectedFraming() ? events.ofUnframed(value) : events.ofChunk(value);
  }

  @Override
  protected boolean complete() {
    return events.complete();
  }

  @Override
  protected List<Event> bodyEnded() {
    List<Event> last = new ArrayList<>();
    if (!unexpectedFraming()) {
      events.report("end", last);
    }
    return end(last);
  }

  private List<Event> end(List<Event> last) {
    if (unexpectedFraming()) {
      events.report("framing", last);
    }
    last.addAll(events.finish());
    last.add(new Event.End(null));
    return last;
  }
}
