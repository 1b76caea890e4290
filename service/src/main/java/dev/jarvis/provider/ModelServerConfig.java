package dev.jarvis.provider;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.EntryName;
import dev.jarvis.config.HttpUrl;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a model server is and how it is asked.
 *
 * @param name the provider's name in routes, prices and telemetry
 */
public record ModelServerConfig(
    @EntryName String name,
    @Doc("Base URL of the server; of an OpenAI-compatible one with its path, usually /v1.")
        HttpUrl url,
    @Doc("Sent as bearer token. Empty: none.") @Nullable Secret apiKey,
    @Doc("How long the list of models may take.") @Default("10s") Duration listTimeout,
    @Doc(MODELS_DOC) List<String> models,
    @Inline Timeouts timeouts,
    @Doc(AskMode.DOC) @Default(AskMode.DEFAULT) AskMode ask,
    @Inline ModelLoading loading,
    @Inline FieldPolicy fields)
    implements Checked {
  /** Describes the key, for each kind of provider that has it. */
  public static final String MODELS_DOC =
      "The models of the server, as comma-separated names: for a server that does not list them, or to use only some of them. Empty: those that the server lists.";

  public ModelServerConfig {
    models = List.copyOf(models);
  }

  @Override
  public void check(Problems problems) {
    checkModels(models, problems);
  }

  /** Checks the names of models, for each kind of provider that has the key. */
  public static void checkModels(List<String> models, Problems problems) {
    if (models.size() > ModelList.LIMIT) {
      problems.add(
          "models",
          "names %d models; the maximum is %d.".formatted(models.size(), ModelList.LIMIT));
    }
    if (!models.stream().allMatch(ModelList::isValidName)) {
      problems.add(
          "models",
          "must be comma-separated names of 1 to 200 characters without control characters.");
    }
  }

  /** Whether streams are requested of the server. */
  public enum AskMode {
    /** If the client requests one. */
    AS_ASKED,
    /** Always. */
    STREAM;

    /** Describes the key, for each kind of provider that has it. */
    public static final String DOC =
        "as-asked: requests a stream if the client does, and a whole answer otherwise. stream: always requests a stream.";

    public static final String DEFAULT = "as-asked";
  }

  /** How long a server may take. */
  public record Timeouts(
      @Doc("How long connecting may take.") @Default("2s") Duration connectTimeout,
      @Doc(
              "How long the first token of a stream may take; the server may have to load the model first.")
          @Default("120s")
          Duration firstTokenTimeout,
      @Doc("How long each further token may take.") @Default("60s") Duration betweenTokensTimeout,
      @Doc("How long a whole answer may take.") @Default("10m") Duration answerTimeout) {}

  /** Whether a stream is requested of the server even if the client wants a whole answer. */
  public boolean alwaysStreams() {
    return ask == AskMode.STREAM;
  }

  URI endpoint(String path) {
    String base = url.uri().toString();
    return URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + path);
  }

  URI endpointBesideApi(String path) {
    return URI.create(url.uri().toString().replaceFirst("/v1/?$|/$", "") + path);
  }

  /** Without the key, and without what else a URL may hold of secrets. */
  @Override
  public String toString() {
    return name + " at " + url;
  }
}
