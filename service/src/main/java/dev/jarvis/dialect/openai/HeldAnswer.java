package dev.jarvis.dialect.openai;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.ForwardingAnswer;
import dev.jarvis.http.ByteBudget;

/**
 * An answer that is held in memory until the client has read all of it. Reserves the memory of each
 * event when it arrives; the reservation ends with the request.
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
