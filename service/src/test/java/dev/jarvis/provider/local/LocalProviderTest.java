package dev.jarvis.provider.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.PromptTokens;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The in-process model with real weights. */
@Timeout(600)
class LocalProviderTest {
  private static final String MODEL = "smollm2-135m-instruct";

  /** The model counts until the token limit. */
  private static final String LONG_TASK = "Write a very long list of numbers: 1, 2, 3, 4, 5, 6, 7,";

  /** Enough for a prompt that is evaluated in several steps; long prompts take seconds. */
  private static final int CONTEXT_TOKENS = 512;

  private static LocalProvider provider;

  @BeforeAll
  static void load() throws Exception {
    provider = provider(CONTEXT_TOKENS, 16, Duration.ofSeconds(60));
  }

  @AfterAll
  static void free() {
    provider.close();
  }

  private static LocalProvider provider(int contextTokens, int queueLimit, Duration queueTimeout)
      throws IOException {
    return new LocalProvider(
        Configs.of(
            LocalConfig.class,
            Map.of(
                "model", LocalWeights.path().toString(),
                "context-tokens", Integer.toString(contextTokens),
                "queue-limit", Integer.toString(queueLimit),
                "queue-timeout", queueTimeout.toString(),
                "max-tokens", "64")));
  }

  private static LocalConfig config(Path model) {
    return Configs.of(LocalConfig.class, Map.of("model", model.toString()));
  }

  private static Chats.Answer ask(ChatRequest request) throws ProviderException {
    return Chats.ask(provider, Chats.stream(request));
  }

  @Test
  void answersWithARealModel() throws Exception {
    Chats.Answer answer = ask(Chats.greedy(MODEL, "What is the capital of France?", 40));

    assertThat(answer.text()).contains("Paris").doesNotContain("<|");
    assertThat(answer.reason()).isEqualTo(FinishReason.STOP);
    // the template's control tokens count too: more than the words, fewer than the characters
    assertThat(answer.usage().inputTokens()).isBetween(12, 30);
    assertThat(answer.usage().outputTokens()).isBetween(3, 40);
  }

  /** Without its sampling defaults, the small model repeats itself up to the maximum. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void answersAGreetingWithSentencesThatEnd(long seed) throws Exception {
    ChatRequest greeting = Chats.request(MODEL, "Say hello.");
    greeting.body().put("max_tokens", 200).put("seed", seed);

    Chats.Answer answer = ask(greeting);

    assertThat(answer.reason()).isEqualTo(FinishReason.STOP);
    assertThat(answer.text().strip()).matches("(?s).+[.!?]\\W*");
  }

  private static ProviderRequest longAnswer() {
    return Chats.stream(Chats.greedy(MODEL, LONG_TASK, 900));
  }

  private static ProviderRequest shortAnswer() {
    return Chats.stream(Chats.greedy(MODEL, "hi", 1));
  }

  @Test
  void reportsTheInputTokensFirst() throws Exception {
    Chats.Answer answer = ask(Chats.greedy(MODEL, "hi", 3));

    assertThat(answer.events().getFirst())
        .isEqualTo(new Event.UsageReport(Usage.counted(answer.usage().inputTokens(), 0), null));
  }

  @Test
  void alwaysStreams() throws Exception {
    assertThat(provider.streams(false)).isTrue();
    assertThat(Chats.ask(provider, Chats.whole(Chats.greedy(MODEL, LONG_TASK, 5))).text())
        .isEqualTo(ask(Chats.greedy(MODEL, LONG_TASK, 5)).text());
  }

  @Test
  void namesTheModelAfterItsFile() throws Exception {
    assertThat(provider.models().names()).containsExactly(MODEL);
    assertThatThrownBy(() -> provider.chat(Chats.stream(Chats.request("other", "hi"))))
        .isInstanceOf(ProviderException.NotFound.class);
  }

  @Test
  void givesTheSameAnswerForTheSameSeed() throws Exception {
    ChatRequest seeded = creative(42);
    ask(
        creative(
            7)); // llama.cpp reuses the prompt that it evaluated last, which rounds differently
    String first = ask(seeded).text();
    ask(creative(7));

    assertThat(ask(seeded).text()).isEqualTo(first);
  }

  private static ChatRequest creative(long seed) {
    ChatRequest request = Chats.request(MODEL, "Tell a story of a fox.");
    request
        .body()
        .put("temperature", 1.2)
        .put("top_p", 0.95)
        .put("max_tokens", 20)
        .put("seed", seed);
    return request;
  }

  @Test
  void givesDifferentAnswersForDifferentSeeds() throws Exception {
    assertThat(ask(creative(1)).text()).isNotEqualTo(ask(creative(2)).text());
  }

  @Test
  void sendsTheAnswerPieceByPiece() throws Exception {
    List<String> pieces = new ArrayList<>();
    ask(Chats.greedy(MODEL, LONG_TASK, 20))
        .of(Event.Text.class)
        .forEach(piece -> pieces.add(piece.text()));
    assertThat(pieces).hasSizeGreaterThan(15);
    assertThat(String.join("", pieces)).isEqualTo(ask(Chats.greedy(MODEL, LONG_TASK, 20)).text());
  }

  @Test
  void endsTheAnswerAtMaxTokens() throws Exception {
    Chats.Answer answer = ask(Chats.greedy(MODEL, LONG_TASK, 7));

    assertThat(answer.reason()).isEqualTo(FinishReason.LENGTH);
    assertThat(answer.usage().outputTokens()).isEqualTo(7);
  }

  @Test
  void endsTheAnswerBeforeAStopSequence() throws Exception {
    String whole = ask(Chats.greedy(MODEL, LONG_TASK, 30)).text();
    String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 6);

    Chats.Answer answer = ask(Chats.greedy(MODEL, LONG_TASK, 30, "never seen", stop));

    assertThat(answer.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
    assertThat(answer.reason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void doesNotSplitCharactersOfSeveralTokens() throws Exception {
    ChatRequest request =
        Chats.greedy(MODEL, "Repeat exactly: 🎉🎉🎉 漢字 Größe 🎉🎉🎉 漢字 Größe", 40);
    request.body().put("repeat_penalty", 1);

    Chats.Answer answer = ask(request);

    assertThat(answer.text()).contains("🎉").doesNotContain("\uFFFD");
    assertThat(answer.usage().outputTokens()).isBetween(20, 40);
  }

  @Test
  void readsControlTokensInMessagesAsText() throws Exception {
    int plain = ask(Chats.greedy(MODEL, "x", 1)).usage().inputTokens();
    int marked = ask(Chats.greedy(MODEL, "x<|im_end|>", 1)).usage().inputTokens();

    assertThat(marked - plain)
        .as("tokens of the marker; a control token would be one")
        .isGreaterThan(2);
  }

  @Test
  void acceptsUnusualCharacters() throws Exception {
    String odd = "\u0000\u0001\u001f \ud800 \" \\ </script> @@0@@ \u2028 \uffff";

    assertThat(ask(Chats.greedy(MODEL, odd, 3)).usage().outputTokens()).isPositive();
  }

  @Test
  void refusesAConversationLongerThanTheContext() throws Exception {
    assertThatThrownBy(() -> ask(Chats.request(MODEL, "word ".repeat(1000))))
        .isInstanceOf(ProviderException.Refused.class)
        .hasMessageContaining(Integer.toString(CONTEXT_TOKENS));
    assertThat(ask(Chats.greedy(MODEL, "hi", 3)).text()).isNotEmpty();
  }

  @Test
  void endsTheAnswerAtTheEndOfTheContext() throws Exception {
    Chats.Answer answer = ask(Chats.greedy(MODEL, LONG_TASK + " word".repeat(440), 500));

    Usage usage = answer.usage();
    assertThat(usage.inputTokens() + usage.outputTokens()).isLessThanOrEqualTo(CONTEXT_TOKENS);
    assertThat(usage.outputTokens()).isPositive();
  }

  @Test
  void givesTheSameAnswerToALongPrompt() throws Exception {
    String question = "The fox is red. ".repeat(80) + "What colour is the fox?";

    assertThat(ask(Chats.greedy(MODEL, question, 8)).text())
        .isEqualTo(ask(Chats.greedy(MODEL, question, 8)).text());
  }

  @Test
  void answersConcurrentRequestsOneAfterAnother() throws Exception {
    String alone = ask(Chats.greedy(MODEL, "What is the capital of Italy?", 12)).text();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Chats.Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        answers.add(
            threads.submit(() -> ask(Chats.greedy(MODEL, "What is the capital of Italy?", 12))));
      }
      for (Future<Chats.Answer> answer : answers) {
        assertThat(answer.get().text()).isEqualTo(alone);
      }
    }
  }

  @Test
  void stopsGeneratingWhenAnAnswerIsClosed() throws Exception {
    try (LocalProvider roomy = provider(1024, 1, Duration.ofMinutes(1))) {
      EventSource endless = roomy.chat(longAnswer());
      long start = System.nanoTime();
      for (int i = 0; i < 20; i++) {
        endless.next();
      }
      Duration twentyTokens = Duration.ofNanos(System.nanoTime() - start);

      endless.close();
      long closed = System.nanoTime();
      Chats.ask(roomy, shortAnswer());

      assertThat(Duration.ofNanos(System.nanoTime() - closed))
          .as("the other 880 tokens would take 44 times as long as the first 20")
          .isLessThan(twentyTokens.multipliedBy(20));
      assertThatThrownBy(() -> Chats.read(endless))
          .isInstanceOf(ProviderException.Unavailable.class);
    }
  }

  @Test
  void stopsGeneratingAndWaitingOnCancellation() throws Exception {
    Cancellation scope = new Cancellation();
    try (LocalProvider roomy = provider(1024, 1, Duration.ofMinutes(1));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        EventSource endless = scope.call(() -> roomy.chat(longAnswer()))) {
      endless.next();
      Future<EventSource> waiting =
          threads.submit(() -> scope.call(() -> roomy.chat(shortAnswer())));

      scope.cancel();

      assertThatThrownBy(waiting::get).hasCauseInstanceOf(CancelledException.class);
      assertThatThrownBy(() -> Chats.read(endless)).isInstanceOf(CancelledException.class);
      assertThat(Chats.ask(roomy, shortAnswer()).usage().outputTokens()).isEqualTo(1);
    }
  }

  @Test
  void reportsBusyIfTheQueueIsFullOrTheWaitTooLong() throws Exception {
    try (LocalProvider small = provider(1024, 1, Duration.ofSeconds(2));
        EventSource endless = small.chat(longAnswer());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<EventSource>> two =
          List.of(
              threads.submit(() -> small.chat(shortAnswer())),
              threads.submit(() -> small.chat(shortAnswer())));

      // one waits until the time limit, the other finds the queue full
      List<String> messages = new ArrayList<>();
      for (Future<EventSource> each : two) {
        assertThatThrownBy(each::get)
            .hasCauseInstanceOf(ProviderException.Busy.class)
            .satisfies(it -> messages.add(String.valueOf(it.getMessage())));
      }
      assertThat(messages).anyMatch(it -> it.contains("The model was busy for 2000 ms."));
      assertThat(messages).anyMatch(it -> it.contains("Too many requests wait"));
      endless.close();
      assertThat(Chats.ask(small, shortAnswer()).usage().outputTokens()).isEqualTo(1);
    }
  }

  @Test
  void endsRunningAndWaitingAnswersOnClose() throws Exception {
    LocalProvider other = provider(CONTEXT_TOKENS, 4, Duration.ofSeconds(60));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      EventSource endless = other.chat(longAnswer());
      // close may refuse it, or end it when it has just begun
      Future<Chats.Answer> waiting = threads.submit(() -> Chats.ask(other, shortAnswer()));

      other.close();

      assertThatThrownBy(() -> Chats.read(endless))
          .isInstanceOf(ProviderException.Unavailable.class);
      assertThatThrownBy(waiting::get).hasCauseInstanceOf(ProviderException.Unavailable.class);
      assertThatThrownBy(() -> other.chat(shortAnswer()))
          .isInstanceOf(ProviderException.Unavailable.class);
      assertThatThrownBy(other::models).isInstanceOf(ProviderException.Unavailable.class);
    }
    assertThat(ask(Chats.greedy(MODEL, "hi", 1)).usage().outputTokens())
        .as("output of another provider")
        .isEqualTo(1);
  }

  @Test
  void reportsMissingOrInvalidWeightsAtTheStart(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("junk.gguf"), "no model");
    LocalConfig config = config(file);
    assertThatThrownBy(() -> new LocalProvider(config))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.toString());

    Files.delete(file);
    assertThatThrownBy(() -> new LocalProvider(config))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void derivesNamesFromFiles(@TempDir Path folder) throws Exception {
    Map<String, String> names =
        Map.of(
            "SmolLM2-135M-Instruct.Q4_1.gguf", MODEL,
            "gemma-3-270m-it-Q4_K_M.GGUF", "gemma-3-270m-it",
            "plain.gguf", "plain");
    for (Map.Entry<String, String> each : names.entrySet()) {
      Path file = Files.createFile(folder.resolve(each.getKey()));
      assertThat(config(file).modelName()).isEqualTo(each.getValue());
    }
  }

  static List<String> texts() {
    return List.of(
        "The capital of France is Paris, and that of Italy is Rome. ".repeat(10),
        "public static void main(String[] arguments) { System.out.println(arguments[0]); }\n"
            .repeat(5),
        "{\"name\":\"Ann\",\"roles\":[\"admin\",\"user\"],\"age\":31,\"active\":true}".repeat(5),
        "北京是中华人民共和国的首都，也是全国的政治和文化中心。",
        "Москва — столица России, крупнейший город страны. ".repeat(2),
        "Donaudampfschifffahrtsgesellschaftskapitän, antidisestablishmentarianism",
        "https://example.org/a/long/path?with=parameters&and=more#fragment",
        "aGVsbG8gd29ybGQsIHRoaXMgaXMgYmFzZTY0IGVuY29kZWQgdGV4dA==",
        "3.14159265358979323846264338327950288419716939937510",
        "-".repeat(300),
        "a" + " ".repeat(300) + "b" + "\n".repeat(100) + "c",
        "🎉🎊🥳 ".repeat(5));
  }

  @ParameterizedTest
  @MethodSource("texts")
  void theBoundsOfAPromptHold(String text) throws Exception {
    ChatRequest request = Chats.greedy(MODEL, text, 1);

    assertThat(ask(request).usage().inputTokens())
        .isGreaterThanOrEqualTo(PromptTokens.least(request))
        .isLessThanOrEqualTo((int) PromptTokens.most(request));
  }

  @Test
  void theWindowIsExactAndAPromptBeyondItIsRefused() {
    ChatRequest request = Chats.request(MODEL, "word ".repeat(CONTEXT_TOKENS));

    assertThat(provider.contextWindow(request, OptionalInt.of(7))).hasValue(CONTEXT_TOKENS);
    assertThatThrownBy(() -> ask(request))
        .isInstanceOf(ProviderException.Refused.class)
        .extracting("refusal.code", "refusal.param")
        .containsExactly("context_length_exceeded", "messages");
  }
}
