package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.ProviderException;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** A route that sends prompts to the targets that they fit; the question has 5 words. */
class LongPromptsTest extends TwoTargets {
  @Override
  String context() {
    return "fit";
  }

  private void refusesFirst() {
    first.script =
        () -> {
          throw new ProviderException.Refused(
              "too long", ProviderException.Refusal.contextTooLong("messages"), null);
        };
  }

  @Test
  void whatAServerRefusesAsTooLongIsSentToTheNextTarget() {
    refusesFirst();

    assertThat(readStream()).containsExactly(TEXT, STOP, USAGE, END);
    assertThat(log).startsWith("first asked", "second asked");
    assertThat(router.circuits()).containsEntry(at(first), false);
  }

  @Test
  void butNotToOneWithASmallerWindow() {
    refusesFirst();
    first.window = OptionalInt.of(100);
    second.window = OptionalInt.of(100);

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOf(ApiException.Refused.class)
        .hasMessage("too long")
        .extracting("code", "param")
        .containsExactly("context_length_exceeded", "messages");
    assertThat(log).containsExactly("first asked", "settled");
  }

  @Test
  void anotherRefusalIsFinal() {
    first.script =
        () -> {
          throw new ProviderException.Refused("bad image");
        };

    assertThatThrownBy(() -> run(call(true)).head()).hasMessage("bad image");
    assertThat(log).containsExactly("first asked", "settled");
  }

  @Test
  void aTargetThatIsTooSmallIsNotAsked() {
    first.window = OptionalInt.of(4);

    readStream();

    assertThat(log).startsWith("second asked");
  }

  @Test
  void aCutPromptIsNotedBeforeTheEnd() {
    Event cut = new Event.UsageReport(Usage.counted(3, 1), null);
    first.cuts = true;
    first.script = () -> new Played("first", TEXT, STOP, cut, END);

    assertThat(readStream())
        .containsExactly(
            TEXT,
            STOP,
            cut,
            new Event.Note(Event.Note.Kind.TRUNCATED, "prompt: 3 of about 5 tokens"),
            END);
  }
}
