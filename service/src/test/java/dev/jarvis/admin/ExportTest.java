package dev.jarvis.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The archive with everything about a user. */
class ExportTest {
  private static final String KEY = "sk-test-key-of-the-member-called-bob";
  private static final String[] AS_BOB = {"Authorization", "Bearer " + KEY};

  private static TestService service;
  private static AdminClient admin;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_API_KEYS",
                TestService.apiKeys("bob", KEY),
                "JARVIS_DOCUMENTS_EXTRACT_MEMORY_MIB",
                "96"));
    admin = new AdminClient(service);
    admin.configured("admin", "admin");
    admin.configured("bob", "member");
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static Map<String, String> export(String user) throws Exception {
    HttpResponse<byte[]> response =
        HttpClient.newHttpClient()
            .send(
                service.request("/v1/admin/users/%s/export".formatted(user)).GET().build(),
                BodyHandlers.ofByteArray());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/zip");
    assertThat(response.headers().firstValue("Cache-Control")).hasValue("no-store");
    return unzipped(response.body());
  }

  private static Map<String, String> unzipped(byte[] archive) throws IOException {
    Map<String, String> files = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive), UTF_8)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), new String(zip.readAllBytes(), UTF_8));
      }
    }
    return files;
  }

  private static String text(Map<String, String> files, String name) {
    return requireNonNull(files.get(name), name);
  }

  private static List<JsonNode> lines(String ndjson) {
    return ndjson.lines().map(TestService::json).toList();
  }

  @Test
  void containsEverythingOfTheUserAndNothingOfOthers() throws Exception {
    admin.call("PATCH /v1/admin/users/bob {\"name\":\"Bob\"}");
    JsonNode key = admin.call("POST /v1/admin/keys {\"user_id\":\"bob\",\"name\":\"laptop\"}");
    String first = upload("../notes/a:b.txt", "Ulysse is a dog.", AS_BOB);
    String second = upload("b.txt", "The ferry leaves at nine.", AS_BOB);
    String others = upload("c.txt", "A file of the administrator.");
    String chat =
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
            .formatted(service.ollama().model());
    assertThat(service.chat(chat, AS_BOB).statusCode()).isEqualTo(200);
    assertThat(service.chat(chat).statusCode()).isEqualTo(200);
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> admin.rows("SELECT id FROM ledger_entries").size() >= 2);

    Map<String, String> files = export("bob");

    assertThat(files)
        .containsOnlyKeys(
            "user.json",
            "keys.json",
            "files.json",
            "requests.ndjson",
            "audit.ndjson",
            "files/%s-a_b.txt".formatted(first),
            "files/%s-b.txt".formatted(second));
    assertThat(files.get("files/%s-b.txt".formatted(second)))
        .isEqualTo("The ferry leaves at nine.");
    assertThat(TestService.json(text(files, "user.json")).path("name").asText()).isEqualTo("Bob");
    assertThat(TestService.json(text(files, "keys.json")).findValuesAsText("name"))
        .containsExactly("laptop");
    assertThat(TestService.json(text(files, "files.json")).findValuesAsText("id"))
        .containsExactly(first, second)
        .doesNotContain(others);
    assertThat(lines(text(files, "requests.ndjson")))
        .isNotEmpty()
        .allSatisfy(it -> assertThat(it.path("user_id").asText()).isEqualTo("bob"))
        .allSatisfy(it -> assertThat(it.path("attempts").path(0).path("number").asInt()).isOne());
    assertThat(lines(text(files, "audit.ndjson")))
        .extracting(it -> it.path("action").asText())
        .containsExactly("user.update", "key.create", "user.export");
    String text = key.path("key").asText();
    assertThat(files.toString())
        .doesNotContain(text.substring(text.length() - 43), "sha256\":null");
  }

  private static String upload(String name, String content, String... headers) {
    HttpResponse<String> response =
        service.upload(name, content.getBytes(UTF_8), "assistants", headers);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body()).path("id").asText();
  }

  @Test
  void anObjectThatCannotBeReadIsNamedAndTheRestIsThere() throws Exception {
    admin.call("POST /v1/admin/users {\"id\":\"lost\"}");
    admin.execute(
        """
        INSERT INTO documents (id, user_id, filename, purpose, media_type, bytes, sha256, stage, state, due_at, upload_trace)
        SELECT gen_random_uuid(), 'lost', 'f' || i, 'assistants', 'text/plain', 5, CAST(i AS text), 'index', 'done', now(), ''
        FROM generate_series(1, 450) AS i""");

    Map<String, String> files = export("lost");

    assertThat(TestService.json(text(files, "files.json"))).hasSize(450);
    JsonNode errors = TestService.json(text(files, "errors.json"));
    assertThat(errors.path("errors")).hasSize(450);
    assertThat(errors.at("/errors/0/error").asText())
        .isEqualTo("could not be read from the object store");
    assertThat(errors.path("omitted").asInt()).isZero();
  }

  @Test
  void aRequestForTheHeadReadsNothing() {
    admin.call("POST /v1/admin/users {\"id\":\"headless\"}");
    int before = admin.rows("SELECT id FROM admin_audit").size();

    HttpResponse<String> response =
        service.send(
            service
                .request("/v1/admin/users/headless/export")
                .method("HEAD", BodyPublishers.noBody())
                .build());

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/zip");
    assertThat(admin.rows("SELECT id FROM admin_audit")).hasSize(before);
  }
}
