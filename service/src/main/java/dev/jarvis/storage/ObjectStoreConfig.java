package dev.jarvis.storage;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.HttpUrl;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Secret;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where objects are stored. */
public record ObjectStoreConfig(
    @Doc("URL of an S3 service. Empty: a folder on the local disk.") @Nullable HttpUrl endpoint,
    @Doc("Required with an endpoint.") @Nullable Secret accessKey,
    @Doc("Required with an endpoint.") @Nullable Secret secretKey,
    @Doc("Created at start if it does not exist.") @Default("jarvis") String bucket,
    @Doc("Limit of connecting, and of each wait for the service to continue.") @Default("5s")
        Duration timeout)
    implements Checked {

  @Override
  public void check(Problems problems) {
    if (endpoint != null && accessKey == null) {
      problems.add("access-key", "must be set, because s3.endpoint is.");
    }
    if (endpoint != null && secretKey == null) {
      problems.add("secret-key", "must be set, because s3.endpoint is.");
    }
  }
}
