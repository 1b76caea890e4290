package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.provider.EventReader;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ProviderException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;

/** A streamed answer of Ollama: lines of JSON. */
final class OllamaStream extends LineStream {
  private final OllamaEvents events;

  OllamaStream(InputStream body, Duration firstToken, Duration betweenTokens, OllamaEvents events) {
    super(body, EventReader.Framing.JSON_LINES, firstToken, betweenTokens);
    this.events = events;
  }

  @Override
  protected List<Event> parse(JsonNode value) throws ProviderException {
    return events.of(value);
  }
}
