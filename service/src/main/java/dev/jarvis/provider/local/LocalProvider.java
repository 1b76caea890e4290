package dev.jarvis.provider.local;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model inside the process. All native calls are made by one platform thread; requests wait in
 * its bounded queue, first come, first served.
 */
public final class LocalProvider implements Provider {
  private static final Logger LOG = LoggerFactory.getLogger(LocalProvider.class);

  /** A full context is evaluated in less than a minute on two cores. */
  private static final Duration FIRST_TOKEN_LIMIT = Duration.ofMinutes(2);

  private static final Duration BETWEEN_TOKENS_LIMIT = Duration.ofSeconds(60);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

  private final LocalConfig config;
  private final LocalModel model;
  private final ThreadPoolExecutor thread;
  private volatile boolean closing;
  private volatile @Nullable LocalStream current;

  /**
   * Loads the model, which takes about a second.
   *
   * @throws IOException if the weights are missing or invalid, or llama.cpp does not run here
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
            model.close(); // only after the last answer
          }
        };
  }

  @Override
  public String name() {
    return LocalConfig.NAME;
  }

  @Override
  public String type() {
    return LocalConfig.NAME;
  }

  @Override
  public ModelList models() throws ProviderException {
    if (closing) {
      throw shuttingDown();
    }
    return ModelList.listed(List.of(config.modelName()));
  }

  @Override
  public EventSource chat(ProviderRequest request) throws ProviderException {
    ChatRequest chat = request.chat();
    if (!chat.model().equals(config.modelName())) {
      throw new ProviderException.NotFound(
          "The in-process model is called '%s'.".formatted(config.modelName()));
    }
    LocalStream stream =
        new LocalStream(
            ModelServerClient.shorter(FIRST_TOKEN_LIMIT, request.limit()), BETWEEN_TOKENS_LIMIT);
    Runnable task = () -> answer(chat, stream);
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      throw closing
          ? shuttingDown()
          : new ProviderException.Busy(
              "Too many requests wait for the model; the maximum is %d."
                  .formatted(config.queueLimit()));
    }
    try {
      if (!stream.awaitStart(config.queueTimeout())) {
        throw new ProviderException.Busy(
            "The model was busy for " + config.queueTimeout().toMillis() + " ms.");
      }
    } finally {
      thread.remove(task); // if it timed out
    }
    return stream;
  }

  /** Always true: it generates token by token. */
  @Override
  public boolean streams(boolean wanted) {
    return true;
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return UnsupportedFields.of(request, LocalModel.HONOURED, FieldPolicy.DEFAULT);
  }

  /** Known exactly; what does not fit is refused. */
  @Override
  public OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
    return OptionalInt.of(config.contextTokens());
  }

  /** Not supported: the model is loaded for chats. */
  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    throw new ProviderException.Refused(
        "The model inside the process does not support embeddings.");
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return new UnsupportedFields(List.of(UnsupportedFields.EMBEDDINGS), List.of());
  }

  /** Cancels all answers and waits up to five seconds until the model's thread has ended. */
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
        LOG.atWarn().log("the local model did not stop in time");
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
