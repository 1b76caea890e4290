package dev.jarvis.routing;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Stage;

/**
 * Refuses a call that no model can answer, before anything is spent on it: an unknown name, or a
 * field that no provider of it supports.
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
