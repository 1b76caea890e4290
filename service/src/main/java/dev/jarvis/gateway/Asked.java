package dev.jarvis.gateway;

/**
 * What a call asked for.
 *
 * @param model the name in the request: a route's or a model's
 * @param streamed whether the client wanted the answer piece by piece
 */
public record Asked(Operation operation, String model, boolean streamed) {
  /** Cuts the name, which a client has chosen. */
  public Asked {
    model = Origin.bounded(model);
  }

  /** What a call asks for. */
  public static Asked of(Call call) {
    Question question = call.question();
    return new Asked(question.operation(), question.model(), call.streamed());
  }
}
