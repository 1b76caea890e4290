package dev.jarvis.routing;

import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ProviderException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs what changes in a provider's listings, and each oddity of its list once. */
final class ListingLog {
  private static final Logger LOG = LoggerFactory.getLogger(ModelListing.class);

  private final String provider;
  private List<ModelListNotice> known = List.of();

  ListingLog(String provider) {
    this.provider = provider;
  }

  /**
   * Logs a listing; called by one thread at a time.
   *
   * @param wasUp whether the provider was up before
   * @param failure null if it is up
   */
  void listed(boolean wasUp, @Nullable ProviderException failure, ModelList models) {
    if (failure != null) {
      if (wasUp) {
        down(failure);
      }
      return;
    }
    if (!wasUp) {
      LOG.atInfo().addKeyValue("provider", provider).log("model provider is up again");
    }
    List<ModelListNotice> notices = ModelListNotice.of(models);
    for (ModelListNotice notice : notices) {
      if (known.stream().noneMatch(it -> it.kind() == notice.kind())) {
        LOG.atWarn()
            .addKeyValue("provider", provider)
            .addKeyValue("reason", notice.text())
            .log("model provider's list is incomplete");
      }
    }
    known = notices;
  }

  private void down(ProviderException failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    LOG.atWarn()
        .addKeyValue("provider", provider)
        .addKeyValue("reason", failure.getMessage())
        .addKeyValue("cause", cause.toString())
        .log("model provider is down");
  }
}
