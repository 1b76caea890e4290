package dev.jarvis.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** Handles requests whose body is a JSON object that the endpoint's schema has accepted. */
@FunctionalInterface
public interface JsonHandler {
  void handle(ObjectNode body, ServerRequest request, ServerResponse response) throws Exception;
}
