package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A fake Ollama on a free port: valid answers, and all kinds of failures. Uses raw sockets, because
 * an HTTP library would not violate the protocol. A script applies until {@link #reset()}; a stall
 * lasts until the client leaves.
 */
public final class FakeOllama implements AutoCloseable {
  private enum Script {
    ANSWER,
    STATUS,
    STALL_BEFORE_HEADERS,
    STALL_BEFORE_FIRST_PIECE,
    STALL_MID_STREAM,
    RESET_MID_STREAM,
    BREAK_MID_STREAM,
    END_WITHOUT_DONE,
    MALFORMED_LINE,
    HUGE_LINE,
    ERROR_LINE_FIRST,
    ERROR_LINE_MID_STREAM,
    ENDLESS
  }

  private static final String[] PIECES = {"Hello", ",", " wörld", " 🎉", "!"};
  private static final int INPUT_TOKENS = 11;

  private final ServerSocket server;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicInteger accepted = new AtomicInteger();
  private volatile Script script = Script.ANSWER;
  private volatile int status;
  private volatile String models = "";
  private volatile String resident = "";
  private volatile String durations = "";
  private volatile String reason = "stop";
  private volatile String errorText = "a failure at http://127.0.0.1:1/completion";
  private volatile Duration pause = Duration.ZERO;
  private volatile boolean held;
  private final AtomicInteger failuresLeft = new AtomicInteger(Integer.MAX_VALUE);
  private volatile int retryAfter;
  private volatile boolean listFails;
  private volatile boolean residentFails;
  private volatile boolean clientGone;
  private volatile Map<String, String> lastHeaders = Map.of();
  private volatile String lastBody = "";
  private volatile @Nullable String answer;
  private volatile int answerTimes = 1;
  private volatile String embeddings = "{}";
  private volatile @Nullable String shown;
  private volatile int inputTokens = INPUT_TOKENS;

  private FakeOllama(ServerSocket server) {
    this.server = server;
    reset();
    Thread.ofVirtual().start(this::accept);
  }

  /** Starts a server on a free port of the loopback address. */
  public static FakeOllama start() {
    try {
      return new FakeOllama(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  /** Sends valid answers again, and sets the counters to 0. */
  public void reset() {
    script = Script.ANSWER;
    answer = null;
    pause = Duration.ZERO;
    held = false;
    reason = "stop";
    listFails = false;
    failuresLeft.set(Integer.MAX_VALUE);
    retryAfter = 0;
    residentFails = false;
    resident = "{\"models\":[]}";
    reportDurations(20, 50, 300);
    clientGone = false;
    inputTokens = INPUT_TOKENS;
    requests.set(0);
    listModels(model());
  }

  public String model() {
    return "fake:1b";
  }

  /** The text of a valid answer. */
  public String answer() {
    return String.join("", PIECES);
  }

  /** The input tokens that a valid answer reports. */
  public int inputTokens() {
    return INPUT_TOKENS;
  }

  /** The output tokens that a valid answer reports: one for each piece, and one for the end. */
  public int outputTokens() {
    return PIECES.length + 1;
  }

  /** Sets the models that {@code /api/tags} lists. */
  public void listModels(String... names) {
    models = "{\"name\":\"" + String.join("\"},{\"name\":\"", names) + "\"}";
  }

  /** Sets the response of {@code /api/show}, also beyond {@link #reset()}; at first it is 404. */
  public void showModels(String json) {
    shown = json;
  }

  /** Sets the tokens of the prompt that a valid answer reports. */
  public void countPrompt(int tokens) {
    inputTokens = tokens;
  }

  /** Makes {@code /api/tags} fail with 500. */
  public void failListing() {
    listFails = true;
  }

  /** Sets the response of {@code /api/ps}. */
  public void listResident(String json) {
    resident = json;
  }

  /** Makes {@code /api/ps} fail as on an old server that does not have it. */
  public void failResident() {
    residentFails = true;
  }

  /** Sets the durations that a valid answer reports, in milliseconds. */
  public void reportDurations(long load, long prompt, long generation) {
    reportDurations(
        """
        ,"total_duration":%d000000,"load_duration":%d000000,"prompt_eval_duration":%d000000,\
        "eval_duration":%d000000"""
            .formatted(load + prompt + generation, load, prompt, generation));
  }

  /** Sets the durations as JSON, each field after a comma. */
  public void reportDurations(String fields) {
    durations = fields;
  }

  public void finishWith(String doneReason) {
    reason = doneReason;
  }

  public void pauseBetweenPieces(Duration value) {
    pause = value;
  }

  /** Pauses after the second piece of an answer, or before an error, until {@link #release()}. */
  public void hold() {
    held = true;
  }

  /** Continues the answers that {@link #hold()} paused. */
  public void release() {
    held = false;
  }

  /** Answers chats with this status and an error in Ollama's form. */
  public void failWith(int value) {
    failWith(value, "a failure at http://127.0.0.1:1/completion");
  }

  public void failWith(int value, String text) {
    status = value;
    errorText = text;
    script = Script.STATUS;
  }

  /** Fails a number of chats with a {@code Retry-After}, and answers those after them. */
  public void failTimes(int times, int value, int retryAfterSeconds) {
    failTimes(times, value, retryAfterSeconds, "a failure at http://127.0.0.1:1/completion");
  }

  public void failTimes(int times, int value, int retryAfterSeconds, String text) {
    failuresLeft.set(times);
    retryAfter = retryAfterSeconds;
    failWith(value, text);
  }

  /** Sends nothing, not even headers. */
  public void stallBeforeHeaders() {
    script = Script.STALL_BEFORE_HEADERS;
  }

  /** Sends headers, but no line. */
  public void stallBeforeFirstPiece() {
    script = Script.STALL_BEFORE_FIRST_PIECE;
  }

  public void stallMidStream() {
    script = Script.STALL_MID_STREAM;
  }

  /**
   * Resets the connection on {@link #release()}: a reset discards what the client has not read, so
   * the test must have read the pieces first.
   */
  public void resetMidStream() {
    held = true;
    script = Script.RESET_MID_STREAM;
  }

  /** Closes the connection in the middle of an answer; what was sent arrives. */
  public void breakMidStream() {
    script = Script.BREAK_MID_STREAM;
  }

  /** Ends the body correctly, but not the answer. */
  public void endWithoutDone() {
    script = Script.END_WITHOUT_DONE;
  }

  public void malformedLine() {
    script = Script.MALFORMED_LINE;
  }

  /** Sends eight megabytes without a line feed. */
  public void hugeLine() {
    script = Script.HUGE_LINE;
  }

  /** Sends status 200, and an error as the first line. */
  public void errorLineFirst() {
    script = Script.ERROR_LINE_FIRST;
  }

  public void errorLineMidStream() {
    script = Script.ERROR_LINE_MID_STREAM;
  }

  /** Sends a piece every 10 ms until the client leaves. */
  public void endless() {
    script = Script.ENDLESS;
  }

  /** Sets the response of {@code /api/embed}. */
  public void embedWith(String json) {
    embeddings = json;
  }

  /** Sends a valid answer with this message as its only piece. */
  public void answerWith(String message) {
    answerWith(message, 1);
  }

  /** Sends a valid answer of several pieces, each of them this message. */
  public void answerWith(String message, int times) {
    answerTimes = times;
    answer = message;
  }

  /** The number of chats since the last reset. */
  public int requests() {
    return requests.get();
  }

  /** The number of connections since the start. */
  public int connections() {
    return accepted.get();
  }

  /** Whether a client left in the middle of a chat since the last reset. */
  public boolean clientGone() {
    return clientGone;
  }

  /** A header of the last chat; null if it had none. */
  public @Nullable String lastHeader(String name) {
    return lastHeaders.get(name);
  }

  public String lastBody() {
    return lastBody;
  }

  /** Refuses new connections, and closes the open ones. */
  @Override
  public void close() {
    closeQuietly(server);
    connections.forEach(FakeOllama::closeQuietly);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        socket.setTcpNoDelay(true);
        accepted.incrementAndGet();
        connections.add(socket);
        if (server.isClosed()) { // by close(), which may have missed this connection
          closeQuietly(socket);
        }
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        closeQuietly(server);
      }
    }
  }

  private void serve(Socket socket) {
    boolean chatting = false;
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      while (true) {
        chatting = false;
        String requestLine = line(in);
        Map<String, String> headers = headers(in);
        int length = Integer.parseInt(headers.getOrDefault("Content-Length", "0"));
        String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        chatting = requestLine.startsWith("POST /api/chat ");
        if (chatting) {
          lastHeaders = headers;
          lastBody = body;
          requests.incrementAndGet();
          chat(socket, body.contains("\"stream\":false"));
        } else if (requestLine.startsWith("POST /api/embed ")) {
          lastBody = body;
          if (script == Script.STALL_BEFORE_HEADERS) {
            stall(socket);
          }
          if (script == Script.STATUS) {
            send(socket, status, "{\"error\":\"" + errorText + "\"}");
          } else {
            send(socket, 200, embeddings);
          }
        } else if (requestLine.startsWith("POST /api/show ")) {
          String known = shown;
          send(socket, known == null ? 404 : 200, known == null ? "{}" : known);
        } else if (requestLine.startsWith("GET /api/ps ")) {
          send(socket, residentFails ? 404 : 200, residentFails ? "404 page not found" : resident);
        } else if (listFails) {
          send(socket, 500, "{\"error\":\"no list\"}");
        } else {
          send(socket, 200, "{\"models\":[" + models + "]}");
        }
      }
    } catch (IOException e) {
      clientGone |= chatting;
    } finally {
      connections.remove(socket);
    }
  }

  private void chat(Socket socket, boolean whole) throws IOException {
    switch (script) {
      case STATUS -> {
        awaitRelease(socket);
        String wait = retryAfter == 0 ? "" : "Retry-After: " + retryAfter + "\r\n";
        if (failuresLeft.decrementAndGet() == 0) {
          script = Script.ANSWER;
        }
        send(socket, status, "{\"error\":\"" + errorText + "\"}", wait);
        return;
      }
      case STALL_BEFORE_HEADERS -> stall(socket);
      default -> {
        if (whole) {
          whole(socket);
          return;
        }
        write(
            socket,
            String.join(
                "\r\n",
                "HTTP/1.1 200 OK",
                "Content-Type: application/x-ndjson",
                "Transfer-Encoding: chunked",
                "",
                ""));
      }
    }
    switch (script) {
      case STALL_BEFORE_FIRST_PIECE -> stall(socket);
      case ERROR_LINE_FIRST -> {
        awaitRelease(socket);
        chunk(socket, "{\"error\":\"" + errorText + "\"}\n");
      }
      default -> stream(socket);
    }
    write(socket, "0\r\n\r\n");
  }

  /** A whole answer: nothing is sent before it is complete. */
  private void whole(Socket socket) throws IOException {
    if (script != Script.RESET_MID_STREAM) {
      awaitRelease(socket);
    }
    for (int i = 0; i < PIECES.length && !pause.isZero(); i++) {
      rest(socket, pause);
    }
    String body = whole(script != Script.END_WITHOUT_DONE);
    switch (script) {
      case STALL_BEFORE_FIRST_PIECE, STALL_MID_STREAM, ENDLESS -> stall(socket);
      case RESET_MID_STREAM -> {
        socket.setSoLinger(true, 0);
        socket.close();
      }
      case BREAK_MID_STREAM -> {
        String head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        write(socket, head + body.length() + "\r\n\r\n" + body.substring(0, body.length() / 2));
        socket.close();
      }
      case ERROR_LINE_FIRST, ERROR_LINE_MID_STREAM ->
          send(socket, 500, "{\"error\":\"" + errorText + "\"}");
      case MALFORMED_LINE -> send(socket, 200, "{\"message\":\n");
      case HUGE_LINE -> send(socket, 200, "x".repeat(8 << 20));
      default -> send(socket, 200, body);
    }
  }

  private static String repeated(String message, int times) throws IOException {
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(message);
    return json.put("content", json.path("content").asText().repeat(times)).toString();
  }

  private String whole(boolean done) throws IOException {
    String only = answer;
    return """
    {"model":"fake:1b","message":%s,"done":%s,"done_reason":"%s","prompt_eval_count":%d,\
    "eval_count":%d%s}"""
        .formatted(
            only == null
                ? "{\"role\":\"assistant\",\"content\":\"" + answer() + "\"}"
                : answerTimes == 1 ? only : repeated(only, answerTimes),
            done,
            reason,
            inputTokens,
            outputTokens(),
            durations);
  }

  private void stream(Socket socket) throws IOException {
    String only = answer;
    for (int i = 0; only != null && i < answerTimes; i++) {
      chunk(socket, "{\"model\":\"fake:1b\",\"message\":" + only + ",\"done\":false}\n");
      if (i == 1) {
        awaitRelease(socket);
      }
    }
    for (int i = 0; only == null && i < PIECES.length; i++) {
      piece(socket, PIECES[i]);
      if (i == 1) {
        awaitRelease(socket);
        disturb(socket);
      }
      if (!pause.isZero()) {
        rest(socket, pause);
      }
    }
    if (script == Script.END_WITHOUT_DONE) {
      return;
    }
    chunk(
        socket,
        """
        {"model":"fake:1b","message":{"role":"assistant","content":""},"done":true,\
        "done_reason":"%s","prompt_eval_count":%d,"eval_count":%d%s}
        """
            .formatted(reason, inputTokens, outputTokens(), durations));
  }

  private void disturb(Socket socket) throws IOException {
    switch (script) {
      case STALL_MID_STREAM -> stall(socket);
      case RESET_MID_STREAM -> {
        socket.setSoLinger(true, 0);
        socket.close();
      }
      case BREAK_MID_STREAM -> socket.close();
      case MALFORMED_LINE -> chunk(socket, "{\"message\":\n");
      case HUGE_LINE -> {
        for (int i = 0; i < 8; i++) {
          chunk(socket, "x".repeat(1 << 20));
        }
      }
      case ERROR_LINE_MID_STREAM -> chunk(socket, "{\"error\":\"" + errorText + "\"}\n");
      case ENDLESS -> {
        while (true) {
          piece(socket, " more");
          rest(socket, Duration.ofMillis(10));
        }
      }
      default -> {}
    }
  }

  private static void piece(Socket socket, String text) throws IOException {
    chunk(
        socket,
        "{\"model\":\"fake:1b\",\"message\":{\"role\":\"assistant\",\"content\":\""
            + text
            + "\"},\"done\":false}\n");
  }

  private static void stall(Socket socket) throws IOException {
    rest(socket, Duration.ofMinutes(5));
  }

  private void awaitRelease(Socket socket) throws IOException {
    while (held) {
      rest(socket, Duration.ofMillis(10));
    }
  }

  /** Waits; throws as soon as the client has left. */
  private static void rest(Socket socket, Duration time) throws IOException {
    socket.setSoTimeout(Math.toIntExact(time.toMillis()));
    try {
      // the client sends nothing here, so this is the end of the stream
      socket.getInputStream().read();
      throw new EOFException("the client has left");
    } catch (SocketTimeoutException e) {
      socket.setSoTimeout(0);
    }
  }

  private static void send(Socket socket, int status, String body) throws IOException {
    send(socket, status, body, "");
  }

  private static void send(Socket socket, int status, String body, String headers)
      throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    write(
        socket,
        "HTTP/1.1 %d x\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"
            .formatted(status, headers, bytes.length, body));
  }

  private static void chunk(Socket socket, String text) throws IOException {
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    write(socket, Integer.toHexString(length) + "\r\n" + text + "\r\n");
  }

  private static void write(Socket socket, String text) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static Map<String, String> headers(InputStream in) throws IOException {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    return headers;
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException();
      }
      if (next == '\n') {
        return line.toString().stripTrailing();
      }
      line.append((char) next);
    }
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // it is not needed any more
    }
  }
}
