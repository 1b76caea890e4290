package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Event;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;

/** A streamed answer of Ollama: lines of JSON. */
final class OllamaStream extends LineStream {
  private static final ObjectMapper JSON = SharedBuffers.mapper();

  private final OllamaEvents events;

  OllamaStream(InputStream body, Duration firstToken, Duration betweenTokens, OllamaEvents events) {
    super(body, firstToken, betweenTokens);
    this.events = events;
  }

  @Override
  protected List<Event> parse(byte[] line) throws ProviderException {
    try {
      return events.of(JSON.readTree(line));
    } catch (IOException e) {
      throw invalidResponse(e);
    }
  }
}
