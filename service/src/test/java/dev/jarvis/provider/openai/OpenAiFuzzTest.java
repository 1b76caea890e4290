package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.fuzz.Fuzz;
import dev.jarvis.fuzz.Streams;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mutated answers in OpenAI's dialect. */
@Timeout(600)
class OpenAiFuzzTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final String TEXT = "Grüße, 模型 🎉\n\u0000 \\ \" </s>";

  private static final String STREAM =
      """
      : keep-alive

      data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"f","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}

      data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Grüße 🎉","reasoning_content":"hm","refusal":null},"logprobs":{"content":[{"token":"G","logprob":-0.1,"bytes":[71],"top_logprobs":[]}]}}]}

      event: message
      data: {"id":"c1","choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\":"}}]}},{"index":0,"delta":{},"finish_reason":"stop","content_filter_results":{}}]}

      data: {"id":"c1","choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}

      data: {"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}

      data: [DONE]

      """;

  private static final String ANSWER =
      """
      {"id":"c1","object":"chat.completion","created":1,"model":"m","service_tier":"default","choices":[
      {"index":0,"message":{"role":"assistant","content":"Grüße 🎉","reasoning":"hm","annotations":[{"type":"url_citation"}]},"logprobs":{"content":[]},"finish_reason":"stop"},
      {"index":1,"message":{"role":"assistant","content":[{"type":"text","text":"x"}],"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":9,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}
      """;

  private static final String ERROR = "{\"error\":{\"message\":\"no\",\"code\":500}}";

  private static EventSource stream(InputStream body) {
    return new OpenAiStream(body, LIMIT, LIMIT);
  }

  @Test
  void streamsFailAsTheyMay() {
    Fuzz.run(
        List.of(STREAM, "data: " + ERROR + "\n\n"),
        (input, random) -> Streams.check(input, random, OpenAiFuzzTest::stream));
  }

  @Test
  void wholeAnswersFailAsTheyMay() {
    ChatRequest request = Chats.request("m", "hi");
    Fuzz.run(
        List.of(ANSWER, ERROR),
        (input, random) -> {
          try {
            List<Event> events = new OpenAiEvents().ofAnswer(Chats.wholeAnswer(input), request);
            assertThat(events.getLast()).isInstanceOf(Event.End.class);
          } catch (IOException | ProviderException e) {
            // an invalid answer
          }
        });
  }

  /** The forms in which servers send the same stream. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "data: %s\n\n",
        "data:%s\n\n",
        "data: %s\r\n\r\n",
        "data: %s\n",
        "data: %s \n\n",
        ": ping\n\ndata: %s\n\n",
        "event: chunk\nid: 7\ndata: %s\n\n",
        "\n\n\ndata: %s\n\n"
      })
  void aTextSurvivesEveryFormAndSplit(String form) throws Exception {
    StringBuilder body = new StringBuilder();
    for (String piece : TEXT.split("(?<=\\G.{3})", -1)) {
      var chunk = JSON.createObjectNode();
      chunk.withArray("choices").addObject().putObject("delta").put("content", piece);
      body.append(form.formatted(JSON.writeValueAsString(chunk)));
    }
    body.append(form.formatted("[DONE]"));
    byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);

    Streams.checkText(bytes, TEXT, OpenAiFuzzTest::stream);
  }
}
