package dev.jarvis.routing;

import dev.jarvis.error.ApiException;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ProviderException;
import java.util.stream.Collectors;

/** The errors that clients get when no model answers. */
public final class RoutingErrors {
  private static final int MAX_SHOWN = 100;

  private RoutingErrors() {}

  public static ApiException toClient(ProviderException e) {
    String message = e.getMessage() == null ? "The model failed." : e.getMessage();
    return switch (e) {
      case ProviderException.NotFound it ->
          new ApiException.NotFound(message, "model", "model_not_found");
      case ProviderException.Unavailable it -> new ApiException.UpstreamFailed(message, it);
      case ProviderException.TimedOut it -> new ApiException.UpstreamTimedOut(message, it);
      case ProviderException.Busy it -> new ApiException.Overloaded(message, it.retryAfter());
      case ProviderException.Refused it ->
          new ApiException.InvalidRequest(message, null, "refused_by_model");
    };
  }

  public static ApiException unknown(String model) {
    String shown = model.length() > MAX_SHOWN ? model.substring(0, MAX_SHOWN) + "…" : model;
    return new ApiException.NotFound(
        "The model '%s' does not exist; GET /v1/models lists those that do.".formatted(shown),
        "model",
        "model_not_found");
  }

  /** Nobody honours a field of the request. */
  static ApiException unsupported(String field, Decision decision) {
    if (FieldPolicy.isUnsafe(field)) {
      return new ApiException.InvalidRequest(
          "'%s' is not accepted: clients do not choose the model server, its credentials or a mock answer; leave the field out."
              .formatted(field),
          field,
          "unsupported_field");
    }
    String providers =
        decision.options().stream()
            .map(it -> it.target().provider().name())
            .distinct()
            .collect(Collectors.joining(", "));
    return new ApiException.InvalidRequest(
        "None of the providers of '%s' (%s) supports '%s'; leave it out or ask another model."
            .formatted(decision.route(), providers, field),
        field,
        "unsupported_field");
  }
}
