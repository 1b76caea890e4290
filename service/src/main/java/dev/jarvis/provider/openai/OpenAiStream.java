package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Event;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A streamed answer in OpenAI's dialect: server-sent events up to {@code [DONE]}, which a server
 * may omit once it has sent the finish reasons and the usage.
 */
public final class OpenAiStream extends LineStream {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final String DATA = "data:";

  private final OpenAiEvents events = new OpenAiEvents();

  public OpenAiStream(InputStream body, Duration firstToken, Duration betweenTokens) {
    super(body, firstToken, betweenTokens);
  }

  @Override
  protected List<Event> parse(byte[] line) throws ProviderException {
    String text = new String(line, StandardCharsets.UTF_8).strip();
    if (!text.startsWith(DATA)) {
      return List.of(); // a comment, the name of an event, or the empty line between two events
    }
    String data = text.substring(DATA.length()).strip();
    if (data.equals("[DONE]")) {
      return end();
    }
    try {
      return events.ofChunk(JSON.readTree(data));
    } catch (IOException e) {
      throw invalidResponse(e);
    }
  }

  /** Accepts the end of the body if everything before {@code [DONE]} has arrived. */
  @Override
  protected List<Event> bodyEnded() throws IOException {
    return events.complete() && events.counted() ? end() : super.bodyEnded();
  }

  private List<Event> end() {
    List<Event> last = new ArrayList<>(events.endOpenChoices());
    last.add(new Event.End(null));
    return last;
  }
}
