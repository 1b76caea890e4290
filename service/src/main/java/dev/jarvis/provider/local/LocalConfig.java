package dev.jarvis.provider.local;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Range;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The built-in provider {@value #NAME}: models inside the process. */
public record LocalConfig(
    @Doc("Path of a GGUF file. Empty: no local model.") @Nullable Path model,
    @Doc("Public name of the model. Empty: the file's name without quantisation and extension.")
        @Nullable String name,
    @Doc("Maximum number of tokens of question and answer together.")
        @Default("2048")
        @Range(min = 128, max = 1 << 20)
        int contextTokens,
    @Doc("Threads that compute. 0: one for each core.") @Default("0") @Range(max = 1_024)
        int threads,
    @Doc("Maximum number of requests that wait for the model.")
        @Default("16")
        @Range(min = 1, max = 10_000)
        int queueLimit,
    @Doc("How long a request may wait.") @Default("30s") Duration queueTimeout,
    @Doc(
            "Maximum number of tokens of an answer, unless the request sets it; small models may never end on their own.")
        @Default("512")
        @Range(min = 1, max = 1 << 20)
        int maxTokens,
    @Inline Sampling sampling,
    @Inline EmbeddingKeys embeddings)
    implements Checked {
  /** Its name in routes, prices and telemetry. */
  public static final String NAME = "local";

  /** How the next token is chosen, unless the request says otherwise. */
  public record Sampling(
      @Doc(
              "Temperature of an answer, unless the request sets it; a small model rambles at the usual 0.8.")
          @Default("0.1")
          @Range(max = 2)
          BigDecimal temperature,
      @Doc("Only the most probable tokens with this total probability, unless the request sets it.")
          @Default("0.9")
          @Range(max = 1)
          BigDecimal topP,
      @Doc(
              "Divides the score of the tokens that appeared before, so that a small model does not repeat itself. 1: off.")
          @Default("1.1")
          @Range(min = 1, max = 2)
          BigDecimal repeatPenalty) {}

  /** The model for embeddings. */
  public record EmbeddingKeys(
      @Doc(
              "A model for embeddings inside this process; all-minilm-l6-v2 is for English, and reads 256 tokens. Loaded when it is used first. Empty: none, unless documents.embedding-model names it.")
          @Nullable EmbeddingModel embeddingModel,
      @Doc("Threads that compute embeddings, each of one text. 0: one for every two cores.")
          @Default("0")
          @Range(max = 1_024)
          int embeddingThreads) {

    int threadCount() {
      return embeddingThreads > 0
          ? embeddingThreads
          : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }
  }

  @Override
  public void check(Problems problems) {
    if (model != null && !Files.isReadable(model)) {
      problems.add("model", "must be a readable file.");
    }
    if (model != null && EmbeddingModel.of(modelName()).isPresent()) {
      problems.add("name", "is the name of an embedding model; choose another.");
    }
  }

  /** The model's file. */
  Path gguf() {
    return Objects.requireNonNull(model, "no local model is configured");
  }

  /** The model's name, for example {@code smollm2-135m-instruct}. */
  public String modelName() {
    return name != null
        ? name
        : gguf()
            .getFileName()
            .toString()
            .replaceFirst("(?i)\\.gguf$", "")
            .replaceFirst("(?i)[.-](I?Q\\d\\w*|B?F16|F32)$", "")
            .toLowerCase(Locale.ROOT);
  }

  /** The same with an embedding model. */
  public LocalConfig withEmbeddings(EmbeddingModel embeddingModel) {
    return new LocalConfig(
        model,
        name,
        contextTokens,
        threads,
        queueLimit,
        queueTimeout,
        maxTokens,
        sampling,
        new EmbeddingKeys(embeddingModel, embeddings.embeddingThreads));
  }

  /** The names of the models; empty if there are none. */
  public List<String> models() {
    List<String> models = new ArrayList<>();
    if (model != null) {
      models.add(modelName());
    }
    if (embeddings.embeddingModel != null) {
      models.add(embeddings.embeddingModel.id());
    }
    return models;
  }

  boolean isChatModel(String it) {
    return model != null && modelName().equals(it);
  }

  boolean isEmbeddingModel(String it) {
    return embeddings.embeddingModel != null && embeddings.embeddingModel.id().equals(it);
  }

  int threadCount() {
    return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
  }
}
