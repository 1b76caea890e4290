package dev.jarvis.provider;

import java.util.regex.Pattern;

/** The words by which errors of model servers are recognised if nothing else tells them apart. */
final class ErrorWords {
  /** The question is too long, unless {@link #SOON} or {@link #TOO_MANY} speak against it. */
  private static final Pattern CONTEXT =
      words(
          "(maximum|max|model'?s?|available) (context|prompt|model) (length|size|window)",
          "context[ _]?(length|window|size|limit) (of only|exceeded|has been exceeded)",
          "(exceed\\w*|longer than|greater than|beyond|fit into|overflow\\w*)"
              + "\\W.{0,60}\\b(context[ _]?(length|window|size|limit)|model token limit)",
          "context (window|length|size|limit) exceeds",
          "(prompt|input|conversation|decoder prompt).{0,40} is too long",
          "(prompt|input) too long",
          "prompt contains .{0,60} too large for model",
          "prompt exceeds the length limit",
          "input length .{0,40}exceeds the (maximum )?(allowed )?",
          "token count .{0,40}exceeds the (maximum|limit)",
          "token count is .{0,40}but model only supports",
          "(too many|exceeds? the maximum number of) tokens",
          "reduce the length of (the|your) (messages|prompt|input)",
          "inputs` must have less than \\d+ tokens",
          "inputs` tokens \\+ `max_new_tokens` must be",
          "input( \\([^)]*\\))? is too large to process",
          "request body too large for .{0,60}max size: \\d+ tokens",
          "range of input length should be");

  /** Limits of a time, which a later question may keep. */
  private static final Pattern SOON =
      words(
          "\\bwait\\b",
          "\\bper[ -]?(second|min|minute|hour|day)\\b",
          "\\b[tr]p[md]\\b",
          "throttl",
          "rate[ _-]?limit");

  /** With the statuses 429 and 503, not those of the question. */
  private static final Pattern TOO_MANY = words("too many tokens");

  /** The server has had too many requests, whatever its status. */
  static final Pattern LIMITED =
      words(
          "throttlingexception",
          "requests? (was|were|is|are|has been|have been) throttled",
          "rate[ _-]?limit (was |is |has been )?(reached|exceeded)",
          "too many (tokens|requests)\\W+(please )?(wait|slow down|try again|retry)");

  /** The question, or the answer to it, was refused for its content. */
  static final Pattern POLICY =
      words(
          "content (management|usage|safety)? ?policy",
          "content[ _]filter",
          "(input|prompt|request|content|output) (was|is|has been) (flagged|blocked)",
          "safety system",
          "requires moderation");

  /** What a 403 says of the question; others, of a proxy's rules, are about the operator. */
  static final Pattern ABOUT_CONTENT =
      words(
          "\\bcontent\\b(?!-)",
          "safety",
          "moderat",
          "(?<!(network|security|access|firewall|organization) )polic(y|ies)");

  /** The operator's key is wrong, in an error with another status than 401. */
  static final Pattern CREDENTIALS =
      words(
          "\\bapi[ -]key (is )?(not valid|invalid|incorrect|expired)",
          "\\b(incorrect|invalid|expired|wrong) api[ -]key",
          "invalid authentication",
          "authentication (failed|fails)");

  /** Faults of a request that servers report with 500. */
  static final Pattern REFUSED =
      words(
          // of the model: the devices of servers do not support things either
          "does(n't| not) support (\\w+ )?(tools?|images?|vision|audio|video|multimodal|thinking"
              + "|reasoning|embeddings|chat|generate|insert|completions?|transcriptions?"
              + "|function[ _]calling|response_format|structured outputs?|logprobs|system)\\b",
          "(failed|unable) to (load|decode|process|parse|fetch) (the |an? )?(image|audio)",
          "cannot identify image file",
          "(invalid|unsupported|unknown|corrupt\\w*) image",
          "image: unknown format",
          "illegal base64 data",
          "(failed to parse|invalid|unsupported) (the )?(json[ _]?schema|schema|grammar)",
          "conversation roles must alternate",
          "system (message|role) (must|not supported)");

  /** The account has no credit left. */
  static final Pattern QUOTA =
      words(
          "exceeded your current quota",
          "insufficient (credit|quota|balance|funds)",
          "credit balance is too low",
          "(not|n't) enough credits?",
          "out of credits?",
          "payment required");

  /** The server will be able to answer later. */
  static final Pattern BUSY =
      words(
          "server (is )?busy",
          "loading( the)? model",
          "model (is )?(currently |still )?loading",
          "overload",
          "at capacity",
          "no capacity",
          "too many requests",
          "queue is full",
          "no (available|idle|free) (slot|worker)");

  /** Words about a path would mention none of these. */
  private static final Pattern ABOUT_MODEL =
      words("model", "engine", "deployment", "no endpoints found", "no allowed providers");

  private static final Pattern ABOUT_PATH =
      words("page not found", "\\b(post|get) /", "invalid url", "unexpected endpoint", "<!doctype");

  private ErrorWords() {}

  /** Whether an error with the status 404 is about the path, not about the model. */
  static boolean aboutPath(String text) {
    return ABOUT_PATH.matcher(text).find()
        || (!text.isEmpty() && !ABOUT_MODEL.matcher(text).find());
  }

  /** Whether the question is too long. */
  static boolean tooLong(int status, String text) {
    return CONTEXT.matcher(text).find()
        && !SOON.matcher(text).find()
        && !((status == 429 || status == 503) && TOO_MANY.matcher(text).find());
  }

  private static Pattern words(String... alternatives) {
    return Pattern.compile(String.join("|", alternatives), Pattern.CASE_INSENSITIVE);
  }
}
