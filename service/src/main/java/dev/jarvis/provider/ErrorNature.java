package dev.jarvis.provider;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Whose fault an error of a model server is, and of what kind. Servers report the same error with
 * different statuses, so names and words are looked at too.
 */
enum ErrorNature {
  /** The question is longer than the model's context. */
  CONTEXT_TOO_LONG,
  /** The question, or the answer to it, was refused for its content. */
  CONTENT_POLICY,
  /** The request is wrong in another way. */
  REFUSED,
  NO_MODEL,
  NO_PATH,
  RATE_LIMITED,
  BUSY,
  /** The operator's key is wrong. */
  CREDENTIALS,
  /** The operator's account has no credit left. */
  ACCOUNT,
  /** The server failed. */
  FAULT;

  /** The statuses with which a server blames the request. */
  private static final Set<Integer> REFUSALS = Set.of(400, 409, 413, 415, 422, 451);

  private static final Set<String> CONTEXT_NAMES =
      Set.of(
          "context_length_exceeded",
          "exceed_context_size_error",
          "context_window_exceeded",
          "model_context_window_exceeded",
          "contextwindowexceedederror",
          "tokens_limit_reached",
          "model_max_prompt_tokens_exceeded",
          "context_length_error");

  private static final Set<String> POLICY_NAMES =
      Set.of(
          "content_filter",
          "content_policy",
          "content_policy_violation",
          "contentpolicyviolationerror",
          "responsibleaipolicyviolation",
          "data_inspection_failed",
          "moderation_blocked");

  /** What the names of errors that stand for a status mean, for errors without that status. */
  private static final Map<String, Integer> STATUS_OF_NAME =
      Map.ofEntries(
          Map.entry("invalid_request_error", 400),
          Map.entry("badrequesterror", 400),
          Map.entry("bad_request", 400),
          Map.entry("invalid_argument", 400),
          Map.entry("validation", 400),
          Map.entry("validation_error", 400),
          Map.entry("authentication_error", 401),
          Map.entry("authenticationerror", 401),
          Map.entry("invalid_api_key", 401),
          Map.entry("unauthenticated", 401),
          Map.entry("api_key_invalid", 401),
          Map.entry("invalid_authentication_error", 401),
          Map.entry("insufficient_quota", 402),
          Map.entry("billing_error", 402),
          Map.entry("permission_error", 403),
          Map.entry("model_not_found", 404),
          Map.entry("not_found_error", 404),
          Map.entry("notfounderror", 404),
          Map.entry("rate_limit_error", 429),
          Map.entry("rate_limit_exceeded", 429),
          Map.entry("ratelimiterror", 429),
          Map.entry("resource_exhausted", 429),
          Map.entry("throttlingexception", 429),
          Map.entry("too_many_requests", 429),
          Map.entry("overloaded_error", 529),
          Map.entry("overloaded", 529),
          Map.entry("serviceunavailableerror", 503),
          Map.entry("unavailable_error", 503));

  /**
   * The nature of an error.
   *
   * @param status of the response, or of the error in a successful one; 0 if there is none
   * @param later whether the server says when to try again
   */
  static ErrorNature of(int status, ServerError error, boolean later) {
    List<String> names =
        Stream.of(error.code(), error.type())
            .filter(Objects::nonNull)
            .map(it -> it.toLowerCase(Locale.ROOT))
            .toList();
    if (names.stream().anyMatch(CONTEXT_NAMES::contains)) {
      return CONTEXT_TOO_LONG;
    }
    if (names.stream().anyMatch(POLICY_NAMES::contains)) {
      return CONTENT_POLICY;
    }
    String text = Masking.bounded(error.text(), 2_000);
    if (ErrorWords.tooLong(status, text)) {
      return CONTEXT_TOO_LONG;
    }
    int named = byName(names, status);
    int meant = status == 0 || status == 500 || (status == 400 && named == 401) ? named : status;
    return switch (meant) {
      case 401 -> CREDENTIALS;
      case 402 -> ACCOUNT;
      case 403 ->
          says(ErrorWords.POLICY, text) && says(ErrorWords.ABOUT_CONTENT, text)
              ? CONTENT_POLICY
              : CREDENTIALS;
      case 404, 410 ->
          ErrorWords.aboutPath(text) && names.stream().noneMatch(it -> it.contains("model"))
              ? NO_PATH
              : NO_MODEL;
      case 429 ->
          names.contains("insufficient_quota") || says(ErrorWords.QUOTA, text)
              ? ACCOUNT
              : RATE_LIMITED;
      default -> byWords(meant, names, text, later);
    };
  }

  private static ErrorNature byWords(int status, List<String> names, String text, boolean later) {
    if (status != 413 && says(ErrorWords.LIMITED, text)) { // waiting does not make it smaller
      return RATE_LIMITED;
    }
    boolean vague = status == 400 || status == 500 || status == 0;
    if (vague && says(ErrorWords.CREDENTIALS, text)) {
      return CREDENTIALS;
    }
    if (REFUSALS.contains(status)) {
      if (says(ErrorWords.QUOTA, text)) {
        return ACCOUNT;
      }
      return names.contains("model_not_found")
          ? NO_MODEL
          : says(ErrorWords.POLICY, text) ? CONTENT_POLICY : REFUSED;
    }
    if (status == 529 || (status == 503 && (later || says(ErrorWords.BUSY, text)))) {
      return BUSY;
    }
    return (status == 500 || status == 0) && says(ErrorWords.REFUSED, text) ? REFUSED : FAULT;
  }

  /** The status with which the client gets a refusal. */
  int statusForClient(int status) {
    return this == REFUSED && REFUSALS.contains(status) ? status : 400;
  }

  private static boolean says(Pattern words, String text) {
    return words.matcher(text).find();
  }

  private static int byName(List<String> names, int otherwise) {
    return names.stream()
        .map(STATUS_OF_NAME::get)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(otherwise);
  }
}
