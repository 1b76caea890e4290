package dev.jarvis.provider;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How an Ollama server is asked to load models, and how far clients may choose it. */
public record ModelLoading(
    @Doc(
            "Ollama's num_ctx, the tokens of the context window, for requests that do not set it. 0: as the model or the server is configured. Ollama loads a model again if it changes.")
        @Default("0")
        @Range(max = MAX_TOKENS)
        int numCtx,
    @Doc("The largest num_ctx that a request may set. 0: what the model was trained with.")
        @Default("0")
        @Range(max = MAX_TOKENS)
        int maxNumCtx,
    @Doc(
            "Ollama's keep_alive, how long it keeps an idle model in memory, for requests that do not set it. Empty: as the server is configured.")
        @Range
        @Nullable Duration keepAlive,
    @Doc("The longest keep_alive that a request may set.") @Default("1h") @Range
        Duration maxKeepAlive) {

  static final int MAX_TOKENS = 1 << 24;

  /** Without settings. */
  public static final ModelLoading DEFAULT = new ModelLoading(0, 0, null, Duration.ofHours(1));
}
