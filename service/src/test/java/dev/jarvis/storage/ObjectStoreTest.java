package dev.jarvis.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.jarvis.config.Configs;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObjectStoreTest {
  @TempDir Path home;
  private Telemetry telemetry;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
  }

  @AfterEach
  void stop() {
    telemetry.close();
  }

  @Test
  void storesObjectsOnTheLocalDiskByDefault() throws Exception {
    ObjectStoreConfig config = Configs.of(ObjectStoreConfig.class, Map.of());
    try (ObjectStore store = Stores.objects(config, home, telemetry)) {
      assertThatCode(store::check).doesNotThrowAnyException();
      Files.delete(home.resolve("objects/jarvis"));
      assertThatThrownBy(store::check).isInstanceOf(IOException.class);
    }
  }

  @Test
  void createsTheBucketOfAnS3ServiceAndChecksIt() throws Exception {
    try (S3Fake s3 = new S3Fake(0);
        ObjectStore store = Stores.objects(s3.config(), home, telemetry)) {
      assertThat(s3.calls).contains("PUT");
      assertThat(Recorded.spans())
          .extracting(SpanData::getName)
          .containsExactly("S3 HeadBucket", "S3 CreateBucket");
      assertThat(Recorded.value(Metric.OBJECT_STORE_OPERATION_DURATION, "CreateBucket"))
          .hasValue(1L);

      store.check();
      assertThat(Recorded.spans()).hasSize(2);

      s3.bucketExists = false;
      assertThatThrownBy(store::check).hasMessageContaining("no bucket jarvis");
    }
  }

  @Test
  void startsWithoutTheS3ServiceAndCreatesTheBucketLater() throws Exception {
    ObjectStoreConfig config;
    int port;
    try (S3Fake gone = new S3Fake(0)) {
      config = gone.config();
      port = gone.port();
    }
    try (ObjectStore store = Stores.objects(config, home, telemetry)) {
      assertThatThrownBy(store::check).isInstanceOf(Exception.class);
      try (S3Fake s3 = new S3Fake(port)) {
        await()
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(() -> assertThat(s3.calls).contains("PUT"));
        assertThatCode(store::check).doesNotThrowAnyException();
      }
      // of the start; later attempts have none
      assertThat(Recorded.spans()).hasSize(1);
    }
  }

  /** An S3 service with one bucket that does not verify signatures. */
  private static final class S3Fake implements AutoCloseable {
    private final HttpServer server;
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private volatile boolean bucketExists;

    S3Fake(int port) throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10);
      server.createContext("/jarvis", this::answer);
      server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
      calls.add(exchange.getRequestMethod());
      exchange.getRequestBody().readAllBytes();
      bucketExists |= exchange.getRequestMethod().equals("PUT");
      String body =
          switch (exchange.getRequestMethod()) {
            case "GET" ->
                bucketExists ? "<LocationConstraint/>" : "<Error><Code>NoSuchBucket</Code></Error>";
            default -> "";
          };
      exchange.getResponseHeaders().add("Content-Type", "application/xml");
      byte[] bytes = body.getBytes(UTF_8);
      exchange.sendResponseHeaders(bucketExists ? 200 : 404, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    }

    int port() {
      return server.getAddress().getPort();
    }

    ObjectStoreConfig config() {
      return Configs.of(
          ObjectStoreConfig.class,
          Map.of(
              "endpoint", "http://127.0.0.1:" + port(),
              "access-key", "access",
              "secret-key", "secret",
              "timeout", "20s"));
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
