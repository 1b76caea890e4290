package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.WholeAnswer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole answers in OpenAI's dialect as events. */
class OpenAiEventsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String QUESTION = "a question of 32 characters, yes";
  private static final String USAGE = ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}";

  private static Chats.Answer of(String json) throws Exception {
    return new Chats.Answer(
        new OpenAiEvents()
            .ofAnswer(
                new WholeAnswer(List.of(JSON.readTree(json)), false, false),
                Chats.request("m", QUESTION)));
  }

  /** A single choice that stopped. */
  private static Chats.Answer ofMessage(String message) throws Exception {
    return of(
        """
        {"choices":[{"index":0,"message":%s,"finish_reason":"stop"}]%s}"""
            .formatted(message, USAGE));
  }

  private static ObjectNode object(String json) throws Exception {
    return (ObjectNode) JSON.readTree(json);
  }

  @Test
  void translatesAPlainAnswer() throws Exception {
    Chats.Answer answer =
        of(
            """
            {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","service_tier":null,
             "choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null,
               "annotations":[],"tool_calls":null},"logprobs":null,"finish_reason":"stop"}],
             "usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}""");

    assertThat(answer.events())
        .containsExactly(
            new Event.Text(0, "Hello", null),
            new Event.ChoiceEnd(0, FinishReason.STOP, null),
            new Event.UsageReport(
                Usage.counted(7, 9),
                object("{\"prompt_tokens\":7,\"completion_tokens\":9,\"total_tokens\":16}")),
            new Event.End(null));
  }

  @Test
  void translatesSeveralChoices() throws Exception {
    Chats.Answer answer =
        of(
            """
            {"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},
              {"index":1,"message":{"content":"b"},"finish_reason":"length"}]}""");

    assertThat(answer.of(Event.Text.class))
        .containsExactly(new Event.Text(0, "a", null), new Event.Text(1, "b", null));
    assertThat(answer.of(Event.ChoiceEnd.class))
        .containsExactly(
            new Event.ChoiceEnd(0, FinishReason.STOP, null),
            new Event.ChoiceEnd(1, FinishReason.LENGTH, null));
  }

  @Test
  void translatesToolCallsAndKeepsTheirJson() throws Exception {
    Chats.Answer answer =
        ofMessage(
            """
            {"content":null,"tool_calls":[
              {"id":"c1","type":"function","function":{"name":"f","arguments":"{\\"x\\":1}"}},
              {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"},"extra_content":7}]}""");

    assertThat(answer.of(Event.ToolCall.class))
        .extracting(
            Event.ToolCall::choice,
            Event.ToolCall::index,
            Event.ToolCall::id,
            Event.ToolCall::name,
            Event.ToolCall::arguments)
        .containsExactly(tuple(0, 0, "c1", "f", "{\"x\":1}"), tuple(0, 1, "c2", "g", "{}"));
    JsonNode raw = answer.of(Event.ToolCall.class).getLast().raw();
    assertThat(raw).isNotNull();
    assertThat(String.valueOf(raw)).contains("\"extra_content\":7");
    assertThat(answer.of(Event.Text.class)).as("texts for null").isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"reasoning_content", "reasoning"})
  void findsReasoningUnderEitherNameAndKeepsTheName(String name) throws Exception {
    Chats.Answer answer = ofMessage("{\"content\":\"4\",\"" + name + "\":\"2 and 2\"}");

    assertThat(answer.events().subList(0, 2))
        .containsExactly(
            new Event.Reasoning(0, "2 and 2", object("{\"" + name + "\":\"2 and 2\"}")),
            new Event.Text(0, "4", null));
  }

  @Test
  void keepsLogProbabilitiesWithTheText() throws Exception {
    Chats.Answer answer =
        of(
            """
            {"choices":[{"message":{"content":"Hi"},"finish_reason":"stop",
              "logprobs":{"content":[{"token":"Hi","logprob":-0.1}]}}]}""");

    assertThat(answer.of(Event.Text.class))
        .containsExactly(
            new Event.Text(0, "Hi", object("{\"content\":[{\"token\":\"Hi\",\"logprob\":-0.1}]}")));
  }

  @Test
  void keepsUnknownFields() throws Exception {
    Chats.Answer answer =
        of(
            """
            {"system_fingerprint":"fp","citations":["https://x"],"choices":[{"index":0,"stop_reason":128,
              "finish_reason":"stop","message":{"content":"x","refusal":"no","audio":{"id":"a"}}}]}""");

    assertThat(answer.of(Event.AnswerFields.class))
        .containsExactly(
            new Event.AnswerFields(
                object("{\"system_fingerprint\":\"fp\",\"citations\":[\"https://x\"]}")));
    assertThat(answer.of(Event.MessageFields.class))
        .containsExactly(
            new Event.MessageFields(0, object("{\"refusal\":\"no\",\"audio\":{\"id\":\"a\"}}")));
    assertThat(answer.of(Event.ChoiceEnd.class))
        .containsExactly(
            new Event.ChoiceEnd(0, FinishReason.STOP, object("{\"stop_reason\":128}")));
  }

  @ParameterizedTest
  @CsvSource({
    // prompt, cached, completion, reasoning: fresh, cached, answer, reasoning, estimated
    "100, 30, 50, 20, 70, 30, 30, 20, false",
    "100, 0, 50, 0, 100, 0, 50, 0, false",
    "10, 30, 5, 20, 0, 10, 0, 5, true", // parts larger than the sum
    "-5, -1, -7, -2, 8, 0, 1, 0, true"
  })
  void separatesTheKindsOfTokens(
      int prompt,
      int cached,
      int completion,
      int reasoning,
      int freshTold,
      int cachedTold,
      int answerTold,
      int reasoningTold,
      boolean estimated)
      throws Exception {
    Usage usage =
        of("""
            {"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,
              "completion_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d},
              "completion_tokens_details":{"reasoning_tokens":%d}}}"""
                .formatted(prompt, completion, cached, reasoning))
            .usage();

    assertThat(usage)
        .isEqualTo(new Usage(freshTold, cachedTold, answerTold, reasoningTold, estimated));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // usage; fresh, cached, written, audio, answer, reasoning, audio, estimated
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':30,'cache_write_tokens':20,'audio_tokens':7}|43 30 20 7 9 0 0 false",
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':30,'cache_creation_tokens':20}|50 30 20 0 9 0 0 false",
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':30},'cache_creation_input_tokens':20,'cache_read_input_tokens':30|50 30 20 0 9 0 0 false",
        "'prompt_tokens':100,'completion_tokens':9,'cache_creation_input_tokens':20,'cache_read_input_tokens':30|50 30 20 0 9 0 0 false",
        // Anthropic counts the cache beside the input
        "'input_tokens':50,'output_tokens':9,'cache_creation_input_tokens':20,'cache_read_input_tokens':30|50 30 20 0 9 0 0 false",
        "'input_tokens':50,'output_tokens':9|50 0 0 0 9 0 0 false",
        "'prompt_tokens':100,'completion_tokens':9,'completion_tokens_details':{'reasoning_tokens':4,'audio_tokens':3}|100 0 0 0 2 4 3 false",
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':90,'audio_tokens':30}|0 90 0 10 9 0 0 false", // cached audio
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':null,'cache_write_tokens':null,'audio_tokens':null}|100 0 0 0 9 0 0 false",
        // parts larger than the sum
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cached_tokens':80,'cache_write_tokens':30}|0 80 20 0 9 0 0 true",
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'audio_tokens':101}|0 0 0 100 9 0 0 true",
        "'prompt_tokens':100,'completion_tokens':9,'completion_tokens_details':{'reasoning_tokens':7,'audio_tokens':3}|100 0 0 0 0 7 2 true",
        "'prompt_tokens':100,'completion_tokens':9,'prompt_tokens_details':{'cache_write_tokens':-1}|100 0 0 0 9 0 0 true",
        "'prompt_tokens':100,'completion_tokens':9,'completion_tokens_details':{'audio_tokens':0.5}|100 0 0 0 9 0 0 true",
      })
  void separatesWritesToTheCacheAndAudio(String usage, String told) throws Exception {
    String[] kinds = told.split(" ", -1);

    assertThat(
            of("{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"usage\":{%s}}"
                    .formatted(usage.replace('\'', '"')))
                .usage())
        .isEqualTo(
            new Usage(
                Integer.parseInt(kinds[0]),
                Integer.parseInt(kinds[1]),
                Integer.parseInt(kinds[2]),
                Integer.parseInt(kinds[3]),
                Integer.parseInt(kinds[4]),
                Integer.parseInt(kinds[5]),
                Integer.parseInt(kinds[6]),
                Boolean.parseBoolean(kinds[7])));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ",\"usage\":null"})
  void estimatesTheTokensWithoutUsage(String usage) throws Exception {
    Chats.Answer answer =
        of(
            """
            {"choices":[{"message":{"content":"12345678","reasoning":"1234","tool_calls":[
              {"id":"c","function":{"name":"f","arguments":"1234"}}]},"finish_reason":"stop"}]%s}"""
                .formatted(usage));

    assertThat(answer.usage()).isEqualTo(new Usage(8, 0, 4, 0, true));
    assertThat(answer.of(Event.UsageReport.class)).hasSize(1);
    assertThat(answer.events().getLast()).isEqualTo(new Event.End(null));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ",\"finish_reason\":null", ",\"finish_reason\":\"\""})
  void reportsStopForAWholeAnswerWithoutFinishReason(String reason) throws Exception {
    assertThat(of("{\"choices\":[{\"message\":{\"content\":\"x\"}%s}]}".formatted(reason)).events())
        .contains(new Event.Text(0, "x", null), new Event.ChoiceEnd(0, FinishReason.STOP, null));
  }

  @Test
  void acceptsAnAnswerWithoutChoicesAsEmpty() throws Exception {
    Chats.Answer answer =
        of("{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":0}}");

    assertThat(answer.of(Event.ChoiceEnd.class))
        .containsExactly(new Event.ChoiceEnd(0, FinishReason.STOP, null));
    assertThat(answer.usage()).isEqualTo(Usage.counted(7, 0));
    assertThat(answer.of(Event.Note.class))
        .extracting(Event.Note::detail)
        .containsExactly("choices", "finish_reason");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "7",
        "{\"choices\":{}}",
        "{\"choices\":[{\"index\":128,\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}",
        "{\"error\":{\"message\":\"overloaded at 10.0.0.1:80\"}}"
      })
  void reportsAnInvalidAnswerAsFailureAfterWork(String json) {
    assertThatThrownBy(() -> of(json))
        .isInstanceOfSatisfying(
            ProviderException.Unavailable.class, e -> assertThat(e.begun()).isTrue())
        .hasMessageNotContaining("10.0.0.1");
  }
}
