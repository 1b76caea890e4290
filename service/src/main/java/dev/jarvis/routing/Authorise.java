package dev.jarvis.routing;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Stage;

/**
 * Refuses a call of a model that the caller may not use, with the error of a model that does not
 * exist. Before the name is resolved, so that no error reveals that it exists.
 */
public final class Authorise implements Stage {
  @Override
  public Answer handle(Call call, Next next) {
    String model = call.question().model();
    if (!call.caller().grants().allowsModel(model)) {
      throw RoutingErrors.unknown(model);
    }
    return next.proceed(call);
  }
}
