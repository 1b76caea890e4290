package dev.jarvis.http;

import dev.jarvis.GoldenFile;
import dev.jarvis.TestService;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/openapi.json}: the document with the default limits, to review changes of the API.
 */
class OpenApiGoldenTest {
  @Test
  void theDocumentIsTheOneThatWasReviewed() throws IOException {
    String document = TestService.shared().routes().document().toPrettyString();

    GoldenFile.check("docs/openapi.json", document + "\n");
  }
}
