package dev.jarvis.chaos;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A call that a client has sent, and what it got. Thread-safe. */
final class SentCall {
  /** How many more output tokens than the model generates a call allows. */
  private static final int SPARE_TOKENS = 20;

  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final String requestId;
  private final Kind kind;
  private final Account account;
  private final int tokens;
  private final CompletableFuture<HttpResponse<String>> response;

  private SentCall(
      String requestId,
      Kind kind,
      Account account,
      int tokens,
      CompletableFuture<HttpResponse<String>> response) {
    this.requestId = requestId;
    this.kind = kind;
    this.account = account;
    this.tokens = tokens;
    this.response = response;
  }

  /**
   * Sends a call.
   *
   * @param tokens how many the model shall generate
   * @param pause milliseconds for each of them
   */
  static SentCall send(
      URI uri, String requestId, Kind kind, Account account, int tokens, int pause) {
    String body =
        """
        {"model":"%s","stream":%s,"max_tokens":%d,"messages":[{"role":"user","content":"%s %d %d"}]}"""
            .formatted(
                kind.route(), kind.streamed(), tokens + SPARE_TOKENS, requestId, tokens, pause);
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .timeout(LIMIT)
            .header("Authorization", "Bearer " + account.key())
            .header("Content-Type", "application/json")
            .header("x-request-id", requestId)
            .POST(BodyPublishers.ofString(body))
            .build();
    return new SentCall(
        requestId, kind, account, tokens, CLIENT.sendAsync(request, BodyHandlers.ofString()));
  }

  String requestId() {
    return requestId;
  }

  Kind kind() {
    return kind;
  }

  Account account() {
    return account;
  }

  /** How many tokens the model generates, if nothing happens. */
  int tokens() {
    return tokens;
  }

  /** The most output tokens that the call allows. */
  int maxTokens() {
    return tokens + SPARE_TOKENS;
  }

  /** Closes the connection. */
  void leave() {
    response.cancel(true);
  }

  boolean ended() {
    return response.isDone();
  }

  /** Waits until it has ended. */
  SentCall await() {
    try {
      HttpResponse<String> ignored = response.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | java.util.concurrent.CancellationException e) {
      // it has no answer
    } catch (TimeoutException e) {
      throw new AssertionError("no end of " + requestId, e);
    }
    return this;
  }

  /** The response; null if the connection broke, or the call has not ended. */
  private @Nullable HttpResponse<String> response() {
    return response.isDone() && !response.isCompletedExceptionally() ? response.join() : null;
  }

  /** The status; 0 without a response. */
  int status() {
    HttpResponse<String> got = response();
    return got == null ? 0 : got.statusCode();
  }

  /** Whether the whole answer has arrived. */
  boolean answered() {
    HttpResponse<String> got = response();
    return got != null
        && got.statusCode() == 200
        && (!kind.streamed() || got.body().contains("data: [DONE]"))
        && !got.body().contains("\"error\"");
  }

  @Override
  public String toString() {
    HttpResponse<String> got = response();
    return "%s %s of %s: %s"
        .formatted(
            requestId,
            kind,
            account.user(),
            got == null ? "no response" : got.statusCode() + " " + summary(got.body()));
  }

  private static String summary(String body) {
    return body.length() <= 300 ? body : "…" + body.substring(body.length() - 300);
  }
}
