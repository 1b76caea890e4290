package dev.jarvis.dialect.openai;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.ForwardingAnswer;
import dev.jarvis.http.ByteBudget;

/**
 * An answer that is held in memory until its client has taken all of it: the memory of each event
 * is reserved as it comes, and given back with the request.
 */
final class HeldAnswer extends ForwardingAnswer {
  private final ByteBudget.Reservation memory;

  HeldAnswer(Answer answer, ByteBudget.Reservation memory) {
    super(answer);
    this.memory = memory;
  }

  /**
   * The next event.
   *
   * @throws dev.jarvis.error.ApiException.Overloaded if there is no memory for it
   */
  @Override
  public Event next() {
    Event event = super.next();
    memory.add(event.weight());
    return event;
  }
}
