package dev.jarvis;

import dev.jarvis.document.EmbeddingWindow;
import dev.jarvis.provider.local.EmbeddingModel;
import dev.jarvis.provider.local.LocalProvider;

/** What the embedding model inside the process reads of a document's passage. */
record LocalWindow(EmbeddingModel model, LocalProvider provider) implements EmbeddingWindow {

  @Override
  public int tokens() {
    return model.textTokens();
  }

  @Override
  public int count(String text) {
    return provider.tokenizer().count(text);
  }

  @Override
  public int fit(String text, int maxTokens) {
    return provider.tokenizer().fit(text, maxTokens);
  }
}
