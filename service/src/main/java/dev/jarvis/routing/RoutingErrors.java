package dev.jarvis.routing;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Question;
import dev.jarvis.provider.FieldPlace;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.UnsupportedFields;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The errors that clients get if no model can be asked, or the models that were asked failed. */
public final class RoutingErrors {
  private static final int MAX_SHOWN = 100;

  private RoutingErrors() {}

  /** The error for a call whose last attempt failed. */
  public static ApiException toClient(ProviderException e) {
    return toClient(e, null);
  }

  /**
   * The error for a call whose last attempt failed.
   *
   * @param question null if none was asked
   */
  static ApiException toClient(ProviderException e, @Nullable Question question) {
    String message = e.getMessage() == null ? "The model server failed." : e.getMessage();
    return switch (e) {
      case ProviderException.NotFound it ->
          new ApiException.NotFound(message, "model", "model_not_found", it);
      case ProviderException.Unavailable it ->
          new ApiException.UpstreamFailed(message, it.code(), it);
      case ProviderException.TimedOut it -> new ApiException.UpstreamTimedOut(message, it);
      case ProviderException.Busy it ->
          it.rateLimited()
              ? new ApiException.RateLimited(message, it.code(), it.retryAfter(), it)
              : new ApiException.Overloaded(
                  message, it.code(), it.retryAfter(), it.inProcess() ? null : it);
      case ProviderException.Refused it ->
          new ApiException.Refused(
              it.refusal().status(), message, param(it, question), it.code(), it);
    };
  }

  private static @Nullable String param(ProviderException.Refused e, @Nullable Question question) {
    String param = e.refusal().param();
    return param == null && e.contextTooLong()
        ? question instanceof EmbeddingRequest ? "input" : "messages"
        : param;
  }

  /** The error for a name that is neither a route's nor a model's. */
  public static ApiException unknown(String model) {
    String shown = model.length() > MAX_SHOWN ? model.substring(0, MAX_SHOWN) + "…" : model;
    return new ApiException.NotFound(
        "The model '%s' does not exist; GET /v1/models lists the available models."
            .formatted(shown),
        "model",
        "model_not_found");
  }

  /**
   * The error for a prompt that is longer than the context windows of the decision's targets.
   *
   * @param tokens the number of tokens that it has at least
   */
  static ApiException contextExceeded(Decision decision, int tokens) {
    Decision.Option limit = decision.contextLimit().orElseThrow();
    return new ApiException.InvalidRequest(
        "The prompt has at least %d tokens (estimated); the context window of '%s' at %s has %s. Shorten 'messages', or use a model with a larger context window; of Ollama's models, 'num_ctx' enlarges it."
            .formatted(
                tokens,
                limit.target().model(),
                limit.target().provider().name(),
                limit.observed().contextWindow()),
        "messages",
        ProviderException.Refusal.CONTEXT_TOO_LONG);
  }

  /** The error for a field of the question that no target of the decision honours. */
  static ApiException unsupported(String field, Decision decision, Question question) {
    if (FieldPolicy.isUnsafe(field)) {
      return new ApiException.InvalidRequest(
          "'%s' is not accepted: a client cannot choose the model server, its credentials or a mock answer. Remove the field."
              .formatted(field),
          field,
          "unsupported_field");
    }
    Optional<FieldPlace> place = FieldPlace.of(question, field);
    String param = place.map(FieldPlace::path).orElse(field);
    return switch (field) {
      case UnsupportedFields.CHATS ->
          unsupported(decision, "answers chats; use another model.", "model");
      case UnsupportedFields.EMBEDDINGS ->
          unsupported(decision, "creates embeddings; use another model.", "model");
      case UnsupportedFields.TOKENS ->
          unsupported(
              decision,
              "supports lists of tokens as 'input'; send texts or use another model.",
              field);
      case UnsupportedFields.REMOTE_IMAGES ->
          unsupported(
              decision,
              "fetches the image in '%s'; send it as a data: URL or use another model."
                  .formatted(param),
              param);
      default ->
          unsupported(
              decision,
              place
                  .map(it -> "supports '%s' in '%s'; remove it".formatted(it.kind(), it.path()))
                  .orElse("supports '%s'; remove the field".formatted(field))
                  .concat(" or use another model."),
              param);
    };
  }

  private static ApiException unsupported(Decision decision, String words, String param) {
    String providers =
        decision.options().stream()
            .map(it -> it.target().provider().name())
            .distinct()
            .collect(Collectors.joining(", "));
    return new ApiException.InvalidRequest(
        "None of the providers of '%s' (%s) %s".formatted(decision.route(), providers, words),
        param,
        "unsupported_field");
  }
}
