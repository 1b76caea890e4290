package dev.jarvis.provider.ollama;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.HttpUrl;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelLoading;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ModelServerConfig.AskMode;
import dev.jarvis.provider.ModelServerConfig.Timeouts;
import dev.jarvis.provider.ProviderConfig;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The built-in provider {@value #NAME}: an Ollama server. */
public record OllamaConfig(
    @Doc("Base URL of the server. Empty: none.") @Nullable HttpUrl url,
    @Doc("How long the list of models may take.") @Default("2s") Duration listTimeout,
    @Doc(ModelServerConfig.MODELS_DOC) List<String> models,
    @Inline Timeouts timeouts,
    @Doc(AskMode.DOC) @Default(AskMode.DEFAULT) AskMode ask,
    @Inline ModelLoading loading)
    implements Checked {
  /** Its name in routes, prices and telemetry. */
  public static final String NAME = "ollama";

  public OllamaConfig {
    models = List.copyOf(models);
  }

  @Override
  public void check(Problems problems) {
    ModelServerConfig.checkModels(models, problems);
  }

  /** The provider, if there is a URL. */
  public Optional<ProviderConfig> provider() {
    return Optional.ofNullable(url)
        .map(
            it ->
                new ProviderConfig(
                    OllamaProvider.FACTORY,
                    new ModelServerConfig(
                        NAME,
                        it,
                        null,
                        listTimeout,
                        models,
                        timeouts,
                        ask,
                        loading,
                        FieldPolicy.DEFAULT)));
  }
}
