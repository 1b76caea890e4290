package dev.jarvis.provider.local;

import ai.onnxruntime.OrtException;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An embedding model inside the process, loaded when it is used first. A few threads compute a text
 * each; a request has as many texts in their queue as there are threads, so that a short request
 * need not wait for a long one.
 */
final class LocalEmbeddings implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LocalEmbeddings.class);

  /** Longer than 2048 texts take on one core. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

  /** Before another attempt to load the model, which unpacks native code and then its weights. */
  private static final Duration RELOAD_PAUSE = Duration.ofMinutes(1);

  /** Requests at once. */
  private static final int MAX_REQUESTS = 256;

  /** Loads a model. */
  interface Loader {
    SentenceEncoder load(EmbeddingModel model) throws IOException;
  }

  private final EmbeddingModel model;
  private final Loader loader;
  private final int threadCount;
  private final ExecutorService threads;
  private final Semaphore requests = new Semaphore(MAX_REQUESTS);
  private @Nullable WordPieces tokenizer; // guarded by this
  private @Nullable IOException failure; // of the last attempt to load it, guarded by this
  private long failedAt; // guarded by this
  private volatile @Nullable SentenceEncoder encoder; // written under the lock of this

  /**
   * @param threads the number of threads that compute
   */
  LocalEmbeddings(EmbeddingModel model, int threads) {
    this(model, threads, SentenceEncoder::new);
  }

  LocalEmbeddings(EmbeddingModel model, int threads, Loader loader) {
    this.model = model;
    this.loader = loader;
    this.threadCount = threads;
    this.threads =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("local-embeddings-", 0).factory());
  }

  /**
   * Computes vectors of length 1.
   *
   * @throws ProviderException if a text is too long, or the model cannot be loaded
   */
  Embeddings embed(EmbeddingRequest request) throws ProviderException {
    long start = System.nanoTime();
    Embeddings.checkDimensions(request, model.dimensions());
    Duration limit = ModelServerClient.shorter(LIMIT, request.limit());
    if (!requests.tryAcquire()) {
      throw ProviderException.Busy.inProcess(
          "Too many requests use the embedding model; the maximum is %d.".formatted(MAX_REQUESTS));
    }
    try {
      List<int[]> texts = pieces(request);
      SentenceEncoder loaded = encoder();
      long ready = System.nanoTime();
      List<float[]> vectors = compute(loaded, texts, start + limit.toNanos());
      int tokens = texts.stream().mapToInt(it -> it.length + EmbeddingModel.CONTROL_TOKENS).sum();
      Duration load = Duration.ofNanos(ready - start);
      Duration total = Duration.ofNanos(System.nanoTime() - ready);
      return new Embeddings(
          vectors, Usage.counted(tokens, 0), new Timings(load, total, Duration.ZERO));
    } finally {
      requests.release();
    }
  }

  private List<int[]> pieces(EmbeddingRequest request) throws ProviderException {
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < request.inputs().size(); i++) {
      int[] pieces = tokenizer().encode(request.inputs().get(i).asText());
      if (pieces.length > model.textTokens()) {
        throw new ProviderException.Refused(
            "'input[%d]' has %d tokens; the maximum of '%s' is %d, of which %d are its control tokens."
                .formatted(
                    i,
                    pieces.length + EmbeddingModel.CONTROL_TOKENS,
                    model.id(),
                    model.window(),
                    EmbeddingModel.CONTROL_TOKENS),
            ProviderException.Refusal.contextTooLong("input"),
            null);
      }
      texts.add(pieces);
    }
    return texts;
  }

  /** Reads the vocabulary, unless that was done before. */
  synchronized WordPieces tokenizer() {
    if (tokenizer == null) {
      try {
        tokenizer = WordPieces.read(model);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return tokenizer;
  }

  boolean loaded() {
    return encoder != null;
  }

  private synchronized SentenceEncoder encoder() throws ProviderException {
    SentenceEncoder loaded = encoder;
    if (loaded == null) {
      if (threads.isShutdown()) {
        throw LocalChats.shuttingDown();
      }
      if (failure != null && System.nanoTime() - failedAt < RELOAD_PAUSE.toNanos()) {
        throw cannotBeLoaded(failure);
      }
      try {
        loaded = loader.load(model);
        encoder = loaded;
      } catch (IOException e) {
        failure = e;
        failedAt = System.nanoTime();
        LOG.atError().setCause(e).log("the embedding model cannot be loaded");
        throw cannotBeLoaded(e);
      }
      LOG.atInfo().addKeyValue("model", model.id()).log("the embedding model is loaded");
    }
    return loaded;
  }

  private ProviderException cannotBeLoaded(IOException cause) {
    return new ProviderException.Unavailable(
        "The embedding model '%s' cannot be loaded.".formatted(model.id()), cause);
  }

  private List<float[]> compute(SentenceEncoder loaded, List<int[]> texts, long deadline)
      throws ProviderException {
    Cancellation scope = Cancellation.current();
    Deque<Future<float[]>> running = new ArrayDeque<>();
    List<float[]> vectors = new ArrayList<>();
    try {
      for (int[] text : texts) {
        if (running.size() == threadCount) {
          vectors.add(result(running.removeFirst(), scope, deadline));
        }
        running.add(threads.submit(() -> loaded.encode(text)));
      }
      while (!running.isEmpty()) {
        vectors.add(result(running.removeFirst(), scope, deadline));
      }
      return vectors;
    } catch (RejectedExecutionException e) {
      throw LocalChats.shuttingDown();
    } finally {
      running.forEach(it -> it.cancel(false));
    }
  }

  private float[] result(Future<float[]> text, Cancellation scope, long deadline)
      throws ProviderException {
    try (Cancellation.Registration ignored = scope.onCancel(() -> text.cancel(false))) {
      return text.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (CancellationException e) {
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      throw LocalChats.shuttingDown();
    } catch (ExecutionException e) {
      throw new ProviderException.Unavailable("The embedding model failed.", e.getCause(), true);
    } catch (TimeoutException e) {
      text.cancel(false);
      throw new ProviderException.TimedOut("The embedding model was not done in time.", e);
    } catch (InterruptedException e) {
      text.cancel(false);
      Thread.currentThread().interrupt();
      throw new CancelledException();
    }
  }

  /** Ends waiting requests, and frees the model when the texts that are computed now are done. */
  @Override
  public void close() {
    threads.shutdownNow().forEach(it -> ((Future<?>) it).cancel(false));
    try {
      if (!threads.awaitTermination(CLOSE_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        LOG.atWarn().log("the embedding model did not stop in time");
        return;
      }
      synchronized (this) {
        SentenceEncoder loaded = encoder;
        if (loaded != null) {
          loaded.close();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (OrtException e) {
      LOG.atWarn().setCause(e).log("the embedding model could not be closed");
    }
  }
}
