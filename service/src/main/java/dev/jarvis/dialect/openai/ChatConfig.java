package dev.jarvis.dialect.openai;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Range;
import dev.jarvis.limit.Admission;
import java.time.Duration;

/** Limits of a chat. */
public record ChatConfig(
    @Doc("Most messages of a conversation.") @Default("1000") @Range(min = 1, max = 100_000)
        int maxMessages,
    @Doc("Most tokens of an answer that a client may ask for.")
        @Default("131072")
        @Range(min = 1, max = Integer.MAX_VALUE)
        int maxTokens,
    @Doc("How long an answer may take in all.") @Default("10m") Duration maxDuration,
    @Doc(
            "After this long without an event, the client of a stream gets a comment, so that no proxy times out, and before it the response's head: from then on errors are events. 0: never.")
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
      @Doc("Requests that are answered at once.") @Default("256") @Range(min = 1, max = 100_000)
          int maxConcurrent,
      @Doc("How many more may wait. Those beyond get 503 and Retry-After.")
          @Default("256")
          @Range(max = 100_000)
          int maxQueued,
      @Doc("How long each of them may wait.") @Default("10s") Duration queueTimeout) {

    /** As limits of an admission. */
    public Admission.Limits limits() {
      return new Admission.Limits(maxConcurrent, maxQueued, queueTimeout);
    }
  }
}
