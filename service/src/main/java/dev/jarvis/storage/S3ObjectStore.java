package dev.jarvis.storage;

import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.ClientOperation.Target;
import dev.jarvis.telemetry.Telemetry;
import io.minio.BucketExistsArgs;
import io.minio.GetObjectArgs;
import io.minio.Http;
import io.minio.MakeBucketArgs;
import io.minio.MinioAsyncClient;
import io.minio.RemoveObjectArgs;
import io.minio.errors.ErrorResponseException;
import io.minio.errors.MinioException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import okhttp3.Dispatcher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A bucket of an S3 service such as SeaweedFS or MinIO. */
public final class S3ObjectStore implements ObjectStore {
  private static final Logger LOG = LoggerFactory.getLogger(S3ObjectStore.class);
  private static final Duration RETRY_PERIOD = Duration.ofSeconds(2);

  /** OkHttp's default is five per host; further calls would wait without a limit. */
  private static final int MAX_CONCURRENT_CALLS = 64;

  private final MinioAsyncClient client;
  private final String bucket;
  private final Telemetry telemetry;
  private volatile boolean closed;

  private S3ObjectStore(MinioAsyncClient client, String bucket, Telemetry telemetry) {
    this.client = client;
    this.bucket = bucket;
    this.telemetry = telemetry;
  }

  public static S3ObjectStore open(ObjectStoreConfig config, Telemetry telemetry) {
    Dispatcher dispatcher = new Dispatcher();
    dispatcher.setMaxRequests(MAX_CONCURRENT_CALLS);
    dispatcher.setMaxRequestsPerHost(MAX_CONCURRENT_CALLS);
    MinioAsyncClient client =
        MinioAsyncClient.builder()
            .endpoint(Objects.requireNonNull(config.endpoint()).uri().toString())
            .credentials(
                Objects.requireNonNull(config.accessKey()).value(),
                Objects.requireNonNull(config.secretKey()).value())
            .httpClient(Http.newDefaultClient().newBuilder().dispatcher(dispatcher).build(), true)
            .build();
    long millis = config.timeout().toMillis();
    client.setTimeout(millis, millis, millis);
    S3ObjectStore store = new S3ObjectStore(client, config.bucket(), telemetry);
    store.start();
    return store;
  }

  private void start() {
    try {
      boolean exists = traced("HeadBucket", this::bucketExists);
      if (!exists) {
        traced("CreateBucket", this::makeBucket);
      }
    } catch (MinioException | IOException | RuntimeException e) {
      LOG.atWarn()
          .addKeyValue("error", reason(e))
          .log("the object store's bucket is unavailable; retrying in the background");
      Thread.ofVirtual().name("object-store-bucket").start(this::keepMakingBucket);
    }
  }

  /** Without spans, because each would be a separate trace. */
  private void keepMakingBucket() {
    while (!closed) {
      try {
        Thread.sleep(RETRY_PERIOD);
        if (bucketExists() || makeBucket()) {
          LOG.info("the object store's bucket is available");
          return;
        }
      } catch (MinioException | IOException | RuntimeException e) {
        LOG.atDebug()
            .addKeyValue("error", reason(e))
            .log("the object store's bucket is still unavailable");
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private interface Call<T> {
    T send() throws MinioException, IOException;
  }

  /** Waits for a response; the client's timeouts limit the wait. */
  static <T> T await(CompletableFuture<T> response) throws MinioException, IOException {
    try {
      return response.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof MinioException failure) {
        throw failure;
      }
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      response.cancel(true);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  private <T> T traced(String name, Call<T> call) throws MinioException, IOException {
    ClientOperation operation = telemetry.operation(Target.OBJECT_STORE, name);
    try {
      T result = call.send();
      operation.end();
      return result;
    } catch (MinioException | IOException | RuntimeException e) {
      operation.end(e);
      throw e;
    }
  }

  /** The service's error code, because the client's messages hold the whole request. */
  private static String reason(Exception error) {
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root instanceof ErrorResponseException refused
        ? refused.errorResponse().code()
        : String.valueOf(root.getMessage());
  }

  private boolean bucketExists() throws MinioException, IOException {
    return await(client.bucketExists(BucketExistsArgs.builder().bucket(bucket).build()));
  }

  private boolean makeBucket() throws MinioException, IOException {
    await(client.makeBucket(MakeBucketArgs.builder().bucket(bucket).build()));
    return true;
  }

  @Override
  public void put(String key, InputStream content) throws IOException {
    send(
        "PutObject",
        key,
        () -> {
          new MultipartUpload(client, bucket, key).store(content);
          return key;
        });
  }

  @Override
  public InputStream get(String key) throws IOException {
    return send(
        "GetObject",
        key,
        () -> await(client.getObject(GetObjectArgs.builder().bucket(bucket).object(key).build())));
  }

  @Override
  public void delete(String key) throws IOException {
    send(
        "DeleteObject",
        key,
        () -> {
          await(client.removeObject(RemoveObjectArgs.builder().bucket(bucket).object(key).build()));
          return key;
        });
  }

  /** Turns the client's many kinds of exceptions into one, with the service's error code. */
  private <T> T send(String name, String key, Call<T> call) throws IOException {
    try {
      return traced(name, call);
    } catch (MinioException | IOException | RuntimeException e) {
      String reason = reason(e);
      if (reason.equals("NoSuchKey")) {
        throw (IOException) new NoSuchFileException(key).initCause(e);
      }
      throw new IOException("the object store failed: " + reason, e);
    }
  }

  @Override
  public void check() throws MinioException, IOException {
    if (!bucketExists()) {
      throw new IOException("the object store has no bucket " + bucket);
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    try {
      client.close();
    } catch (Exception e) {
      throw new IOException("the object store's client was not closed cleanly", e);
    }
  }
}
