package dev.jarvis.dialect.openai;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Range;
import dev.jarvis.limit.Admission;
import java.time.Duration;

/** Limits of a chat. */
public record ChatConfig(
    @Doc("Maximum number of messages in a conversation.")
        @Default("1000")
        @Range(min = 1, max = 100_000)
        int maxMessages,
    @Doc("Maximum number of tokens of an answer that a client may request.")
        @Default("131072")
        @Range(min = 1, max = Integer.MAX_VALUE)
        int maxTokens,
    @Doc("How long an answer may take in total.") @Default("10m") Duration maxDuration,
    @Doc(
            "Interval of keep-alive comments in a silent stream, so that no proxy times out. The response head is sent before the first one; from then on errors are events. 0: never.")
        @Default("15s")
        @Range
        Duration sseKeepAlive,
    @Inline Queue queue,
    @Doc(
            "URLs in messages, which a model server may fetch; JARVIS itself fetches none. refuse: data: URLs only. public: also http and https URLs whose host resolves to public addresses only. pass: any.")
        @Default("public")
        ContentUrls.Mode contentUrls) {

  /** How many requests are answered at once. */
  public record Queue(
      @Doc("Maximum number of requests in progress.") @Default("256") @Range(min = 1, max = 100_000)
          int maxConcurrent,
      @Doc("Maximum number of waiting requests. Those beyond get 503 and Retry-After.")
          @Default("256")
          @Range(max = 100_000)
          int maxQueued,
      @Doc("How long a request may wait.") @Default("10s") Duration queueTimeout) {

    /** As limits of an admission. */
    public Admission.Limits limits() {
      return new Admission.Limits(maxConcurrent, maxQueued, queueTimeout);
    }
  }
}
