package dev.jarvis.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.SharedBuffers;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** {@code GET /openapi.json}: what clients may ask, as an OpenAPI 3.1 document. */
public final class OpenApiRoutes {
  private static final String DOCUMENT = "/openapi.json";

  private final ObjectNode document;

  /**
   * Reads the document, which is a resource of the same name.
   *
   * @throws IOException if it is no JSON
   */
  public OpenApiRoutes(String version) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(OpenApiRoutes.class.getResourceAsStream(DOCUMENT))) {
      document = (ObjectNode) SharedBuffers.mapper().readTree(in);
    }
    document.withObject("/info").put("version", version);
  }

  public void register(Routes routes) {
    routes.get(DOCUMENT, Routes.Access.ANYBODY, this::document);
  }

  private void document(ServerRequest request, ServerResponse response) {
    JsonResponse.send(response, document);
  }
}
