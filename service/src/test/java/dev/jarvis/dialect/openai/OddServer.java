package dev.jarvis.dialect.openai;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPOutputStream;

/** A model server of both APIs that answers every chat with the same bytes, however it is asked. */
final class OddServer implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private volatile String body = "";
  private volatile Set<String> options = Set.of();

  private OddServer(HttpServer server) {
    this.server = server;
  }

  static OddServer start() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    OddServer odd = new OddServer(server);
    server.setExecutor(odd.threads);
    server.createContext("/v1/models", it -> send(it, "{\"data\":[{\"id\":\"odd\"}]}"));
    server.createContext("/api/tags", it -> send(it, "{\"models\":[{\"name\":\"odd\"}]}"));
    server.createContext("/api/ps", it -> send(it, "{\"models\":[]}"));
    server.createContext("/v1/chat/completions", odd::chat);
    server.createContext("/api/chat", odd::chat);
    server.start();
    return odd;
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
  }

  /**
   * Sets the answer.
   *
   * @param text in UTF-8, with line feeds
   * @param how to send it: gzip, br, cut, bom, cr, crlf, or json, html or event-stream as its type
   */
  void answer(String text, Set<String> how) {
    body = text;
    options = how;
  }

  private void chat(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    Set<String> how = options;
    String end = how.contains("crlf") ? "\r\n" : how.contains("cr") ? "\r" : "\n";
    byte[] bytes =
        ((how.contains("bom") ? "\uFEFF" : "") + body.replace("\n", end))
            .getBytes(StandardCharsets.UTF_8);
    if (how.contains("gzip")) {
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
        out.write(bytes);
      }
      bytes = packed.toByteArray();
      exchange.getResponseHeaders().set("Content-Encoding", "gzip");
    }
    if (how.contains("br")) {
      exchange.getResponseHeaders().set("Content-Encoding", "br");
    }
    if (how.contains("cut")) {
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(bytes);
      exchange.getResponseBody().flush();
      throw new IOException("so that the server closes the connection");
    }
    exchange.sendResponseHeaders(200, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private static void send(HttpExchange exchange, String json) throws IOException {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
