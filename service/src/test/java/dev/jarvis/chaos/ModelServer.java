package dev.jarvis.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model server with Ollama's API that generates a token at a time as the prompt says, counts
 * exactly what it has generated for which request, and reports it. It stops when its client has
 * left. Thread-safe.
 *
 * <p>A prompt is the request id of the call, the number of tokens and the milliseconds for each:
 * {@code 17:model-half 40 5}.
 */
final class ModelServer implements AutoCloseable {
  static final String CHEAP = "cheap:1b";
  static final String DEAR = "dear:1b";

  /** Refuses every request. */
  static final String BUSY = "busy:1b";

  private static final int INPUT_TOKENS = 11;
  private static final Pattern LENGTH = Pattern.compile("(?i)content-length: *(\\d+)");
  private static final Pattern PROMPT = Pattern.compile("\"content\":\"([^ \"]+) (\\d+) (\\d+)\"");
  private static final Pattern MODEL = Pattern.compile("\"model\":\"([^\"]+)\"");

  private final Gate gate;
  private final ServerSocket server = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
  private final Queue<Generation> generations = new ConcurrentLinkedQueue<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  /** What it has done for one request. */
  static final class Generation {
    private final String requestId;
    private final String model;
    private final AtomicInteger output = new AtomicInteger();
    private volatile boolean reported;

    Generation(String requestId, String model) {
      this.requestId = requestId;
      this.model = model;
    }

    String requestId() {
      return requestId;
    }

    String model() {
      return model;
    }

    int input() {
      return INPUT_TOKENS;
    }

    /** The tokens that it has generated so far. */
    int output() {
      return output.get();
    }

    /** Whether it has sent the counts. */
    boolean reported() {
      return reported;
    }
  }

  ModelServer(Gate gate) throws IOException {
    this.gate = gate;
    Thread.ofVirtual().name("model-server").start(this::accept);
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  List<Generation> generations() {
    return List.copyOf(generations);
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        socket.setTcpNoDelay(true);
        sockets.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      while (true) {
        String head = head(in);
        Matcher length = LENGTH.matcher(head);
        String body = length.find() ? body(in, Integer.parseInt(length.group(1))) : "";
        if (head.startsWith("POST /api/chat ")) {
          chat(socket, body);
        } else if (head.startsWith("GET /api/tags ")) {
          send(socket, 200, TAGS);
        } else {
          send(socket, 404, "{}");
        }
      }
    } catch (IOException e) {
      // the client has left
    } finally {
      sockets.remove(socket);
    }
  }

  private static final String TAGS =
      "{\"models\":[{\"name\":\"%s\"},{\"name\":\"%s\"},{\"name\":\"%s\"}]}"
          .formatted(CHEAP, DEAR, BUSY);

  private void chat(Socket socket, String body) throws IOException {
    String model = first(MODEL, body).group(1);
    Matcher prompt = first(PROMPT, body);
    if (model.equals(BUSY)) {
      send(socket, 503, "{\"error\":\"server busy, please try again\"}");
      return;
    }
    Generation generation = new Generation(prompt.group(1), model);
    generations.add(generation);
    int tokens = Integer.parseInt(prompt.group(2));
    int pause = Integer.parseInt(prompt.group(3));
    boolean whole = body.contains("\"stream\":false");
    hold(socket, generation, Moment.ASKED);
    if (!whole) {
      write(
          socket,
          "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    for (int i = 1; i <= tokens; i++) {
      rest(socket, pause);
      if (!whole) {
        chunk(socket, "{\"message\":{\"role\":\"assistant\",\"content\":\"w \"},\"done\":false}\n");
      }
      generation.output.set(i);
      if (i == tokens / 2) {
        hold(socket, generation, Moment.HALF);
      }
    }
    String end =
        """
        {"message":{"role":"assistant","content":"%s"},"done":true,"done_reason":"stop",\
        "prompt_eval_count":%d,"eval_count":%d}
        """
            .formatted(whole ? "w ".repeat(tokens) : "", INPUT_TOKENS, tokens);
    generation.reported = true; // before: the client may be counted from then on
    if (whole) {
      send(socket, 200, end);
      hold(socket, generation, Moment.SENT);
    } else {
      chunk(socket, end);
      hold(socket, generation, Moment.SENT);
      write(socket, "0\r\n\r\n");
    }
  }

  private void hold(Socket socket, Generation generation, String moment) throws IOException {
    if (generation.requestId.endsWith(":" + moment)) {
      gate.await(generation.requestId);
      rest(socket, 1); // the client may have left
    }
  }

  private static Matcher first(Pattern pattern, String body) throws IOException {
    Matcher matcher = pattern.matcher(body);
    if (!matcher.find()) {
      throw new IOException("not a request of these tests: " + body);
    }
    return matcher;
  }

  /** Waits; throws as soon as the client has left. */
  private static void rest(Socket socket, int millis) throws IOException {
    if (millis == 0) {
      return;
    }
    socket.setSoTimeout(millis);
    try {
      int ignored = socket.getInputStream().read(); // the client sends nothing here
      throw new EOFException("the client has left");
    } catch (SocketTimeoutException e) {
      socket.setSoTimeout(0);
    }
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException();
      }
      head.append((char) next);
    }
    return head.toString();
  }

  private static String body(InputStream in, int length) throws IOException {
    return new String(in.readNBytes(length), UTF_8);
  }

  private static void send(Socket socket, int status, String body) throws IOException {
    write(
        socket,
        "HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(status, body.length(), body));
  }

  private static void chunk(Socket socket, String text) throws IOException {
    write(socket, Integer.toHexString(text.length()) + "\r\n" + text + "\r\n");
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(UTF_8));
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
