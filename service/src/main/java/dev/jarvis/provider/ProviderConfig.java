package dev.jarvis.provider;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;

/** A configured provider: its type and its server. */
public record ProviderConfig(
    @Doc("The server's API; openai is any OpenAI-compatible server.") ProviderFactory type,
    @Inline ModelServerConfig server)
    implements Checked {

  @Override
  public void check(Problems problems) {
    if (!type.type().equals("ollama") && !server.loading().equals(ModelLoading.DEFAULT)) {
      problems.add(
          "type",
          "must be ollama where num-ctx, max-num-ctx, keep-alive or max-keep-alive is set.");
    }
  }
}
