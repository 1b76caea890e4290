package dev.jarvis.provider.local;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model inside the process. All native calls are made by one platform thread, whose queue is
 * the requests' queue: first come, first served, and none beyond the bound.
 */
public final class LocalProvider implements Provider {
  private static final Logger LOG = LoggerFactory.getLogger(LocalProvider.class);

  /** A full context is read in less than a minute on two cores. */
  private static final Duration FIRST_TOKEN_LIMIT = Duration.ofMinutes(2);

  private static final Duration BETWEEN_TOKENS_LIMIT = Duration.ofSeconds(60);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

  private final LocalConfig config;
  private final LocalModel model;
  private final ThreadPoolExecutor thread;
  private volatile boolean closing;
  private volatile @Nullable LocalStream current;

  /**
   * Loads the model: takes a second or so.
   *
   * @throws IOException if the weights are absent or unfit, or llama.cpp does not run here
   */
  public LocalProvider(LocalConfig config) throws IOException {
    this.config = config;
    this.model = new LocalModel(config);
    this.thread =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(config.queueLimit()),
            Thread.ofPlatform().daemon().name("local-model").factory()) {
          @Override
          protected void terminated() {
            // After the last answer, whenever that ends.
            model.close();
          }
        };
  }

  @Override
  public String name() {
    return "local";
  }

  @Override
  public List<String> models() throws ProviderException {
    if (closing) {
      throw shuttingDown();
    }
    return List.of(config.modelName());
  }

  @Override
  public EventSource chat(ProviderRequest ask) throws ProviderException {
    ChatRequest request = ask.request();
    if (!request.model().equals(config.modelName())) {
      throw new ProviderException.NotFound("There is no such model in the process.");
    }
    LocalStream stream =
        new LocalStream(
            ModelServerClient.shorter(FIRST_TOKEN_LIMIT, ask.limit()), BETWEEN_TOKENS_LIMIT);
    Runnable turn = () -> answer(request, stream);
    try {
      thread.execute(turn);
    } catch (RejectedExecutionException e) {
      throw closing
          ? shuttingDown()
          : new ProviderException.Busy("Too many requests wait for the model already.");
    }
    try {
      if (!stream.awaitTurn(config.queueTimeout())) {
        throw new ProviderException.Busy(
            "The model was busy for " + config.queueTimeout().toMillis() + " ms.");
      }
    } finally {
      // Removes a request that waited in vain from the queue.
      thread.remove(turn);
    }
    return stream;
  }

  /** It writes token by token in any case. */
  @Override
  public boolean streams(boolean wanted) {
    return true;
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return UnsupportedFields.of(request, LocalModel.HONOURED, FieldPolicy.DEFAULT);
  }

  /** It makes none: what was loaded to chat cannot embed. */
  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    throw new ProviderException.Refused("The model inside the process makes no embeddings.");
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return new UnsupportedFields(List.of("embeddings"), List.of());
  }

  /** Cancels all answers and waits five seconds at most until the model's thread has ended. */
  @Override
  public void close() {
    closing = true;
    LocalStream running = current;
    if (running != null) {
      running.close();
    }
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        LOG.atWarn().log("local model still busy at close");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(ChatRequest request, LocalStream stream) {
    if (!stream.begin()) {
      return;
    }
    current = stream;
    try {
      if (closing) {
        throw shuttingDown();
      }
      model.answer(request, stream);
    } catch (ProviderException e) {
      stream.fail(e);
    } catch (RuntimeException e) {
      stream.fail(new ProviderException.Unavailable("The model failed.", e, true));
    } finally {
      current = null;
    }
  }

  private static ProviderException shuttingDown() {
    return new ProviderException.Unavailable("The service is shutting down.", null);
  }
}
