package dev.jarvis.provider.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.UnsupportedFields;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The embedding model inside the process, with its real weights. */
@Timeout(300)
class LocalEmbeddingsTest {
  private static final String MODEL = "all-minilm-l6-v2";

  /** Minutes of work. */
  private static final List<String> MANY = Collections.nCopies(20_000, "word ".repeat(254));

  private static LocalProvider provider;

  @BeforeAll
  static void open() throws IOException {
    provider = create(2);
  }

  @AfterAll
  static void close() {
    provider.close();
  }

  private static LocalProvider create(int threads) throws IOException {
    return new LocalProvider(
        Configs.of(
            LocalConfig.class,
            Map.of("embedding-model", MODEL, "embedding-threads", Integer.toString(threads))));
  }

  private static EmbeddingRequest request(List<String> texts, @Nullable Duration limit) {
    ObjectNode body = Json.object().put("model", MODEL);
    texts.forEach(body.putArray("input")::add);
    return new EmbeddingRequest(MODEL, body, limit);
  }

  private static Embeddings embed(String... texts) throws ProviderException {
    return provider.embed(request(List.of(texts), null), MODEL);
  }

  private static double cosine(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Test
  void isLoadedWhenItIsUsedFirst() throws Exception {
    try (LocalProvider fresh = create(1)) {
      assertThat(fresh.models().names()).containsExactly(MODEL);
      assertThat(fresh.tokenizer().count("a harbour")).isEqualTo(2);
      assertThat(fresh.loaded(MODEL)).hasValue(false);

      fresh.embed(request(List.of("hi"), null), MODEL);

      assertThat(fresh.loaded(MODEL)).hasValue(true);
    }
  }

  @Test
  void aModelThatCannotBeLoadedIsNotLoadedForEachRequest() {
    AtomicInteger loads = new AtomicInteger();
    try (LocalEmbeddings broken =
        new LocalEmbeddings(
            EmbeddingModel.ALL_MINILM_L6_V2,
            1,
            it -> {
              loads.incrementAndGet();
              throw new IOException("no space left");
            })) {
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> broken.embed(request(List.of("hi"), null)))
            .isInstanceOf(ProviderException.Unavailable.class)
            .hasMessage("The embedding model 'all-minilm-l6-v2' cannot be loaded.");
      }
    }
    assertThat(loads).hasValue(1);
  }

  /** The first numbers are those of the same weights in LangChain4j. */
  @Test
  void vectorsAreThoseOfTheModelAndOfLengthOne() throws Exception {
    List<float[]> vectors = embed("The harbour master answers on channel 9.", "hi").vectors();

    assertThat(vectors.get(0)[0]).isCloseTo(0.013367f, within(1e-3f));
    assertThat(vectors.get(1)[0]).isCloseTo(-0.086097f, within(1e-3f));
    for (float[] vector : vectors) {
      assertThat(vector).hasSize(384);
      assertThat(cosine(vector, vector)).isCloseTo(1, within(1e-5));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "How do I get my money back?     | Refunds are paid within 14 days.   | The office opens at nine.",
        "Is the doctor in on Saturdays?  | The surgery is closed at weekends. | Bring the water to the boil.",
        "My laptop is very slow          | Improving a computer's performance | The contract ends in May.",
        "When may dogs go to the beach?  | Pets are allowed on the sand from October. | Parking costs two euros.",
        "cancel a subscription           | How to end your membership         | How to bake bread"
      })
  void whatMeansTheSameIsNearer(String question, String near, String far) throws Exception {
    List<float[]> vectors = embed(question, near, far).vectors();

    assertThat(cosine(vectors.get(0), vectors.get(1)))
        .isGreaterThan(cosine(vectors.get(0), vectors.get(2)) + 0.1);
  }

  @Test
  void theVectorOfATextDoesNotDependOnTheOthers() throws Exception {
    float[] alone = embed("The ferry leaves at noon.").vectors().getFirst();

    assertThat(
            embed("x".repeat(90), "The ferry leaves at noon.", "word ".repeat(200))
                .vectors()
                .get(1))
        .isEqualTo(alone);
  }

  @Test
  void countsTokensAsItsTokenizerDoes() throws Exception {
    // [CLS] the harbour master answers on v ##h ##f channel 9 . [SEP]
    assertThat(embed("hi").usage().inputTokens()).isEqualTo(3);
    assertThat(embed("hi", "unaffable").usage().inputTokens()).isEqualTo(3 + 5);
    assertThat(embed("hi").usage().estimated()).isFalse();
  }

  @Test
  void readsATextOfItsWindowAndRefusesALongerOne() throws Exception {
    String longest = "word ".repeat(254);
    assertThat(embed(longest).usage().inputTokens()).isEqualTo(256);

    assertThatThrownBy(() -> embed("hi", longest + "word"))
        .isInstanceOf(ProviderException.Refused.class)
        .hasMessage(
            "'input[1]' has 257 tokens; the maximum of 'all-minilm-l6-v2' is 256, of which 2 are its control tokens.")
        .extracting("refusal.code", "refusal.param")
        .containsExactly("context_length_exceeded", "input");
  }

  @Test
  void refusesOtherDimensionsThanItsOwn() throws Exception {
    EmbeddingRequest request = request(List.of("hi"), null);
    request.body().put("dimensions", 384);
    assertThat(provider.embed(request, MODEL).vectors().getFirst()).hasSize(384);

    request.body().put("dimensions", 256);
    assertThatThrownBy(() -> provider.embed(request, MODEL))
        .hasMessage("'dimensions' is 256; this model only supports vectors of 384 numbers.")
        .extracting("refusal.param")
        .isEqualTo("dimensions");
  }

  @Test
  void answersManyTextsInTheirOrder() throws Exception {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      texts.add("number " + i % 10);
    }

    List<float[]> vectors = provider.embed(request(texts, null), MODEL).vectors();

    assertThat(vectors).hasSize(300);
    for (int i = 0; i < 300; i++) {
      assertThat(vectors.get(i)).isEqualTo(vectors.get(i % 10));
    }
    assertThat(vectors.get(0)).isNotEqualTo(vectors.get(1));
  }

  @Test
  void answersRequestsSideBySide() throws Exception {
    float[] alone = embed("What is the capital of Italy?").vectors().getFirst();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Embeddings>> answers = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        answers.add(threads.submit(() -> embed("What is the capital of Italy?")));
      }
      for (Future<Embeddings> answer : answers) {
        assertThat(answer.get().vectors().getFirst()).isEqualTo(alone);
      }
    }
  }

  @Test
  void aShortRequestDoesNotWaitForALongOneWhichCancellationEnds() throws Exception {
    Cancellation scope = new Cancellation();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Embeddings> endless =
          threads.submit(() -> scope.call(() -> provider.embed(request(MANY, null), MODEL)));

      embed("hi");
      assertThat(endless.isDone()).isFalse();
      scope.cancel();

      assertThatThrownBy(endless::get).hasCauseInstanceOf(CancelledException.class);
    }
    assertThat(embed("hi").vectors()).hasSize(1);
  }

  @Test
  void endsWhenTheTimeIsUp() throws Exception {
    assertThatThrownBy(
            () -> provider.embed(request(MANY.subList(0, 500), Duration.ofMillis(50)), MODEL))
        .isInstanceOf(ProviderException.TimedOut.class);
    assertThat(embed("hi").vectors()).hasSize(1);
  }

  @Test
  void endsItsRequestsOnClose() throws Exception {
    LocalProvider closing = create(1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      closing.embed(request(List.of("hi"), null), MODEL);
      Future<Embeddings> endless = threads.submit(() -> closing.embed(request(MANY, null), MODEL));

      closing.close();

      assertThatThrownBy(endless::get)
          .hasCauseInstanceOf(ProviderException.Unavailable.class)
          .hasMessageContaining("The service is shutting down.");
      assertThatThrownBy(() -> closing.embed(request(List.of("hi"), null), MODEL))
          .hasMessage("The service is shutting down.");
    }
  }

  @Test
  void doesNotChat() {
    assertThat(provider.unsupported(Chats.request(MODEL, "hi")).refused())
        .containsExactly(UnsupportedFields.CHATS);
    assertThatThrownBy(() -> provider.chat(Chats.stream(Chats.request(MODEL, "hi"))))
        .isInstanceOf(ProviderException.NotFound.class)
        .hasMessage("The models inside the process are called 'all-minilm-l6-v2'.");
  }

  @Test
  void refusesListsOfTokens() {
    ObjectNode body = Json.object().put("model", MODEL);
    body.putArray("input").addArray().add(101).add(102);

    assertThat(provider.unsupported(new EmbeddingRequest(MODEL, body, null)).refused())
        .containsExactly(UnsupportedFields.TOKENS);
  }

  @Test
  void acceptsUnusualCharacters() throws Exception {
    assertThat(embed("\u0000\u0001\u001f \ud800 \" \\ \u2028 \uffff", " ").vectors())
        .allSatisfy(it -> assertThat(cosine(it, it)).isCloseTo(1, within(1e-5)));
  }
}
