package dev.jarvis.gateway.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.Json;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cached answers, their JSON and their reuse. */
class CachedAnswerTest {
  private static final TargetName TARGET = new TargetName("p", "m");
  private static final Event STOP = new Event.ChoiceEnd(0, FinishReason.STOP, null);

  private static CachedAnswer of(Event... events) {
    return new CachedAnswer(TARGET, List.of(events));
  }

  private static ObjectNode json() {
    ObjectNode json = Json.object().put("text", "ä🎉\u0000").put("number", 1.5).put("flag", true);
    json.putNull("nothing");
    json.putArray("list").add(1).addObject().put("x", "y");
    return json;
  }

  private static Event text(String text) {
    return new Event.Text(0, text, null);
  }

  @Test
  void writesAndReadsEveryKindOfEvent() {
    CachedAnswer answer =
        of(
            new Event.AnswerFields(json()),
            new Event.Reasoning(0, "hm", json()),
            new Event.Reasoning(0, "hm", null),
            text("ä🎉\u0000\ud83d"), // also half of a surrogate pair
            new Event.Text(1, "", json()),
            new Event.ToolCall(0, 1, "id", "f", "{\"x\":1}", json()),
            new Event.ToolCall(0, 1, null, null, "", null),
            new Event.MessageFields(0, json()),
            STOP,
            new Event.ChoiceEnd(1, FinishReason.LENGTH, json()),
            new Event.UsageReport(new Usage(1, 2, 3, 4, true), json()),
            new Event.UsageReport(new Usage(1, 2, 3, 4, 5, 6, 7, false), json()),
            new Event.UsageReport(Usage.counted(1, 2), null));

    assertThat(EventJson.read(EventJson.write(answer))).contains(answer);
  }

  /** What the previous release writes, and what it can read: counts without the later kinds. */
  @Test
  void isReadableForThePreviousReleaseAndFromIt() {
    String usage =
        "{\"type\":\"usage\",\"usage\":{\"freshInputTokens\":1,\"cachedInputTokens\":2,\"answerTokens\":3,\"reasoningTokens\":4,\"estimated\":true}}";
    CachedAnswer answer =
        of(text("x"), STOP, new Event.UsageReport(new Usage(1, 2, 3, 4, true), null));
    String written = EventJson.write(answer);

    assertThat(written).contains(usage);
    assertThat(EventJson.read(written)).contains(answer);
    assertThat(
            EventJson.read(
                EventJson.write(of(STOP, new Event.UsageReport(Usage.counted(7, 0), null)))
                    .replace(
                        "{\"freshInputTokens\":7}",
                        "{\"freshInputTokens\":7,\"cachedInputTokens\":0,\"answerTokens\":0,\"reasoningTokens\":0,\"estimated\":false}")))
        .contains(of(STOP, new Event.UsageReport(Usage.counted(7, 0), null)));
  }

  @Test
  void doesNotReadInvalidText() {
    String good = EventJson.write(of(text("x"), STOP));
    assertThat(EventJson.read(good)).isPresent();
    for (String bad :
        List.of(
            "",
            "null",
            "[]",
            "{}",
            good.substring(0, good.length() / 2),
            good.replace("\"events\"", "\"event\""),
            good.replace("\"text\"", "\"txt\""),
            EventJson.write(of(text("x"))))) {
      assertThat(EventJson.read(bad)).as(bad).isEmpty();
    }
  }

  @Test
  void isCompleteIfEachChoiceIs() {
    Event second = new Event.Text(1, "y", null);
    Event secondEnd = new Event.ChoiceEnd(1, FinishReason.TOOL_CALLS, null);

    assertThat(of(STOP).complete()).isTrue();
    assertThat(of(text("x"), second, secondEnd, STOP).complete()).isTrue();
    assertThat(of().complete()).isFalse();
    assertThat(of(text("x")).complete()).isFalse();
    assertThat(of(text("x"), STOP, second).complete()).isFalse();
    for (Event begun :
        List.of(
            new Event.Reasoning(1, "", null),
            new Event.ToolCall(1, 0, null, null, "", null),
            new Event.MessageFields(1, json()))) {
      assertThat(of(text("x"), begun, STOP).complete()).as("%s", begun).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"content_filter", "abort", "eos", ""})
  void isIncompleteIfItWasCutOffOrFiltered(String reason) {
    assertThat(of(text("x"), new Event.ChoiceEnd(0, new FinishReason(reason), null)).complete())
        .isFalse();
  }

  @Test
  void joinsAdjacentPiecesOfText() {
    Event other = new Event.Text(1, "z", null);
    Event withLogprobs = new Event.Text(0, "p", json());
    Event thought = new Event.Reasoning(0, "hm", null);

    assertThat(
            of(
                    thought,
                    text("a"),
                    text("b"),
                    other,
                    other,
                    text("c"),
                    withLogprobs,
                    text("d"),
                    text("e"),
                    STOP)
                .merged()
                .events())
        .containsExactly(
            thought,
            text("ab"),
            new Event.Text(1, "zz", null),
            text("c"),
            withLogprobs,
            text("de"),
            STOP);
    assertThat(of(text("a"), text("b")).merged().events()).containsExactly(text("ab"));
    assertThat(of().merged().events()).isEmpty();
  }

  @Test
  void replaysItsTargetEventsAndEnd() {
    List<Event> events = new ArrayList<>();
    try (Answer answer = of(text("x"), STOP).replay("route")) {
      assertThat(answer.head()).isEqualTo(new Head("route", TARGET, List.of(), "hit"));
      do {
        events.add(answer.next());
      } while (!(events.getLast() instanceof Event.End));
    }

    assertThat(events).containsExactly(text("x"), STOP, new Event.End(null));
  }
}
