import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** A model server without latency, so that the time of a request is the gateway's. Run with {@code java MockOllama.java PORT}. */
class MockOllama {
  private static final int PIECES = 20;

  public static void main(String[] args) throws IOException {
    System.setProperty("sun.net.httpserver.nodelay", "true");
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
    HttpServer server = HttpServer.create(address, 1024);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/api/tags", it -> send(it, "{\"models\":[{\"name\":\"mock\"}]}"));
    server.createContext("/api/chat", MockOllama::chat);
    server.start();
  }

  private static void chat(HttpExchange exchange) throws IOException {
    String request = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    send(exchange, request.replace(" ", "").contains("\"stream\":false") ? whole() : stream());
  }

  private static String whole() {
    return "{\"message\":{\"role\":\"assistant\",\"content\":\"" + "word ".repeat(PIECES) + "\"},\"done\":true,"
        + "\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":" + PIECES + "}\n";
  }

  private static String stream() {
    return "{\"message\":{\"role\":\"assistant\",\"content\":\"word \"},\"done\":false}\n".repeat(PIECES)
        + "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":"
        + PIECES
        + "}\n";
  }

  private static void send(HttpExchange exchange, String body) throws IOException {
    exchange.getRequestBody().readAllBytes();
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }
}
