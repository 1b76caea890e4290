package dev.jarvis.provider;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import java.util.List;

/** A provider that supports every request and answers none; tests override what they need. */
public abstract class StubProvider implements Provider {
  private final String name;

  protected StubProvider(String name) {
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String type() {
    return "stub";
  }

  @Override
  public ModelList models() throws ProviderException {
    return ModelList.listed(List.of());
  }

  @Override
  public EventSource chat(ProviderRequest request) throws ProviderException {
    throw new AssertionError("no model must be asked");
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return UnsupportedFields.NONE;
  }

  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    throw new AssertionError("no model must be asked");
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return UnsupportedFields.NONE;
  }

  @Override
  public void close() {}
}
