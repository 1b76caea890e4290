package dev.jarvis.provider.local;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The models inside the process: one for chats, one for embeddings, or both. */
public final class LocalProvider implements Provider {
  private final LocalConfig config;
  private final @Nullable LocalChats chats;
  private final @Nullable LocalEmbeddings embeddings;
  private volatile boolean closing;

  /**
   * Loads the chat model, which takes about a second; the embedding model when it is used first.
   *
   * @throws IOException if the weights are missing or invalid, or llama.cpp does not run here
   */
  public LocalProvider(LocalConfig config) throws IOException {
    this.config = config;
    EmbeddingModel embedding = config.embeddings().embeddingModel();
    chats = config.model() == null ? null : new LocalChats(config);
    embeddings =
        embedding == null
            ? null
            : new LocalEmbeddings(embedding, config.embeddings().threadCount());
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
      throw LocalChats.shuttingDown();
    }
    return ModelList.listed(config.models());
  }

  @Override
  public EventSource chat(ProviderRequest request) throws ProviderException {
    if (chats == null || !config.isChatModel(request.chat().model())) {
      throw notFound();
    }
    return chats.chat(request);
  }

  private ProviderException notFound() {
    return new ProviderException.NotFound(
        "The models inside the process are called '%s'."
            .formatted(String.join("', '", config.models())));
  }

  /** Always true: it generates token by token. */
  @Override
  public boolean streams(boolean wanted) {
    return true;
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return config.isEmbeddingModel(request.model())
        ? new UnsupportedFields(List.of(UnsupportedFields.CHATS), List.of())
        : UnsupportedFields.of(request, LocalModel.HONOURED, FieldPolicy.DEFAULT);
  }

  /** Known exactly; what does not fit is refused. */
  @Override
  public OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
    return OptionalInt.of(config.contextTokens());
  }

  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    if (embeddings == null || !config.isEmbeddingModel(request.model())) {
      throw notFound();
    }
    return embeddings.embed(request);
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return config.isEmbeddingModel(request.model())
        ? UnsupportedFields.of(request, FieldPolicy.DEFAULT)
        : new UnsupportedFields(List.of(UnsupportedFields.EMBEDDINGS), List.of());
  }

  @Override
  public Optional<Boolean> loaded(String model) {
    return embeddings != null && config.isEmbeddingModel(model)
        ? Optional.of(embeddings.loaded())
        : Optional.empty();
  }

  /** The tokenizer of the embedding model, which must be configured. */
  public WordPieces tokenizer() {
    if (embeddings == null) {
      throw new IllegalStateException("no embedding model is configured");
    }
    return embeddings.tokenizer();
  }

  /** Cancels all requests and waits some seconds until the models' threads have ended. */
  @Override
  public void close() {
    closing = true;
    if (chats != null) {
      chats.close();
    }
    if (embeddings != null) {
      embeddings.close();
    }
  }
}
