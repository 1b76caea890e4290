package dev.jarvis.http;

/** {@code GET /openapi.json}: the API as an OpenAPI 3.1 document. */
public final class OpenApiRoutes {
  private OpenApiRoutes() {}

  public static void register(Routes routes) {
    routes.add(
        Endpoint.get("/openapi.json", Access.ANYBODY)
            .operation("operation", "openapi", "Describes this API.")
            .answer(200, "An OpenAPI 3.1 document.", "http/OpenApiDocument"),
        (request, response) -> JsonResponse.send(response, routes.document()));
  }
}
