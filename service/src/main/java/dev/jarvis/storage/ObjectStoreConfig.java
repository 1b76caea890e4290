package dev.jarvis.storage;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where objects are kept.
 *
 * @param endpoint URL of an S3 service; null for a folder on the local disk
 * @param accessKey needed with an endpoint
 * @param secretKey needed with an endpoint
 * @param bucket made at start if it is not there
 * @param timeout limit of connecting, and of each wait for the service to go on
 */
public record ObjectStoreConfig(
    @Nullable String endpoint,
    @Nullable String accessKey,
    @Nullable String secretKey,
    String bucket,
    Duration timeout) {

  /** Without the keys and the URL, which may hold some. */
  @Override
  public String toString() {
    return "ObjectStoreConfig[endpoint=%s, bucket=%s, timeout=%s]"
        .formatted(endpoint == null ? "embedded" : "given", bucket, timeout);
  }
}
