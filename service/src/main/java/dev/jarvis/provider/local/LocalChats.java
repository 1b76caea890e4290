package dev.jarvis.provider.local;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A chat model inside the process. All native calls are made by one platform thread; requests wait
 * in its bounded queue, first come, first served.
 */
final class LocalChats implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LocalChats.class);

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
  LocalChats(LocalConfig config) throws IOException {
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

  /**
   * Opens an answer.
   *
   * @throws ProviderException if the model is busy, or the service shuts down
   */
  EventSource chat(ProviderRequest request) throws ProviderException {
    ChatRequest chat = request.chat();
    LocalStream stream =
        new LocalStream(
            ModelServerClient.shorter(FIRST_TOKEN_LIMIT, request.limit()), BETWEEN_TOKENS_LIMIT);
    Runnable task = () -> answer(chat, stream);
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      throw closing
          ? shuttingDown()
          : ProviderException.Busy.inProcess(
              "Too many requests wait for the model; the maximum is %d."
                  .formatted(config.queueLimit()));
    }
    try {
      if (!stream.awaitStart(config.queueTimeout())) {
        throw ProviderException.Busy.inProcess(
            "The model was busy for " + config.queueTimeout().toMillis() + " ms.");
      }
    } finally {
      thread.remove(task); // if it timed out
    }
    return stream;
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

  static ProviderException shuttingDown() {
    return new ProviderException.Unavailable("The service is shutting down.", null);
  }
}
