package dev.jarvis.routing;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Stage;

/**
 * Refuses a call that no model can answer before any work is done for it: because the name is
 * unknown, or because no provider of the model supports a field of the request.
 */
public final class Resolve implements Stage {
  private final Router router;

  public Resolve(Router router) {
    this.router = router;
  }

  @Override
  public Answer handle(Call call, Next next) {
    var _ = router.require(call.question());
    return next.proceed(call);
  }
}
