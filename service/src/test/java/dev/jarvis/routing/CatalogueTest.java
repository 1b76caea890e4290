package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.StubProvider;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(120)
class CatalogueTest {
  private static final Duration FAST = Duration.ofMillis(50);
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Duration NEVER = Duration.ofHours(1);

  private final Listing one = new Listing("one", "a", "b:latest");
  private final Listing two = new Listing("two", "a", "c");

  /** A provider with scripted models. */
  private static final class Listing extends StubProvider {
    private final AtomicInteger asked = new AtomicInteger();
    private volatile List<String> models;
    private volatile List<String> configured = List.of();
    private volatile @Nullable ProviderException failure;
    private volatile @Nullable ModelList list;
    private volatile boolean down;
    private volatile CountDownLatch answers = new CountDownLatch(0);

    Listing(String name, String... models) {
      super(name);
      this.models = List.of(models);
    }

    @Override
    public ModelList models() throws ProviderException {
      asked.incrementAndGet();
      try {
        answers.await();
      } catch (InterruptedException e) {
        throw new ProviderException.Unavailable("Interrupted.", e);
      }
      if (down) {
        throw new ProviderException.Unavailable("Down.", null);
      }
      ProviderException scripted = failure;
      if (scripted != null) {
        throw scripted;
      }
      ModelList other = list;
      return other == null ? ModelList.listed(models) : other;
    }

    @Override
    public List<String> configuredModels() {
      return configured;
    }
  }

  @Test
  void findsModelsInTheOrderOfTheProviders() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one, two), NEVER)) {
      assertThat(models.find("a")).contains(new Catalogue.Target(one, "a"));
      assertThat(models.find("c")).contains(new Catalogue.Target(two, "c"));
      assertThat(models.list())
          .extracting(Catalogue.Target::model)
          .containsExactly("a", "b:latest", "c");
    }
  }

  @Test
  void findsTheLatestTagForANameWithoutTag() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one), NEVER)) {
      assertThat(models.find("b")).contains(new Catalogue.Target(one, "b:latest"));
      assertThat(models.find("b:1b")).isEmpty();
    }
  }

  @Test
  void doesNotAskProvidersForKnownNames() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one), NEVER)) {
      for (int i = 0; i < 1000; i++) {
        models.find("a");
      }
      assertThat(one.asked).hasValue(1);
    }
  }

  @Test
  void asksAProviderAtMostOnceASecondForUnknownNames() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one), NEVER);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      long start = System.nanoTime();
      var misses =
          IntStream.range(0, 1000)
              .mapToObj(i -> threads.submit(() -> models.find("no" + i)))
              .toList();
      for (var miss : misses) {
        assertThat(miss.get()).isEmpty();
      }
      long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds();
      assertThat(one.asked.get()).isLessThanOrEqualTo((int) (2 + seconds));
    }
  }

  @Test
  void findsANewModel() {
    try (Catalogue models = new Catalogue(List.of(one), NEVER)) {
      one.models = List.of("new");

      await().atMost(LIMIT).until(() -> !models.find("new").isEmpty());
      assertThat(models.list()).extracting(Catalogue.Target::model).containsExactly("new");
    }
  }

  @Test
  void doesNotWaitLongForASlowProvider() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one, two), NEVER)) {
      one.answers = new CountDownLatch(1);
      one.models = List.of("late");
      two.models = List.of("new");

      await().atMost(LIMIT).until(() -> !models.find("new").isEmpty());
      assertThat(one.asked).as("listings, the second in progress").hasValue(2);
      long start = System.nanoTime();
      for (int i = 0; i < 100; i++) {
        assertThat(models.find("no" + i)).isEmpty();
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .as("one wait shared by all requests")
          .isLessThan(Duration.ofSeconds(10));
      assertThat(one.asked).hasValue(2);

      one.answers.countDown();
      await().atMost(LIMIT).until(() -> models.list().size() == 2);
      assertThat(models.find("late")).as("a late listing is used").hasSize(1);
    }
  }

  @Test
  void refreshesTheModelsInTheBackground() {
    try (Catalogue models = new Catalogue(List.of(one), FAST)) {
      one.models = List.of("new");

      await().atMost(LIMIT).until(() -> models.list().size() == 1);
    }
  }

  @Test
  void keepsTheModelsOfAProviderThatIsDown() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one, two), FAST)) {
      one.down = true;
      two.down = true;
      await().atMost(LIMIT).until(() -> fails(models));

      assertThat(models.find("a")).hasSize(2);
      assertThatThrownBy(() -> models.find("junk"))
          .isInstanceOf(ProviderException.Unavailable.class);

      two.down = false;
      await().atMost(LIMIT).ignoreExceptions().until(() -> models.find("junk").isEmpty());
      await().atMost(LIMIT).until(() -> !fails(models));
    }
  }

  @Test
  void hasTheConfiguredModelsOfAProviderThatNeverAnswered() throws Exception {
    one.configured = List.of("x");
    one.down = true;
    try (Catalogue models = new Catalogue(List.of(one, two), NEVER)) {
      assertThat(models.find("x")).containsExactly(new Catalogue.Target(one, "x"));
      assertThat(models.list()).extracting(Catalogue.Target::model).contains("x");
      assertThat(models.up(one)).isFalse();
    }
  }

  @Test
  void doesNotAskForUnknownNamesIfTheModelsAreConfigured() throws Exception {
    one.list = ModelList.configured(List.of("x"));
    try (Catalogue models = new Catalogue(List.of(one), Duration.ofSeconds(2))) {
      await().atMost(LIMIT).until(() -> one.asked.get() >= 2);
      int asked = one.asked.get();
      assertThat(models.find("junk")).isEmpty();
      assertThat(one.asked.get()).isLessThanOrEqualTo(asked + 1);
    }
  }

  @Test
  void keepsABusyProviderUp() throws Exception {
    try (Catalogue models = new Catalogue(List.of(one), FAST)) {
      one.failure = new ProviderException.Busy("Busy.");
      int asked = one.asked.get();
      await().atMost(LIMIT).until(() -> one.asked.get() > asked + 2);

      assertThat(models.up(one)).isTrue();
      assertThat(models.find("a")).hasSize(1);
    }
  }

  @Test
  void reportsTheStates() {
    one.list = ModelList.none("The server lists no models (status 404).");
    two.failure =
        new ProviderException.Unavailable(
            "The model server cannot be reached.",
            new ConnectException("10.0.0.1:8080 refused, key sk-abcdefghijkl"));
    try (Catalogue models = new Catalogue(List.of(one, two), NEVER)) {
      ProviderState first = models.states().getFirst();
      assertThat(first.up()).isTrue();
      assertThat(first.reason()).isNull();
      assertThat(first.notices()).singleElement().asString().contains("status 404", "'models'");
      assertThat(models.mayHave(new Catalogue.Target(one, "any"))).isTrue();

      ProviderState second = models.states().getLast();
      assertThat(second.up()).isFalse();
      assertThat(second.reason())
          .isEqualTo("The model server cannot be reached. (ConnectException)");
      assertThat(second.since()).isEqualTo(second.checked()).isNotNull();
      assertThat(models.up()).isEqualTo(Map.of("one", 1L, "two", 0L));
    }
  }

  @Test
  void tellsOnceThatAListIsIncomplete() {
    one.models =
        Stream.concat(Stream.of("bad\n", " "), IntStream.range(0, 1500).mapToObj(Integer::toString))
            .toList();
    Logger logger = (Logger) LoggerFactory.getLogger(ModelListing.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.list = new CopyOnWriteArrayList<>();
    lines.start();
    logger.addAppender(lines);
    try (Catalogue models = new Catalogue(List.of(one), FAST)) {
      await().atMost(LIMIT).until(() -> one.asked.get() > 3);

      assertThat(models.list()).hasSize(1000);
      assertThat(models.states().getFirst().notices())
          .hasSize(2)
          .anyMatch(it -> it.contains("1500 models; the first 1000"))
          .anyMatch(it -> it.contains("2 entries"));
      assertThat(lines.list)
          .filteredOn(it -> it.getMessage().contains("incomplete"))
          .as("warnings, one for each kind")
          .hasSize(2);
    } finally {
      logger.detachAppender(lines);
    }
  }

  @Test
  void passesTheCheckWhileOneProviderAnswers() {
    one.down = true;
    try (Catalogue models = new Catalogue(List.of(one, two), NEVER)) {
      assertThatCode(models::check).doesNotThrowAnyException();
    }
    two.down = true;
    try (Catalogue models = new Catalogue(List.of(one, two), NEVER)) {
      assertThatThrownBy(models::check).isInstanceOf(ProviderException.Unavailable.class);
    }
  }

  @Test
  void failsTheCheckIfTheListingIsTooOld() {
    Catalogue models = new Catalogue(List.of(one), FAST);
    models.close(); // ends the listings

    await().atMost(LIMIT).until(() -> fails(models));
  }

  @Test
  void limitsLabelsToTheFirstHundredModels() throws Exception {
    one.models = IntStream.range(0, 150).mapToObj(i -> "m" + i).toList();
    try (Catalogue models = new Catalogue(List.of(one), NEVER)) {
      models.find("junk");

      assertThat(models.label("m0")).isEqualTo("m0");
      assertThat(models.label("m99")).isEqualTo("m99");
      assertThat(models.label("m100")).isEqualTo("_other");
      assertThat(models.label("junk")).isEqualTo("_other");
      assertThat(models.find("m100")).as("a model without label").hasSize(1);
    }
  }

  @Test
  void callsListenersOnceForEachModel() {
    List<String> seen = new CopyOnWriteArrayList<>();
    try (Catalogue models = new Catalogue(List.of(one, two), FAST)) {
      models.onDiscovered(target -> seen.add(target.provider().name() + " " + target.model()));
      assertThat(seen).containsExactlyInAnyOrder("one a", "one b:latest", "two a", "two c");

      one.models = List.of("a", "new");
      await().atMost(LIMIT).until(() -> seen.contains("one new"));
      int asked = one.asked.get();
      await().atMost(LIMIT).until(() -> one.asked.get() > asked + 2);
      assertThat(seen).hasSize(5);
    }
  }

  @Test
  void survivesAListenerThatFails() {
    List<String> seen = new CopyOnWriteArrayList<>();
    try (Catalogue models = new Catalogue(List.of(one), FAST)) {
      models.onDiscovered(
          target -> {
            if (target.model().equals("new")) {
              throw new IllegalStateException("a bug");
            }
          });
      models.onDiscovered(target -> seen.add(target.model()));

      one.models = List.of("new");
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.contains("new"));
      one.models = List.of("newer");
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.contains("newer"));
    }
  }

  private static boolean fails(Catalogue models) {
    try {
      models.check();
      return false;
    } catch (ProviderException e) {
      return true;
    }
  }
}
