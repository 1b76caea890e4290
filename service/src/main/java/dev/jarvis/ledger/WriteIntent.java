package dev.jarvis.ledger;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.CallRecord;
import dev.jarvis.gateway.Stage;
import java.util.Objects;

/** Writes down what a call intends to use, before a model is asked. */
public final class WriteIntent implements Stage {
  private final Ledger ledger;

  public WriteIntent(Ledger ledger) {
    this.ledger = ledger;
  }

  @Override
  public Answer handle(Call call, Next next) {
    CallRecord record = call.record();
    record.add(ledger.open(Objects.requireNonNull(record.intent()), record.durable()));
    return next.proceed(call);
  }
}
