package dev.jarvis.ledger;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.Stage;
import java.util.function.Function;

/** Writes down what a call is going to use, before a model is asked. */
public final class WriteIntent implements Stage {
  private final Ledger ledger;
  private final Function<Call, Intent> intents;

  /**
   * @param intents what a call is expected to use
   */
  public WriteIntent(Ledger ledger, Function<Call, Intent> intents) {
    this.ledger = ledger;
    this.intents = intents;
  }

  @Override
  public Answer handle(Call call, Next next) {
    call.record().add(ledger.open(intents.apply(call), call.record().durable()));
    return next.proceed(call);
  }
}
