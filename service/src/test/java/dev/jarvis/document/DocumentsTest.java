package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.ollama.FakeOllama;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files from upload to citation, through the API. */
class DocumentsTest {
  private static final String OTHER = "sk-test-key-of-another";
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_API_KEYS",
                TestService.apiKeys("bob", OTHER),
                "JARVIS_DOCUMENTS_MAX_FILE_BYTES",
                "2000000",
                "JARVIS_DOCUMENTS_EXTRACT_MEMORY_MIB",
                "96"));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static JsonNode uploaded(String filename, byte[] content) {
    HttpResponse<String> response = service.upload(filename, content, "assistants");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body());
  }

  private static JsonNode uploaded(String filename, String content) {
    return uploaded(filename, content.getBytes(StandardCharsets.UTF_8));
  }

  private static JsonNode file(String id) {
    return TestService.json(service.get("/v1/files/" + id).body());
  }

  private static JsonNode awaitStatus(JsonNode file, String status) {
    String id = file.path("id").asText();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(file(id).path("status").asText()).as("%s", file(id)).isEqualTo(status));
    return file(id);
  }

  private static JsonNode search(String query, String... headers) {
    HttpResponse<String> response =
        service.post("/v1/search", "{\"query\":\"%s\"}".formatted(query), headers);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body());
  }

  private static List<String> found(JsonNode results) {
    return results.path("data").valueStream().map(it -> it.path("filename").asText()).toList();
  }

  @Test
  void findsPassagesInDocumentsOfEveryType() throws Exception {
    List<JsonNode> files =
        List.of(
            uploaded("keeper.md", Corpus.MARKDOWN),
            uploaded("ferry.html", Corpus.HTML),
            uploaded("tariff.txt", "A night in the harbour costs 14 euros for a boat of 8 m."),
            uploaded(
                "engine.pdf", Corpus.pdf("Chapter one.", "Change the impeller every 300 hours.")),
            uploaded("crew.docx", Corpus.docx("The boatswain is Yann Le Goff.")));
    files.forEach(it -> awaitStatus(it, "processed"));

    assertThat(found(search("What is the name of the keeper's cat?")).getFirst())
        .isEqualTo("keeper.md");
    assertThat(found(search("When does the ferry to Molène leave?")).getFirst())
        .isEqualTo("ferry.html");
    assertThat(found(search("How much does a night in the harbour cost?")).getFirst())
        .isEqualTo("tariff.txt");
    assertThat(found(search("Who is the boatswain?")).getFirst()).isEqualTo("crew.docx");
    JsonNode impeller = search("impeller").path("data").path(0);
    assertThat(impeller.path("filename").asText()).isEqualTo("engine.pdf");
    assertThat(impeller.path("page").asInt()).isEqualTo(2);
    assertThat(search("impeller").path("mode").asText()).isEqualTo("full_text");
    assertThat(found(search("impeller", "Authorization", "Bearer " + OTHER))).isEmpty();
    assertThat(
            service.metric(
                "documents_processed_total{media_type=\"application/pdf\",outcome=\"ok\"}"))
        .isPositive();
  }

  @Test
  void groundsAChatAndCites() {
    JsonNode file = uploaded("dog.txt", "The mayor's dog is a briard named Ulysse.");
    awaitStatus(file, "processed");
    service.ollama().answerWith("{\"role\":\"assistant\",\"content\":\"Ulysse [1].\"}");
    String body =
        """
        {"model":"%s","stream":%s,"messages":[{"role":"user","content":"What is the mayor's dog called?"}],
         "grounding":{"file_ids":["%s"]}}\
        """;
    String whole =
        service
            .chat(body.formatted(service.ollama().model(), "false", file.path("id").asText()))
            .body();
    JsonNode citation = TestService.json(whole).at("/grounding/citations/0");
    assertThat(citation.path("file_id").asText()).as(whole).isEqualTo(file.path("id").asText());
    assertThat(citation.path("text").asText()).contains("briard");
    assertThat(service.ollama().lastBody())
        .contains("briard named Ulysse")
        .doesNotContain("grounding");

    String stream =
        service
            .chat(body.formatted(service.ollama().model(), "true", file.path("id").asText()))
            .body();
    JsonNode first = TestService.json(stream.lines().findFirst().orElseThrow().substring(6));
    assertThat(first.at("/grounding/citations/0/filename").asText()).isEqualTo("dog.txt");
  }

  @Test
  void aPassageLargerThanTheBudgetIsTruncated() {
    JsonNode file = uploaded("cat.txt", "The baker's cat is a Persian named Olaf, grey and slow.");
    awaitStatus(file, "processed");
    service.ollama().answerWith("{\"role\":\"assistant\",\"content\":\"Olaf.\"}");
    String body =
        """
        {"model":"%s","messages":[{"role":"user","content":"What is the baker's cat?"}],
         "grounding":{"file_ids":["%s"],"max_tokens":5}}\
        """
            .formatted(service.ollama().model(), file.path("id").asText());
    JsonNode grounding = TestService.json(service.chat(body).body()).path("grounding");
    assertThat(grounding.at("/citations/0/text").asText()).isEqualTo("The baker's cat is a");
    assertThat(grounding.path("context_tokens").asInt()).isEqualTo(5);
  }

  @Test
  void headingsCountForTheBudgetOfAnAnswersPassages() {
    String text =
        "# Regulations of the municipal harbour\n\n## Fees\n\nA ketch pays 21 euros a night, and a yawl 14. Both pay at noon.";
    JsonNode file = uploaded("ketch.md", text);
    awaitStatus(file, "processed");
    String body =
        """
        {"model":"%s","messages":[{"role":"user","content":"What does a ketch pay?"}],
         "grounding":{"file_ids":["%s"],"max_tokens":22}}\
        """
            .formatted(service.ollama().model(), file.path("id").asText());
    JsonNode grounding = TestService.json(service.chat(body).body()).path("grounding");
    assertThat(grounding.at("/citations/0/text").asText())
        .isEqualTo("A ketch pays 21 euros a night, and a yawl 14");
    assertThat(grounding.path("context_tokens").asInt()).isEqualTo(22);
  }

  @ParameterizedTest
  @CsvSource({
    "mail.txt, 'From: bob@example.org\nSubject: Gulls\n\nThey are back.', text/plain",
    "feed.txt, '<?xml version=\"1.0\"?><a>Gulls</a>', text/plain",
    "run.md, '#!/bin/sh\necho gulls', text/markdown",
    "list.csv, 'gull,1\ntern,2', text/csv",
    "feed.xml, '<?xml version=\"1.0\"?><a>Terns</a>', application/xml",
    "note.txt, '{\\rtf1 gulls}', application/rtf",
    "form.txt, '%PDF-1.4 gulls', application/pdf",
  })
  void detectsTypesByContentAndTextFormatsByName(String name, String content, String type) {
    HttpResponse<String> response =
        service.upload(name, content.getBytes(StandardCharsets.UTF_8), "assistants");
    assertThat(response.body()).contains(type);
    assertThat(response.statusCode()).isEqualTo(200);
  }

  private static HttpResponse<String> form(String head, String... more) {
    String body =
        "--XX\r\n%s\r\n\r\nGulls.\r\n--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nassistants\r\n--XX--\r\n"
            .formatted(head);
    return service.send(
        service
            .request("/v1/files", more)
            .setHeader("Content-Type", "multipart/form-data; boundary=XX")
            .POST(BodyPublishers.ofString(body))
            .build());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Disposition: form-data; name=\"file\"; filename=\"=?UTF-8?B?A?=\"",
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
            + "Content-Type: multipart/mixed",
        "Content-Disposition: form-data; name=\"file\"",
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; filename=\"a.txt\"",
        "X: y",
        "\u0000",
      })
  void refusesBrokenForms(String head) {
    HttpResponse<String> response = form(head);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    assertThat(response.body()).contains("invalid_form");
  }

  @Test
  void limitsTheHeadersOfParts() {
    HttpResponse<String> response =
        form(
            "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nX: "
                + "x".repeat(10_000));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    assertThat(response.body()).contains("too large");
  }

  @Test
  void acceptsLongNamesOfEveryScript() {
    String name = "\u043c\u0430\u044f\u043a".repeat(60) + ".txt";
    HttpResponse<String> response =
        form("Content-Disposition: form-data; name=\"file\"; filename=\"%s\"".formatted(name));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(TestService.json(response.body()).path("filename").asText()).isEqualTo(name);
  }

  @Test
  void limitsTheBytesOfAUser() throws Exception {
    try (TestService small = TestService.start(Map.of("JARVIS_DOCUMENTS_MAX_USER_MIB", "1"))) {
      byte[] large = "gulls ".repeat(200_000).getBytes(StandardCharsets.UTF_8);
      assertThat(small.upload("a.txt", large, "assistants").statusCode()).isEqualTo(200);
      HttpResponse<String> refused =
          small.upload("b.txt", "More.".getBytes(StandardCharsets.UTF_8), "assistants");
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(refused.body()).contains("too_many_bytes", "1048576");
    }
  }

  @Test
  void storesTheSameContentOnce() {
    JsonNode first = uploaded("a.txt", "The same words twice.");
    JsonNode second = uploaded("b.txt", "The same words twice.");
    assertThat(second.path("id")).isEqualTo(first.path("id"));
    assertThat(second.path("duplicate").asBoolean()).isTrue();
    assertThat(first.path("duplicate").asBoolean()).isFalse();
  }

  @Test
  void hidesFilesFromOtherUsers() {
    JsonNode file = uploaded("../../etc/pass\u0007wd.txt", "Private notes about nothing.");
    String path = "/v1/files/" + file.path("id").asText();
    assertThat(file.path("filename").asText()).isEqualTo("passwd.txt");
    String[] other = {"Authorization", "Bearer " + OTHER};
    assertThat(service.get(path, other).statusCode()).isEqualTo(404);
    assertThat(service.get(path + "/content", other).statusCode()).isEqualTo(404);
    assertThat(service.post(path + "/retry", "", other).statusCode()).isEqualTo(404);
    String id = file.path("id").asText();
    assertThat(
            service
                .post(
                    "/v1/search",
                    "{\"query\":\"notes\",\"file_ids\":[\"%s\"]}".formatted(id),
                    other)
                .statusCode())
        .isEqualTo(404);
    String chat =
        """
        {"model":"%s","messages":[{"role":"user","content":"notes"}],"grounding":{"file_ids":["%s"]}}\
        """
            .formatted(service.ollama().model(), id);
    assertThat(service.chat(chat, other).body()).contains("file_not_found");
    assertThat(service.get("/v1/files", other).body()).doesNotContain(file.path("id").asText());
    assertThat(service.get(path + "/content").body()).isEqualTo("Private notes about nothing.");

    HttpRequest delete = service.request(path).DELETE().build();
    assertThat(service.send(delete).body()).contains("\"deleted\":true");
    assertThat(service.get(path).statusCode()).isEqualTo(404);
    assertThat(service.send(delete).statusCode()).isEqualTo(404);
  }

  @Test
  void listsInPages() {
    List<String> ids =
        List.of(
            uploaded("p1.txt", "Page one of three.").path("id").asText(),
            uploaded("p2.txt", "Page two of three.").path("id").asText(),
            uploaded("p3.txt", "Page three of three.").path("id").asText());
    JsonNode page =
        TestService.json(service.get("/v1/files?order=asc&limit=2&after=" + ids.getFirst()).body());
    assertThat(page.path("data").findValuesAsText("id")).containsExactly(ids.get(1), ids.get(2));
    service.send(service.request("/v1/files/" + ids.get(1)).DELETE().build());
    JsonNode next = TestService.json(service.get("/v1/files?order=asc&after=" + ids.get(1)).body());
    assertThat(next.path("data").findValuesAsText("id"))
        .as("the page after a file that was deleted meanwhile")
        .contains(ids.get(2))
        .doesNotContain(ids.getFirst());
    assertThat(service.get("/v1/files?after=x").statusCode()).isEqualTo(400);
    assertThat(service.get("/v1/files?limit=0").statusCode()).isEqualTo(400);
    assertThat(service.get("/v1/files?order=up").statusCode()).isEqualTo(400);
  }

  @Test
  void refusesInvalidUploadsWithTheReason() throws Exception {
    assertThat(
            service
                .upload(
                    "a.png", new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10}, "assistants")
                .body())
        .contains("unsupported_media_type", "The file is an image", ".pdf");
    assertThat(service.upload("bad.txt", new byte[0], "assistants").body()).contains("empty_file");
    assertThat(service.upload("bad.txt", "Text.".getBytes(StandardCharsets.UTF_8), "batch").body())
        .contains("'purpose' is 'batch'", "user_data");
    HttpResponse<String> large =
        service.upload(
            "a.txt", "a ".repeat(1_100_000).getBytes(StandardCharsets.UTF_8), "assistants");
    assertThat(large.statusCode()).isEqualTo(413);
    assertThat(large.body()).contains("2000000 bytes");
    HttpResponse<String> huge =
        service.upload(
            "a.txt", "a ".repeat(20_000_000).getBytes(StandardCharsets.UTF_8), "assistants");
    assertThat(huge.statusCode()).isEqualTo(413);
    assertThat(huge.body()).contains("body_too_large", " bytes");
    assertThat(service.post("/v1/files", "{}").body()).contains("multipart/form-data");
    assertThat(service.get("/v1/files").body()).doesNotContain("a.png", "bad.txt");
  }

  @Test
  void rejectsAnUnreadableFileUntilItsUserRetries() throws Exception {
    JsonNode failed = awaitStatus(uploaded("locked.pdf", Corpus.encryptedPdf()), "error");
    assertThat(failed.at("/processing/error/code").asText()).isEqualTo("encrypted");
    assertThat(failed.path("status_details").asText()).contains("password");
    String id = failed.path("id").asText();
    assertThat(
            service
                .post("/v1/search", "{\"query\":\"x\",\"file_ids\":[\"%s\"]}".formatted(id))
                .body())
        .contains("file_failed");
    JsonNode again = TestService.json(service.post("/v1/files/" + id + "/retry", "").body());
    assertThat(again.path("status").asText()).isEqualTo("uploaded");
    awaitStatus(again, "error");
  }

  @Test
  void searchesByMeaningWithAModelAndByWordsWhileItIsUnavailable() throws Exception {
    try (TestService hybrid =
        TestService.start(Map.of("JARVIS_DOCUMENTS_EMBEDDING_MODEL", service.ollama().model()))) {
      hybrid.ollama().embedWith("{\"embeddings\":[[0.6,0.8]],\"prompt_eval_count\":3}");
      HttpResponse<String> sent =
          hybrid.upload(
              "a.txt", "Purple elephants.".getBytes(StandardCharsets.UTF_8), "assistants");
      String id = TestService.json(sent.body()).path("id").asText();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> hybrid.get("/v1/files/" + id).body().contains("\"status\":\"processed\""));
      String question = "{\"query\":\"violet pachyderms\"}";
      JsonNode found = TestService.json(hybrid.post("/v1/search", question).body());
      assertThat(found.path("mode").asText()).isEqualTo("hybrid");
      assertThat(found(found)).containsExactly("a.txt");

      hybrid.ollama().stallBeforeHeaders();
      JsonNode impatient = TestService.json(hybrid.post("/v1/search", question).body());
      assertThat(impatient.path("mode").asText()).isEqualTo("full_text");

      hybrid.ollama().reset();
      hybrid.ollama().embedWith("{}");
      JsonNode byWords = TestService.json(hybrid.post("/v1/search", question).body());
      assertThat(byWords.path("mode").asText()).isEqualTo("full_text");
      assertThat(found(byWords)).isEmpty();
    }
  }

  @Test
  void aModelServerThatHangsIsReplacedByTheNextTargetOfItsRoute() throws Exception {
    String vector = "{\"embeddings\":[[0.6,0.8]],\"prompt_eval_count\":3}";
    try (FakeOllama second = FakeOllama.start();
        TestService hybrid =
            TestService.startWith(
                """
                providers: {second: {type: ollama, url: "%s"}}
                routes:
                  - name: vectors
                    targets:
                      - {provider: ollama, model: "fake:1b", priority: 1}
                      - {provider: second, model: "fake:1b", priority: 2}
                documents: {embedding-model: vectors}
                """
                    .formatted(second.uri()))) {
      second.embedWith(vector);
      hybrid.ollama().embedWith(vector);
      byte[] text = "Purple elephants.".getBytes(StandardCharsets.UTF_8);
      String id =
          TestService.json(hybrid.upload("a.txt", text, "assistants").body()).path("id").asText();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> hybrid.get("/v1/files/" + id).body().contains("\"status\":\"processed\""));

      hybrid.ollama().stallBeforeHeaders();
      JsonNode found =
          TestService.json(hybrid.post("/v1/search", "{\"query\":\"violet pachyderms\"}").body());
      assertThat(found.path("mode").asText()).isEqualTo("hybrid");
      assertThat(found(found)).containsExactly("a.txt");
    }
  }
}
