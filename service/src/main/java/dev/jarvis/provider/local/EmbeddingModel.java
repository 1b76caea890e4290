package dev.jarvis.provider.local;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An embedding model whose weights are on the class path. */
public enum EmbeddingModel {
  /**
   * <a href="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2">Sentence Transformers'
   * model</a>, quantised to 8 bits; for English.
   */
  ALL_MINILM_L6_V2("all-minilm-l6-v2-q", 384, 256);

  /** The control tokens at the beginning and the end of each text. */
  static final int CONTROL_TOKENS = 2;

  private final String resource;
  private final int dimensions;
  private final int window;

  EmbeddingModel(String resource, int dimensions, int window) {
    this.resource = resource;
    this.dimensions = dimensions;
    this.window = window;
  }

  /** Returns the model of a name, if there is one. */
  public static Optional<EmbeddingModel> of(@Nullable String id) {
    return Arrays.stream(values()).filter(it -> it.id().equals(id)).findFirst();
  }

  /** The public name, for example {@code all-minilm-l6-v2}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The maximum number of tokens of a text, without its control tokens. */
  public int textTokens() {
    return window - CONTROL_TOKENS;
  }

  /** The maximum number of tokens of a text, with its control tokens. */
  int window() {
    return window;
  }

  int dimensions() {
    return dimensions;
  }

  String weights() {
    return "/" + resource + ".onnx";
  }

  String vocabulary() {
    return "/" + resource + "-tokenizer.json";
  }
}
