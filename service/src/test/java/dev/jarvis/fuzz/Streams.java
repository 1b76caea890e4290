package dev.jarvis.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.gateway.Event;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What must hold for every stream that a model server may send. */
public final class Streams {
  /** Made up for each tool call of a server that sends none. */
  private static final Pattern RANDOM_ID = Pattern.compile("call_[0-9a-f]{32}");

  private Streams() {}

  /**
   * Checks that a stream ends, with events or a {@link ProviderException}, and that it does not
   * matter in which pieces it arrives.
   */
  public static void check(byte[] body, Random random, Function<InputStream, EventSource> reader) {
    List<String> whole = events(reader.apply(new SplitInput(body, () -> Integer.MAX_VALUE)));
    List<String> pieces =
        events(
            reader.apply(new SplitInput(body, () -> 1 + random.nextInt(1 + random.nextInt(40)))));
    assertThat(pieces).isEqualTo(whole);
    if (body.length < 4_000) {
      assertThat(events(reader.apply(new SplitInput(body, () -> 1)))).isEqualTo(whole);
    }
  }

  /** Checks that a stream gives its text, wherever its bytes are split in two. */
  public static void checkText(byte[] body, String text, Function<InputStream, EventSource> reader)
      throws ProviderException {
    for (int first = 1; first < body.length; first++) {
      int[] size = {first, body.length};
      int[] next = {0};
      InputStream split = new SplitInput(body, () -> size[Math.min(next[0]++, 1)]);
      try (EventSource stream = reader.apply(split)) {
        assertThat(Chats.read(stream).text()).as("split after %d", first).isEqualTo(text);
      }
    }
  }

  /** The events as text, and the failure that ended them. */
  public static List<String> events(EventSource source) {
    List<String> events = new ArrayList<>();
    try (source) {
      Event event;
      do {
        event = source.next();
        events.add(RANDOM_ID.matcher(event.toString()).replaceAll("call"));
      } while (!(event instanceof Event.End));
    } catch (ProviderException e) {
      events.add(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
    return events;
  }
}
