package dev.jarvis.identity.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.Programs;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real OIDC issuer in a process of its own. */
public final class OidcProvider implements AutoCloseable {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final String REDIRECT = "http://127.0.0.1/signed-in";
  private static final Pattern CODE = Pattern.compile("[?&]code=([^&]+)");

  private final int port;
  private Process process;

  private OidcProvider(int port) throws IOException {
    this.port = port;
    this.process = launch();
  }

  public static OidcProvider start() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = free.getLocalPort();
      free.close();
      return new OidcProvider(port);
    }
  }

  private Process launch() throws IOException {
    Process launched =
        new ProcessBuilder(
                List.of(
                    Programs.python("oidc-provider-mock").toString(),
                    "--port",
                    Integer.toString(port)))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    await()
        .atMost(Duration.ofSeconds(60))
        .ignoreException(ConnectException.class)
        .until(() -> get("/.well-known/openid-configuration").statusCode() == 200);
    return launched;
  }

  /** The issuer's URL. */
  public String url() {
    return "http://127.0.0.1:" + port;
  }

  /** Stops it and starts it with a new signing key: a rotation without an overlap. */
  public void rotateKeys() throws Exception {
    stop();
    process = launch();
  }

  /** Signs a user in, as a browser does, and returns the ID token. */
  public String signIn(String user, String audience) throws Exception {
    String query =
        "?response_type=code&scope=openid&client_id=%s&redirect_uri=%s"
            .formatted(audience, URLEncoder.encode(REDIRECT, UTF_8));
    HttpResponse<String> redirect = post("/oauth2/authorize" + query, "sub=" + user);
    Matcher code = CODE.matcher(redirect.headers().firstValue("location").orElse(""));
    if (!code.find()) {
      throw new IOException("not signed in: " + redirect.body());
    }
    HttpResponse<String> tokens =
        post(
            "/oauth2/token",
            "grant_type=authorization_code&code=%s&redirect_uri=%s&client_id=%s&client_secret=any"
                .formatted(code.group(1), URLEncoder.encode(REDIRECT, UTF_8), audience));
    return new ObjectMapper().readTree(tokens.body()).path("id_token").asText();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return CLIENT.send(
        HttpRequest.newBuilder(URI.create(url() + path)).timeout(Duration.ofSeconds(10)).build(),
        BodyHandlers.ofString());
  }

  private HttpResponse<String> post(String path, String form) throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(URI.create(url() + path))
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form))
            .build(),
        BodyHandlers.ofString());
  }

  private void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
  }

  @Override
  public void close() throws Exception {
    stop();
  }
}
